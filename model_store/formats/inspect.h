// What a model file says about itself, from its headers alone (weights are not read).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace hearth {

struct ModelFacts {
  std::string format;       // safetensors | gguf | peft
  std::string family;       // the architecture's name: llama, qwen3, ...; as the file spells it when not known here
  std::string name;         // what the file calls itself, perhaps empty
  uint64_t n_params = 0;    // numbers stored, whatever their width
  std::string dtype;        // of most weights by count: f32, f16, bf16, q8_0, q4_0, ...
  int64_t max_seq_len = 0;  // 0: not stated
  int64_t vocab_size = 0;   // 0: not stated
  bool has_chat_template = false;
  bool has_tokenizer = false;
  bool is_supported = false;  // this build can run it; otherwise why_not says what is missing
  std::string why_not;
  uint64_t size_bytes = 0;  // of all files of the model
};

// `path`: a Hugging Face folder, a PEFT adapter folder, or a .gguf file.
Result<ModelFacts> inspect_model(const std::filesystem::path& path);

}  // namespace hearth
