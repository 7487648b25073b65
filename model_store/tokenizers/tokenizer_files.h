// The files of a Hugging Face folder that make up a tokenizer: the vocabulary, and what stands beside it.
#pragma once

#include <string_view>

namespace hearth {

// Texts of files; empty: there is no such file. The first of the three vocabularies that is there counts.
struct TokenizerFiles {
  std::string_view tokenizer_json, tokenizer_model, vocab_txt;
  std::string_view tokenizer_config = {}, special_tokens_map = {}, added_tokens = {};
  std::string_view model_type = {};  // of config.json: says whose a vocab.txt is when tokenizer_config.json does not
};

}  // namespace hearth
