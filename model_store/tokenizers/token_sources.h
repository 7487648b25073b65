// Which tokens the files beside a vocabulary add to it: added_tokens_decoder, bos_token and its like,
// extra_special_tokens and additional_special_tokens of tokenizer_config.json, special_tokens_map.json,
// added_tokens.json. By the rules of AutoTokenizer of transformers 5, which decide who wins where they differ.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model_store/tokenizers/added_tokens.h"
#include "model_store/tokenizers/tokenizer_files.h"

namespace hearth {

struct TokenSources {
  std::vector<AddedToken> added;             // in the order in which they get their ids
  size_t n_placed = 0;                       // so many of them have an `id` from a file
  std::map<std::string, std::string> named;  // "eos_token" → its text

  // `own`: the tokens that the vocabulary's file itself adds. `defaults`: names that hold where no file gives others.
  static Result<TokenSources> read(const TokenizerFiles& files, const std::vector<AddedToken>& own,
                                   const std::map<std::string, std::string>& defaults = {});
};

// {"content": "<|im_end|>", "special": true, "lstrip": false, ...}; `special`: when the file does not say.
Result<AddedToken> read_added_token(const Json& json, bool special = false);

}  // namespace hearth
