// The "model" member of tokenizer.json: BPE, Unigram, WordPiece, WordLevel.
#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "model_store/tokenizers/bpe.h"
#include "model_store/tokenizers/byte_level.h"
#include "model_store/tokenizers/tokenizer_json.h"
#include "model_store/tokenizers/unigram.h"
#include "model_store/tokenizers/word_piece.h"

namespace hearth {
namespace {

constexpr int64_t kMaxWordCharacters = 10'000;

Result<void> read_vocabulary_object(const Json& vocab, Tokenizer::Impl& out) {
  if (!vocab.is_object())
    return error(Code::invalid_argument, "field \"vocab\" must be an object, got {}", vocab.type_name());
  // Ids may have gaps, but not so large that a small file fills the memory.
  const auto max_id = static_cast<int64_t>(std::min(kMaxVocabulary, 2 * vocab.size() + 65'536));
  for (const auto& [text, id] : vocab.items()) {
    if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() >= max_id)
      return error(Code::invalid_argument, "the id of token \"{}\" must be an integer from 0 to {}", text.substr(0, 60),
                   max_id - 1);
    auto index = id.get<size_t>();
    if (index < out.text_of.size() && !out.text_of[index].empty())
      return error(Code::invalid_argument, "token id {} occurs twice", index);
    TRY(out.add_piece(static_cast<int64_t>(index), text));
  }
  return {};
}

// [["<unk>", 0.0], ["▁the", -3.1], ...]
Result<std::vector<double>> read_scored_vocabulary(const Json& vocab, Tokenizer::Impl& out) {
  if (!vocab.is_array())
    return error(Code::invalid_argument, "field \"vocab\" must be a list, got {}", vocab.type_name());
  if (vocab.size() > kMaxVocabulary)
    return error(Code::resource_exhausted, "{} tokens are over the limit of {}", vocab.size(), kMaxVocabulary);
  std::vector<double> scores;
  for (size_t i = 0; i < vocab.size(); ++i) {
    const Json& pair = vocab[i];
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_number())
      return error(Code::invalid_argument, "token {} of \"vocab\" must be [text, score]", i);
    TRY(out.add_piece(static_cast<int64_t>(i), pair[0].get<std::string>()));
    scores.push_back(pair[1].get<double>());
    if (!(std::abs(scores.back()) < 1e30))
      return error(Code::invalid_argument, "the score of token {} is not a number", i);
  }
  return scores;
}

Result<BpeModel::Merge> read_merge(const Json& merge, size_t index) {
  if (merge.is_string()) {
    const auto& text = merge.get_ref<const std::string&>();
    size_t blank = text.find(' ');
    if (blank == std::string::npos || blank == 0 || blank + 1 == text.size())
      return error(Code::invalid_argument, "merge number {} must be two tokens with a blank between", index);
    return BpeModel::Merge{text.substr(0, blank), text.substr(blank + 1)};
  }
  if (!merge.is_array() || merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string())
    return error(Code::invalid_argument, "merge number {} must be a string or a pair of strings", index);
  return BpeModel::Merge{merge[0].get<std::string>(), merge[1].get<std::string>()};
}

Result<std::vector<BpeModel::Merge>> read_merges(const Json& merges) {
  if (!merges.is_array())
    return error(Code::invalid_argument, "field \"merges\" must be a list, got {}", merges.type_name());
  if (merges.size() > kMaxVocabulary)
    return error(Code::resource_exhausted, "{} merges are over the limit of {}", merges.size(), kMaxVocabulary);
  std::vector<BpeModel::Merge> out;
  out.reserve(merges.size());
  for (size_t i = 0; i < merges.size(); ++i) out.push_back(TRY(read_merge(merges[i], i)));
  return out;
}

// Words of a ByteLevel pre-tokenizer are bytes, and so are then the pieces. What is not written in symbols is never a
// piece of a word.
Result<void> to_bytes(std::vector<std::string>& pieces, std::vector<BpeModel::Merge>& merges) {
  for (auto& piece : pieces) piece = symbols_to_bytes(piece).value_or("");
  for (size_t i = 0; i < merges.size(); ++i) {
    auto l = symbols_to_bytes(merges[i].left), r = symbols_to_bytes(merges[i].right);
    if (!l || !r || l->empty() || r->empty())
      return error(Code::invalid_argument, "merge number {} is not written in byte-level symbols", i);
    merges[i] = {std::move(*l), std::move(*r)};
  }
  return {};
}

Result<BpeOptions> read_bpe_options(const Json& json, const Tokenizer::Impl& t) {
  BpeOptions out;
  out.ignore_merges = TRY(json_get_or<bool>(json, "ignore_merges", false));
  out.byte_fallback = TRY(json_get_or<bool>(json, "byte_fallback", false));
  out.fuse_unk = TRY(json_get_or<bool>(json, "fuse_unk", false));
  out.continuing_prefix = TRY(json_get_or<std::string>(json, "continuing_subword_prefix", ""));
  out.end_suffix = TRY(json_get_or<std::string>(json, "end_of_word_suffix", ""));
  out.unk_id = t.unk.value_or(-1);
  // Symbols of bytes take no decoration; with one of these, words stay text written in symbols.
  out.bytes = t.pre_tokenizer.is_byte_level() && out.continuing_prefix.empty() && out.end_suffix.empty();
  if (TRY(json_get_or<double>(json, "dropout", 0)) > 0)
    return error(Code::unimplemented, "BPE with dropout gives other ids each time; set \"dropout\" to null");
  return out;
}

// Merges that would make a control token out of text.
void drop_merges(const std::set<std::string>& marks, std::vector<BpeModel::Merge>& merges) {
  if (marks.empty()) return;
  std::erase_if(merges, [&](const BpeModel::Merge& m) {
    return marks.contains(m.left) || marks.contains(m.right) || marks.contains(m.left + m.right);
  });
}

Result<void> make_bpe(const Json& json, std::vector<std::string> pieces, const std::set<std::string>& marks,
                      Tokenizer::Impl& t) {
  BpeOptions options = TRY(read_bpe_options(json, t));
  auto merges = TRY(read_merges(json_member(json, "merges")));
  drop_merges(marks, merges);
  if (options.bytes)
    TRY(to_bytes(pieces, merges));
  else
    t.pre_tokenizer.keep_symbols();
  auto bpe = std::make_unique<BpeModel>(std::move(pieces), std::move(options));
  TRY(bpe->add_merges(merges, /*strict=*/true));
  t.model = std::move(bpe);
  return {};
}

Result<void> make_word_piece(const Json& json, bool whole_words, const std::vector<std::string>& pieces,
                             Tokenizer::Impl& t) {
  WordPieceOptions options;
  options.unk_id = t.unk.value_or(-1);
  options.whole_words = whole_words;
  if (!whole_words) {
    options.continuing_prefix = TRY(json_get_or<std::string>(json, "continuing_subword_prefix", "##"));
    auto max = TRY(json_get_or<int64_t>(json, "max_input_chars_per_word", 100));
    if (max < 1 || max > kMaxWordCharacters)
      return error(Code::invalid_argument, "field \"max_input_chars_per_word\" is {}, must be 1 to {}", max,
                   kMaxWordCharacters);
    options.max_word_characters = static_cast<size_t>(max);
  } else {
    options.max_word_characters = WordPieceModel::kMaxPieceBytes;
  }
  t.model = std::make_unique<WordPieceModel>(pieces, std::move(options));
  return {};
}

}  // namespace

Result<JsonModel> read_json_vocabulary(const Json& model, Tokenizer::Impl& out) {
  if (!model.is_object())
    return error(Code::invalid_argument, "field \"model\" must be an object, got {}", model.type_name());
  JsonModel result;
  // Old files do not name the type.
  const char* usual = model.contains("merges")                 ? "BPE"
                      : json_member(model, "vocab").is_array() ? "Unigram"
                                                               : "WordPiece";
  result.type = TRY(json_get_or<std::string>(model, "type", usual));
  if (result.type == "Unigram")
    result.scores = TRY(read_scored_vocabulary(json_member(model, "vocab"), out));
  else if (result.type == "BPE" || result.type == "WordPiece" || result.type == "WordLevel")
    TRY(read_vocabulary_object(json_member(model, "vocab"), out));
  else
    return error(Code::unimplemented, "tokenizers of the type \"{}\" are not supported yet", result.type.substr(0, 60));
  result.pieces = out.text_of;
  out.n_model_pieces = json_member(model, "vocab").size();
  return result;
}

Result<void> make_json_model(const Json& json, JsonModel model, Tokenizer::Impl& t) {
  std::set<std::string> marks;
  for (size_t id = 0; id < model.pieces.size(); ++id)
    if (t.is_mark[id] && !is_plain_word(model.pieces[id]))  // text never becomes a control token by way of the model
      marks.insert(std::exchange(model.pieces[id], std::string()));
  if (model.type == "Unigram") {
    const Json& unk = json_member(json, "unk_id");
    if (!unk.is_null()) {
      auto id = TRY(json_get<int32_t>(json, "unk_id"));
      if (id < 0 || static_cast<size_t>(id) >= model.scores.size())
        return error(Code::invalid_argument, "field \"unk_id\" is {}, but there are {} tokens", id,
                     model.scores.size());
      t.unk = id;
    }
    t.pre_tokenizer.keep_symbols();
    bool byte_fallback = TRY(json_get_or<bool>(json, "byte_fallback", false));
    t.model = std::make_unique<UnigramModel>(model.pieces, std::move(model.scores),
                                             UnigramOptions{byte_fallback, true, t.unk.value_or(-1)});
    return {};
  }
  if (json.contains("unk_token") && json["unk_token"].is_string()) t.unk = t.find(json["unk_token"].get<std::string>());
  if (model.type == "BPE") return make_bpe(json, std::move(model.pieces), marks, t);
  t.pre_tokenizer.keep_symbols();
  return make_word_piece(json, model.type == "WordLevel", model.pieces, t);
}

}  // namespace hearth
