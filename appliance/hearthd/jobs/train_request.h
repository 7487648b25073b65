// From a training request of the API to a recipe, and to an estimate.
#pragma once

#include <functional>
#include <stop_token>

#include "appliance/hearthd/datasets.h"
#include "model_store/store.h"
#include "trainer/recipe.h"

namespace hearth {

struct PlannedTraining {
  train::Recipe recipe;  // complete: model, data and output are set
  store::ModelRecord model;
  std::filesystem::path model_path;
  api::Dataset dataset;
};

Result<PlannedTraining> plan_training(const api::TrainRequest& request, const store::Store& store,
                                      const Datasets& datasets);
struct EstimateOptions {
  std::filesystem::path trainer;  // the hearth-trainer program
  std::chrono::milliseconds limit{};
};
// Runs the trainer for it, on the calling thread's time. Its error is told; deadline_exceeded after the limit.
Result<api::TrainEstimate> estimate_training_request(const PlannedTraining& plan, const StateDir& state,
                                                     const EstimateOptions& options, const std::stop_token& stop);
// What checkpoints and result need on the disk at most, roughly.
uint64_t training_disk_bytes(const train::Recipe& recipe, const store::ModelRecord& model);
struct ResultName {
  std::string name, display_name;  // in the store, and for people
};
// The name asked for, when it is free; else one made from model and dataset.
Result<ResultName> choose_result_name(const api::TrainRequest& request, const PlannedTraining& plan,
                                      const std::function<bool(const std::string&)>& is_taken);
// Of the adapter that is kept beside the model; empty when there is none beside it.
Result<std::string> choose_adapter_name(const train::Recipe& recipe, const std::string& result_name,
                                        const std::function<bool(const std::string&)>& is_taken);
std::vector<api::TrainPreset> list_presets();

}  // namespace hearth
