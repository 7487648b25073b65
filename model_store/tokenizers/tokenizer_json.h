// The parts of reading tokenizer.json and tokenizer.model; see Tokenizer::from_json and from_sentencepiece.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model_store/tokenizers/tokenizer_impl.h"

namespace hearth {

// What the "model" member holds, before the added tokens say which of its pieces are control tokens.
struct JsonModel {
  std::string type;
  std::vector<std::string> pieces;  // by id, as the vocabulary spells them; an added token may be spelled otherwise
  std::vector<double> scores;       // Unigram
};
Result<JsonModel> read_json_vocabulary(const Json& model, Tokenizer::Impl& out);
Result<void> make_json_model(const Json& json, JsonModel model, Tokenizer::Impl& out);

// bos_token, eos_token and pad_token of tokenizer_config.json.
void read_tokenizer_config(const Json& json, Tokenizer::Impl& out);
Result<void> read_tokenizer_config_text(std::string_view text, Tokenizer::Impl& out);

// A tokenizer.model with the tokens that tokenizer_config.json adds (added_tokens_decoder).
Result<void> read_sentencepiece_tokenizer(std::string_view model, const Json& config, Tokenizer::Impl& out);

const Json& json_member(const Json& object, const char* key);  // null when absent

}  // namespace hearth
