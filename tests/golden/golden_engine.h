// What the golden checkpoints are, and how logits are compared with those of the transformers library: for the tests of
// every device.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "model_store/formats/load.h"
#include "model_store/formats/safetensors.h"

namespace hearth::golden {

namespace fs = std::filesystem;

Json read_json(const fs::path& path);
// The folders that have a case.json, without the encoders': they have no logits (inference/encoder_test.cpp).
std::vector<fs::path> cases();
std::string case_name(const fs::path& path);
// Null, and a failure, when it cannot be read.
std::shared_ptr<const LoadedModel> load(const fs::path& path);

// What a case expects of one prompt.
struct Prompt {
  std::vector<int32_t> ids;
  TensorView logits;  // in the file
};
std::vector<Prompt> prompts_of(const TensorFile& file, const std::string& logits_name, int n);

struct Ways {
  std::string device = "cpu";
  bool by_length = false;  // the model computes differently for sequences beyond some length: an engine for each prompt
};

// Computes the logits whole, through the cache (in chunks of 5, token by token; other devices than the CPU take only
// the shortest prompt token by token) and, unless by_length, in one batch;
// prints the largest |error| of each, and expects it to be at most `tolerance` times the largest logit.
void expect_logits(const std::shared_ptr<const LoadedModel>& model, const std::vector<Prompt>& prompts,
                   const Ways& ways, double tolerance, const std::string& name);
// The same for what case.json and its expected_logits say. Of a bf16 case there are those of f32 activations, which
// every device computes, and those of the library's bf16, for the CPU alone: the looser of the two. With bf16
// activations logits are compared with those of f32 as loosely, token by token, whole and in one batch; n_far_rows
// tokens may be further off, and never the one in the middle.
void expect_logits_of_case(const fs::path& path, const std::string& device, int n_far_rows = 0);

}  // namespace hearth::golden
