// Tokenizer → the metadata of a GGUF file.
#include <algorithm>

#include "model_store/tokenizers/bpe.h"
#include "model_store/tokenizers/byte_level.h"
#include "model_store/tokenizers/pre_tokenizer_names.h"
#include "model_store/tokenizers/tokenizer_export.h"
#include "model_store/tokenizers/tokenizer_impl.h"
#include "model_store/tokenizers/unigram.h"
#include "model_store/tokenizers/word_piece.h"

namespace hearth {
namespace {

using Impl = Tokenizer::Impl;
using Metadata = std::vector<std::pair<std::string, GgufValue>>;

enum Kind : int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

Error no_way(std::string_view what) {
  return error(Code::unimplemented,
               "GGUF has no way to say {}, so the model cannot be written as GGUF; export it as safetensors", what);
}

// The steps of a component, with sequences taken apart.
void flatten(const Json& json, const char* list_name, std::vector<Json>& out) {
  if (json.is_null()) return;
  if (!json.contains(list_name)) return out.push_back(json);
  for (const auto& item : json[list_name]) flatten(item, list_name, out);
}

// How SentencePiece would bring text into shape, if that is what the normalizer and the pre-tokenizer do.
struct BlankRules {
  bool add_space_prefix = false, remove_extra = false;
};
Result<BlankRules> sentencepiece_rules(const Impl& t) {
  std::vector<Json> steps;
  flatten(t.normalizer.json(), "normalizers", steps);
  flatten(t.pre_tokenizer.json(), "pretokenizers", steps);
  BlankRules out;
  bool has_mark = false;
  const std::string blank(kBlankSymbol);
  for (const Json& step : steps) {
    auto type = step.value("type", "");
    if (type == "Prepend" && step.value("prepend", "") == blank) {
      out.add_space_prefix = true;
    } else if (type == "Replace" && step["pattern"].value("String", "") == " " && step.value("content", "") == blank) {
      has_mark = true;
    } else if (type == "Replace" && step["pattern"].value("Regex", "") == " {2,}") {
      out.remove_extra = true;
    } else if (type == "Metaspace" && step.value("replacement", blank) == blank) {
      has_mark = true;
      out.add_space_prefix |= step.value("prepend_scheme", "always") != "never";
    } else if (type == "Split" && step["pattern"].value("String", "") == " ") {
      continue;  // no blanks are left that it could cut at
    } else if (type != "Strip" && type != "WhitespaceSplit") {
      return no_way("the normalizer or pre-tokenizer " + type);
    }
  }
  if (!has_mark) return no_way("how this tokenizer treats blanks");
  return out;
}

class GgufVocabularyWriter {
 public:
  GgufVocabularyWriter(const Impl& t, int32_t n_tokens)
      : t_(t), n_(std::max<size_t>(t.text_of.size(), static_cast<size_t>(std::max(n_tokens, 0)))) {}

  Result<Metadata> write() {
    add_tokens();
    TRY(check_added_tokens());
    if (const auto* bpe = dynamic_cast<const BpeModel*>(t_.model.get()))
      TRY(bpe->options().bytes ? write_byte_level(*bpe) : write_sentencepiece_bpe(*bpe));
    else if (const auto* unigram = dynamic_cast<const UnigramModel*>(t_.model.get()))
      TRY(write_unigram(*unigram));
    else
      TRY(write_word_piece(dynamic_cast<const WordPieceModel&>(*t_.model)));
    put("tokens", std::move(tokens_));
    put("token_type", std::move(kinds_));
    put_id("bos_token_id", t_.bos);
    put_id("eos_token_id", t_.eos);
    put_id("padding_token_id", t_.pad);
    put_id("unknown_token_id", t_.unk);
    return std::move(out_);
  }

 private:
  void put(const char* key, GgufValue value) {
    out_.emplace_back(std::string("tokenizer.ggml.") + key, std::move(value));
  }
  void put_id(const char* key, std::optional<int32_t> id) {
    if (id) put(key, static_cast<uint32_t>(*id));
  }

  void add_tokens() {
    kinds_.assign(n_, kNormal);
    for (size_t id = 0; id < n_; ++id) {
      bool is_there = id < t_.text_of.size() && !t_.text_of[id].empty();
      tokens_.push_back(is_there ? t_.text_of[id] : "[UNUSED" + std::to_string(id) + "]");
      if (!is_there) kinds_[id] = kUnused;
    }
    for (const auto& token : t_.added) kinds_[token.id] = token.special ? kControl : kUserDefined;
  }

  Result<void> check_added_tokens() const {
    for (const auto& token : t_.added) {
      bool is_mask = token.content == "[MASK]";  // readers know about that one
      if (token.single_word || token.rstrip || (token.lstrip && !is_mask))
        return no_way("that the token " + token.content.substr(0, 60) + " looks at the blanks or letters beside it");
      if (token.normalized && !t_.normalizer.is_identity())
        return no_way("that the token " + token.content.substr(0, 60) + " is looked for in normalised text");
    }
    return {};
  }

