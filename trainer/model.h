// The model being trained: which tensors learn (f32 masters, or low-rank updates beside a frozen base) and how the
// graph's parameters are bound.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "model_store/formats/adapters/adapter.h"
#include "model_store/formats/save.h"
#include "runtime/architectures/model_graphs.h"
#include "runtime/exec/executor.h"
#include "trainer/recipe.h"
#include "trainer/state/trainable.h"

namespace hearth::train {

// What training begins with. With LoRA and an adapter to go on from: the adapter's base, and the adapter beside it. An
// adapter is merged where all weights are trained.
struct Beginning : LoadedModel {
  std::optional<LoraAdapter> adapter;
  LoraConfig lora_of(const Recipe& recipe) const;  // the adapter's own rank, scale and targets, else the recipe's
};

// From scratch: configuration and text side only, no weights.
Result<Beginning> load_base(const Recipe& recipe, const std::filesystem::path& model_path);

// The weights that are trained, where the host reads them: "<role>", or "<role>.lora_a" and "<role>.lora_b".
struct TrainedWeights {
  WeightsByRole by_role;
  std::vector<Tensor> copies;  // what by_role views of tensors in a device's memory
};

// Movable; bindings point into tensors that do not move with it.
struct ModelInTraining {
  ModelConfig config;
  std::vector<ParameterSpec> specs;
  LoraConfig lora;                                           // rank 0: all weights are trained
  std::vector<Trainable> trainables;                         // in the order of the table
  std::map<std::string, Tensor, std::less<>> frozen_copies;  // norms and biases of a frozen base, constants; in f32
  WeightsByRole frozen;                                      // a frozen base in its own dtype; else just the constants
  std::shared_ptr<const void> keeper;                        // of frozen
  std::vector<Buffer> device_memory;                         // of frozen, where the device has memory of its own
  Bindings frozen_there;

  DtypeOf dtype_of() const;   // valid while this object stays where it is
  Bindings bindings() const;  // of parameters, and of the means of those that are trained
  // Moves all of it into the backend's memory, which must outlive this. `frozen` stays readable where it is too.
  Result<void> place_on(Backend& backend);
  Result<TrainedWeights> trained_weights() const;
  // The result's weights by role: masters, or the frozen base, whose merged weights are made one by one. `trained` must
  // outlive `out`.
  void put_weights(ModelToSave& out, const TrainedWeights& trained) const;
  uint64_t bytes() const;  // of trainables with optimizer state, and frozen copies
};

Result<ModelInTraining> make_model(const Recipe& recipe, const Beginning& base);

}  // namespace hearth::train
