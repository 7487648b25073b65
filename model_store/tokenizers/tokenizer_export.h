// A tokenizer written out again: as tokenizer.json, or as the vocabulary of a GGUF file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model_store/formats/gguf.h"
#include "model_store/tokenizers/tokenizer.h"

namespace hearth {

// tokenizer.json and tokenizer_config.json, read back by Tokenizer::from_json to the same ids.
Result<std::string> tokenizer_to_json(const Tokenizer& tokenizer);
std::string tokenizer_config_to_json(const Tokenizer& tokenizer, std::string_view chat_template);

// The tokenizer.ggml.* metadata: at least `n_tokens` tokens, gaps are "[UNUSED<id>]". unimplemented when GGUF has no
// way to say how this tokenizer treats text.
Result<std::vector<std::pair<std::string, GgufValue>>> tokenizer_to_gguf(const Tokenizer& tokenizer, int32_t n_tokens);

}  // namespace hearth