  Result<void> write_bos_and_eos() {
    auto prefix = t_.post_processor.prefix(), suffix = t_.post_processor.suffix();
    bool add_bos = t_.bos && prefix == std::vector<int32_t>{*t_.bos};
    bool add_eos = t_.eos && suffix == std::vector<int32_t>{*t_.eos};
    if ((!prefix.empty() && !add_bos) || (!suffix.empty() && !add_eos))
      return no_way("that more than bos and eos are put around a text");
    put("add_bos_token", add_bos);
    put("add_eos_token", add_eos);
    return {};
  }

  Result<void> write_byte_level(const BpeModel& bpe) {
    const bool nfc = t_.normalizer.json() == Json{{"type", "NFC"}};
    if ((!nfc && !t_.normalizer.is_identity()) || !t_.pre_tokenizer.is_plain())
      return no_way("how this tokenizer normalises text or cuts it");
    auto name = gguf_pre_tokenizer_name(t_.pre_tokenizer.patterns(), bpe.options().ignore_merges, nfc);
    if (!name) return no_way("how this tokenizer cuts text");
    put("model", std::string("gpt2"));
    put("pre", std::string(*name));
    std::vector<std::string> merges;
    for (const auto& merge : bpe.merges_in_order())
      merges.push_back(bytes_to_symbols(bpe.piece(merge.left)) + " " + bytes_to_symbols(bpe.piece(merge.right)));
    put("merges", std::move(merges));
    return write_bos_and_eos();
  }

  Result<void> write_blank_rules() {
    BlankRules rules = TRY(sentencepiece_rules(t_));
    put("add_space_prefix", rules.add_space_prefix);
    put("remove_extra_whitespaces", rules.remove_extra);
    for (size_t id = 0; id < t_.text_of.size(); ++id)
      if (kinds_[id] == kNormal && byte_of_token(tokens_[id]) >= 0) kinds_[id] = kByte;
    if (t_.unk) kinds_[*t_.unk] = kUnknown;
    return write_bos_and_eos();
  }

  // There, the piece with the highest score is made first, out of any two that give it. So all merges that make a piece
  // must stand together, and none may be missing.
  Result<void> write_sentencepiece_bpe(const BpeModel& bpe) {
    auto merges = bpe.merges_in_order();
    constexpr float kNoScore = -1e9F;
    std::vector<float> scores(n_, kNoScore);
    int32_t last_id = -1, last_rank = -1, block = -1;  // a block: pieces of one score
    for (const auto& merge : merges) {
      int32_t id = merge.value.id;
      if (id != last_id && merge.value.rank != last_rank) ++block;
      auto score = static_cast<float>(-block);
      if (scores[id] != kNoScore && scores[id] != score) return no_way("the order of this tokenizer's merges");
      scores[id] = score;
      last_id = id;
      last_rank = merge.value.rank;
    }
    BpeModel again(bpe.pieces(), bpe.options());
    again.merge_by_scores(scores);
    if (again.merges_in_order().size() != merges.size()) return no_way("that some pairs of tokens do not merge");
    put("model", std::string("llama"));
    put("scores", std::move(scores));
    return write_blank_rules();
  }

  Result<void> write_unigram(const UnigramModel& model) {
    std::vector<float> scores(n_, 0);
    for (size_t id = 0; id < model.scores().size(); ++id) scores[id] = static_cast<float>(model.scores()[id]);
    put("model", std::string("t5"));
    put("scores", std::move(scores));
    return write_blank_rules();
  }

  Result<void> write_word_piece(const WordPieceModel& model) {
    const Json& normalizer = t_.normalizer.json();
    const Json& pre_tokenizer = t_.pre_tokenizer.json();
    bool is_bert = normalizer.is_object() && normalizer.value("type", "") == "BertNormalizer" &&
                   pre_tokenizer.is_object() && pre_tokenizer.value("type", "") == "BertPreTokenizer";
    if (!is_bert || model.options().whole_words || model.options().continuing_prefix != "##")
      return no_way("how this tokenizer cuts words");
    for (size_t id = 0; id < t_.text_of.size(); ++id) {
      std::string& token = tokens_[id];
      bool in_brackets = token.starts_with('[') && token.ends_with(']');
      if (kinds_[id] == kControl || in_brackets) continue;
      if (token.starts_with("##"))
        token.erase(0, 2);
      else
        token.insert(0, kBlankSymbol);
    }
    bool lowercase = normalizer.value("lowercase", true);
    const auto& strip = normalizer.contains("strip_accents") ? normalizer["strip_accents"] : Json();
    put("model", std::string("bert"));
    put("normalizer.lowercase", lowercase);
    put("normalizer.strip_accents", strip.is_boolean() ? strip.get<bool>() : lowercase);
    put_id("cls_token_id", t_.find("[CLS]"));
    put_id("seperator_token_id", t_.find("[SEP]"));
    return {};
  }

  const Impl& t_;
  size_t n_;
  std::vector<std::string> tokens_;
  std::vector<int32_t> kinds_;
  Metadata out_;
};

}  // namespace

Result<Metadata> tokenizer_to_gguf(const Tokenizer& tokenizer, int32_t n_tokens) {
  return GgufVocabularyWriter(tokenizer.impl(), n_tokens).write();
}

}  // namespace hearth
