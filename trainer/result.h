// What a run leaves: a Hugging Face folder of the full or merged model, for LoRA the adapter in PEFT's format in it, and a
// .gguf beside it when asked. Written under a name that nobody looks for until the parity check has passed.
#pragma once

#include <filesystem>
#include <optional>

#include "trainer/model.h"

namespace hearth::train {

class PendingResult {
 public:
  PendingResult(std::filesystem::path job, std::filesystem::path served, double tolerance)
      : job_(std::move(job)), served_(std::move(served)), tolerance_(tolerance) {}

  // What serving loads: the .gguf when there is one (the least exact of the files), else the folder.
  std::filesystem::path model_path() const { return served_; }
  double tolerance() const { return tolerance_; }
  Result<std::filesystem::path> publish();  // → job/result, durable

 private:
  std::filesystem::path job_, served_;
  double tolerance_;
};

// dtype "auto": the base's own where it is f32, else bf16.
Result<PendingResult> write_result(const std::filesystem::path& job, const Recipe& recipe, const LoadedModel& base, const ModelInTraining& model);

}  // namespace hearth::train
