// The parts of reading tokenizer.json and tokenizer.model; see Tokenizer::from_json and from_sentencepiece.
#pragma once

#include <map>
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

// bos, eos, pad and unk by their names ("eos_token").
void take_named(const std::map<std::string, std::string>& named, Tokenizer::Impl& out);

// A tokenizer.json, and how its special tokens are called where no file says it ("eos_token" → its text).
struct JsonTokenizer {
  Json json;
  std::map<std::string, std::string> names = {};
};
// With the tokens that the files beside it add.
Result<void> read_json_tokenizer(const JsonTokenizer& tokenizer, const TokenizerFiles& files, Tokenizer::Impl& out);
// A tokenizer.model, likewise.
Result<void> read_sentencepiece_tokenizer(const TokenizerFiles& files, const Json& config, Tokenizer::Impl& out);
// The tokenizer.json that stands for a BERT's vocab.txt.
Result<JsonTokenizer> read_bert_vocabulary(const TokenizerFiles& files, const Json& config);

const Json& json_member(const Json& object, const char* key);  // null when absent

}  // namespace hearth
