// What a run leaves: result/ with the model that may be deployed - a Hugging Face folder, or a .gguf when that was
// asked for - and for LoRA result/adapter in PEFT's format, which is all there is without output.merge. Written under a
// name that nobody looks for until the parity check has passed: what is checked is what is taken into the store.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "trainer/model.h"

namespace hearth::train {

class PendingResult {
 public:
  // Something that serving may load.
  struct Served {
    std::filesystem::path path;
    double tolerance;  // of the parity check
  };
  PendingResult(std::filesystem::path job, std::vector<Served> served)
      : job_(std::move(job)), served_(std::move(served)) {}

  const std::vector<Served>& served() const { return served_; }  // the model first, then the adapter
  std::filesystem::path model_path() const { return served_[0].path; }
  double tolerance() const { return served_[0].tolerance; }
  // Where they are now, durable; in the order of served().
  Result<std::vector<std::filesystem::path>> publish();

 private:
  std::filesystem::path job_;
  std::vector<Served> served_;
};

// Before training: whether what the recipe asks for can be written of this model at all.
Result<void> check_can_write(const Recipe& recipe, const Beginning& base);
// dtype "auto": the base's own where it is f32, else bf16.
Result<PendingResult> write_result(const std::filesystem::path& job, const Recipe& recipe, const Beginning& base,
                                   const ModelInTraining& model);

}  // namespace hearth::train
