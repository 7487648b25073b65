// A tokenizer written out again: as tokenizer.json, or as the vocabulary of a GGUF file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "model_store/tokenizers/tokenizer.h"

namespace hearth {

// tokenizer.json and tokenizer_config.json, read back by Tokenizer::from_json to the same ids.
Result<std::string> tokenizer_to_json(const Tokenizer& tokenizer);
std::string tokenizer_config_to_json(const Tokenizer& tokenizer, std::string_view chat_template);

struct GgufVocabulary {
  std::string pre;                  // the pre-tokenizer's name
  std::vector<std::string> tokens;  // by id; gaps are "[UNUSED<id>]"
  std::vector<int32_t> token_types;
  std::vector<std::string> merges;
  bool add_bos = false, add_eos = false;
};
// unimplemented when GGUF has no name for how this tokenizer cuts text. At least `n_tokens` tokens.
Result<GgufVocabulary> tokenizer_to_gguf(const Tokenizer& tokenizer, int32_t n_tokens);

}  // namespace hearth
