// What a run will take: steps, tokens, seconds and peak memory, from the graph's own cost and plan before anything
// runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/training_records.h"
#include "trainer/recipe.h"

namespace hearth::train {

struct Estimate {
  int64_t n_steps = 0;
  int64_t n_tokens = 0;  // trained on in one epoch
  double seconds = 0;
  uint64_t peak_memory_bytes = 0;
  double flops_per_step = 0, flops_per_s = 0;  // the graph's cost, the rate measured on this box
  DataFigures data;                            // what is trained on and held out
  std::vector<UnusedKey> unused_keys;
  std::string device, device_reason;  // what will compute, and why it is no GPU where this box has one
  std::string explanation;            // in words, with the figures
  static constexpr auto kFields = std::tuple{
      field("n_steps", &Estimate::n_steps, "optimizer steps"),
      field("n_tokens", &Estimate::n_tokens, "trained on in one epoch"),
      field("seconds", &Estimate::seconds, "predicted time"),
      field("peak_memory_bytes", &Estimate::peak_memory_bytes, "predicted peak memory"),
      field("flops_per_step", &Estimate::flops_per_step, "the graph's cost"),
      field("flops_per_s", &Estimate::flops_per_s, "the rate measured on that device"),
      field("data", &Estimate::data, "what is trained on and held out"),
      field("unused_keys", &Estimate::unused_keys, "keys in the data that are not used"),
      field("device", &Estimate::device, "what will compute: cpu, cuda:0"),
      field("device_reason", &Estimate::device_reason, "why it is no GPU, where this box has one; else empty"),
      field("explanation", &Estimate::explanation, "in words, with the figures"),
  };
};

// Reads model and data (a large file is sampled), plans the training graph, and measures this box's rate on a small
// graph of the same model for at most a second. `model_path`: a Hugging Face folder or a .gguf (recipe.model.init
// resolved by the caller); empty: recipe.model.from_scratch.
Result<Estimate> estimate_training(const Recipe& recipe, const std::filesystem::path& model_path);

}  // namespace hearth::train
