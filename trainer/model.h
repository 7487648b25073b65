// The model being trained: which tensors learn (f32 masters, or low-rank updates beside a frozen base) and how the
// graph's parameters are bound.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "model_store/formats/load.h"
#include "runtime/architectures/model_builder.h"
#include "runtime/exec/executor.h"
#include "trainer/optim/adamw.h"
#include "trainer/recipe.h"

namespace hearth::train {

// The model as it is before training. From scratch: configuration and text side only, no weights.
Result<LoadedModel> load_base(const Recipe& recipe, const std::filesystem::path& model_path);

// Movable; bindings point into tensors that do not move with it.
struct ModelInTraining {
  ModelConfig config;
  std::vector<ParameterSpec> specs;
  LoraConfig lora;                      // rank 0: all weights are trained
  std::vector<Trainable> trainables;    // in the order of the table
  std::map<std::string, Tensor, std::less<>> frozen_copies;  // norms and biases of a frozen base, constants; in f32
  WeightsByRole frozen;                 // a frozen base in its own dtype; else just the constants
  std::shared_ptr<const void> keeper;   // of frozen

  DtypeOf dtype_of() const;             // valid while this object stays where it is
  Bindings bindings() const;
  // The result's weights by role: masters, or the frozen base with the updates merged in (f32 where merged).
  Result<WeightsByRole> merged(std::map<std::string, Tensor, std::less<>>& storage) const;
  WeightsByRole lora_weights() const;   // "<role>.lora_a", "<role>.lora_b"
  uint64_t bytes() const;               // of trainables with optimizer state, and frozen copies
};

Result<ModelInTraining> make_model(const Recipe& recipe, const LoadedModel& base);

}  // namespace hearth::train
