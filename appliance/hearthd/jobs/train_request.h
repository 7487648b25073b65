// From a training request of the API to a recipe, and to an estimate.
#pragma once

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

Result<PlannedTraining> plan_training(const api::TrainRequest& request, const store::Store& store, const Datasets& datasets);
Result<api::TrainEstimate> estimate_training_request(const PlannedTraining& plan);
// The name asked for, when it is free; else one made from model and dataset.
Result<std::string> choose_result_name(const api::TrainRequest& request, const PlannedTraining& plan, const store::Store& store);
std::vector<api::TrainPreset> list_presets();

}  // namespace hearth
