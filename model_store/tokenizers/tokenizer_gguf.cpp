// The vocabulary inside a GGUF file → Tokenizer.
#include <algorithm>

#include "model_store/formats/gguf.h"
#include "model_store/tokenizers/bpe.h"
#include "model_store/tokenizers/byte_level.h"
#include "model_store/tokenizers/pre_tokenizer_names.h"
#include "model_store/tokenizers/sentencepiece.h"
#include "model_store/tokenizers/tokenizer_impl.h"
#include "model_store/tokenizers/word_piece.h"

namespace hearth {
namespace {

class GgufVocabularyReader {
 public:
  GgufVocabularyReader(const GgufFile& file, Tokenizer::Impl& tokenizer) : file_(file), t_(tokenizer) {}

  Result<void> read() {
    auto model = TRY(file_.string("tokenizer.ggml.model"));
    TRY(read_tokens());
    if (model == "gpt2")
      TRY(read_byte_level());
    else if (model == "llama" || model == "t5")
      TRY(read_sentencepiece(model == "t5"));
    else if (model == "gemma4")
      TRY(read_gemma4());
    else if (model == "bert")
      TRY(read_word_piece());
    else
      return error(Code::unimplemented, "vocabularies of the kind \"{}\" are not supported yet", model.substr(0, 60));
    return t_.finish();
  }

 private:
  Result<void> read_tokens() {
    tokens_ = TRY(file_.strings("tokenizer.ggml.tokens"));
    if (tokens_.size() > kMaxVocabulary)
      return error(Code::resource_exhausted, "{} tokens are over the limit of {}", tokens_.size(), kMaxVocabulary);
    kinds_.assign(tokens_.size(), PieceKind::normal);
    if (!file_.has("tokenizer.ggml.token_type")) return {};
    auto kinds = TRY(file_.integers("tokenizer.ggml.token_type"));
    if (kinds.size() != tokens_.size())
      return error(Code::invalid_argument, "tokenizer.ggml.token_type has {} entries for {} tokens", kinds.size(),
                   tokens_.size());
    for (size_t i = 0; i < kinds.size(); ++i)
      if (kinds[i] >= 1 && kinds[i] <= 6) kinds_[i] = static_cast<PieceKind>(kinds[i]);
    return {};
  }

  static bool is_special(PieceKind kind) { return kind == PieceKind::control || kind == PieceKind::unknown; }

  // ---- byte-level BPE

  Result<void> read_byte_level() {
    auto name = TRY(file_.string_or("tokenizer.ggml.pre", "default"));
    NamedPreTokenizer named = TRY(find_pre_tokenizer(name));
    t_.pre_tokenizer = TRY(PreTokenizer::from_json(pre_tokenizer_json(named)));
    if (named.nfc) t_.normalizer = TRY(Normalizer::from_json({{"type", "NFC"}}));
    t_.decoder = TRY(Decoder::from_json(
        {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}}));
    std::vector<std::string> bytes(tokens_.size());
    for (size_t i = 0; i < tokens_.size(); ++i) {
      auto id = static_cast<int32_t>(i);
      std::string text(tokens_[i]);
      if (is_special(kinds_[i]) || kinds_[i] == PieceKind::user_defined) {
        TRY(t_.add_token({.id = id, .content = text, .special = is_special(kinds_[i]), .lstrip = is_mask(name, i)}));
        // Merges may yield what a user has defined, but no control marks: runs of blanks, for example.
        if (!t_.is_mark[i]) bytes[i] = std::move(text);
      } else {
        if (auto raw = symbols_to_bytes(text)) bytes[i] = std::move(*raw);
        TRY(t_.add_piece(id, std::move(text)));
      }
    }
    TRY(read_special_ids(named.adds_bos, false));
    auto bpe = std::make_unique<BpeModel>(
        std::move(bytes),
        BpeOptions{.bytes = true, .ignore_merges = named.ignore_merges, .unk_id = t_.unk.value_or(-1)});
    TRY(bpe->add_merges(TRY(read_merges(/*as_symbols=*/true)), /*strict=*/false));
    t_.model = std::move(bpe);
    return {};
  }

  // RoBERTa's mask takes the blank before it, which the metadata cannot say.
  bool is_mask(std::string_view name, size_t i) const {
    return tokens_[i] == "<mask>" && (name.starts_with("jina-v2") || name.starts_with("roberta"));
  }

  Result<std::vector<BpeModel::Merge>> read_merges(bool as_symbols) {
    auto merges = TRY(file_.strings("tokenizer.ggml.merges"));
    if (merges.size() > kMaxVocabulary)
      return error(Code::resource_exhausted, "{} merges are over the limit of {}", merges.size(), kMaxVocabulary);
    std::vector<BpeModel::Merge> out;
    out.reserve(merges.size());
    for (size_t i = 0; i < merges.size(); ++i) {
      size_t blank = merges[i].find(' ', 1);
      if (blank == std::string_view::npos)
        return error(Code::invalid_argument, "merge number {} must be two tokens with a blank between", i);
      std::string_view left = merges[i].substr(0, blank), right = merges[i].substr(blank + 1);
      if (!as_symbols) {
        out.push_back({std::string(left), std::string(right)});
        continue;
      }
      auto l = symbols_to_bytes(left), r = symbols_to_bytes(right);
      if (!l || !r || l->empty() || r->empty())
        return error(Code::invalid_argument, "merge number {} is not written in byte-level symbols", i);
      out.push_back({std::move(*l), std::move(*r)});
    }
    return out;
  }

  // ---- SentencePiece

  Result<SentencePieceVocabulary> sentencepiece_vocabulary() {
    SentencePieceVocabulary v;
    v.pieces.assign(tokens_.begin(), tokens_.end());
    v.kinds = kinds_;
    v.byte_fallback = std::find(kinds_.begin(), kinds_.end(), PieceKind::byte) != kinds_.end();
    v.add_space_prefix = TRY(file_.boolean_or("tokenizer.ggml.add_space_prefix", true));
    v.remove_extra_whitespaces = TRY(file_.boolean_or("tokenizer.ggml.remove_extra_whitespaces", false));
    return v;
  }

  Result<void> read_sentencepiece(bool is_unigram) {
    SentencePieceVocabulary v = TRY(sentencepiece_vocabulary());
    v.is_unigram = is_unigram;
    for (double score : TRY(file_.numbers("tokenizer.ggml.scores"))) v.scores.push_back(static_cast<float>(score));
    if (file_.has("tokenizer.ggml.precompiled_charsmap"))
      for (int64_t byte : TRY(file_.integers("tokenizer.ggml.precompiled_charsmap")))
        v.charsmap.push_back(static_cast<char>(byte));
    TRY(build_sentencepiece(std::move(v), t_));
    return read_special_ids(!is_unigram, is_unigram);
  }

  // SentencePiece's spelling with merges of its own, in the order of the file.
  Result<void> read_gemma4() {
    SentencePieceVocabulary v = TRY(sentencepiece_vocabulary());
    v.add_space_prefix = false;
    v.byte_fallback = true;
    v.scores.assign(tokens_.size(), 0);
    std::vector<std::string> pieces = v.pieces;
    TRY(build_sentencepiece(std::move(v), t_));
    TRY(read_special_ids(true, false));
    for (size_t i = 0; i < pieces.size(); ++i)
      if (t_.is_mark[i]) pieces[i].clear();
    auto bpe = std::make_unique<BpeModel>(
        std::move(pieces), BpeOptions{.byte_fallback = true, .fuse_unk = true, .unk_id = t_.unk.value_or(-1)});
    TRY(bpe->add_merges(TRY(read_merges(/*as_symbols=*/false)), /*strict=*/false));
    t_.model = std::move(bpe);
    return {};
  }

  // ---- WordPiece

  // The file spells "word" as "▁word" and "##ing" as "ing"; what is in brackets stays.
  static std::string word_piece_text(std::string_view token, PieceKind kind) {
    if (token.starts_with(kBlankSymbol)) return std::string(token.substr(kBlankSymbol.size()));
    if (is_special(kind) || (token.starts_with('[') && token.ends_with(']'))) return std::string(token);
    return "##" + std::string(token);
  }

  Result<void> read_word_piece() {
    for (size_t i = 0; i < tokens_.size(); ++i) {
      auto id = static_cast<int32_t>(i);
      std::string text = word_piece_text(tokens_[i], kinds_[i]);
      if (is_special(kinds_[i]))
        TRY(t_.add_token({.id = id, .content = std::move(text), .special = true, .lstrip = tokens_[i] == "[MASK]"}));
      else
        TRY(t_.add_piece(id, std::move(text)));
    }
    bool lowercase = TRY(file_.boolean_or("tokenizer.ggml.normalizer.lowercase", true));
    bool strip = TRY(file_.boolean_or("tokenizer.ggml.normalizer.strip_accents", lowercase));
    t_.normalizer = TRY(Normalizer::from_json({{"type", "BertNormalizer"},
                                               {"clean_text", true},
                                               {"handle_chinese_chars", true},
                                               {"strip_accents", strip},
                                               {"lowercase", lowercase}}));
    t_.pre_tokenizer = TRY(PreTokenizer::from_json({{"type", "BertPreTokenizer"}}));
    t_.decoder = TRY(Decoder::from_json({{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}));
    TRY(read_special_ids(false, false));
    t_.unk = t_.unk ? t_.unk : t_.find("[UNK]");
    TRY(read_cls_and_sep());
    t_.model = std::make_unique<WordPieceModel>(t_.matchable_pieces(), WordPieceOptions{.unk_id = t_.unk.value_or(-1)});
    return {};
  }

  Result<void> read_cls_and_sep() {
    std::optional<int32_t> cls = t_.find("[CLS]"), sep = t_.find("[SEP]");
    TRY(read_id("tokenizer.ggml.cls_token_id", cls));
    TRY(read_id("tokenizer.ggml.seperator_token_id", sep));  // spelled like this in the files
    if (!t_.bos) t_.bos = cls;
    if (!t_.eos) t_.eos = sep;
    std::vector<int32_t> before, after;
    if (cls) before.push_back(*cls);
    if (sep) after.push_back(*sep);
    t_.post_processor = PostProcessor::around(before, after);
    return {};
  }

  // ---- what all kinds have

  Result<void> read_id(const char* key, std::optional<int32_t>& out) {
    if (!file_.has(key)) return {};
    int64_t id = TRY(file_.integer(key));
    if (id < 0 || id == INT64_C(0xFFFFFFFF)) return {};  // how some converters say "none"
    if (id >= static_cast<int64_t>(t_.text_of.size()))
      return error(Code::invalid_argument, "{} is {}, but there are {} tokens", key, id, t_.text_of.size());
    out = static_cast<int32_t>(id);
    return {};
  }

  Result<void> read_special_ids(bool adds_bos, bool adds_eos) {
    TRY(read_id("tokenizer.ggml.bos_token_id", t_.bos));
    TRY(read_id("tokenizer.ggml.eos_token_id", t_.eos));
    TRY(read_id("tokenizer.ggml.padding_token_id", t_.pad));
    TRY(read_id("tokenizer.ggml.unknown_token_id", t_.unk));
    // Ends and beginnings are control tokens even where the file forgets to say so.
    for (auto id : {t_.bos, t_.eos})
      if (id) t_.special[*id] = true;
    std::vector<int32_t> before, after;
    if (TRY(file_.boolean_or("tokenizer.ggml.add_bos_token", adds_bos)) && t_.bos) before.push_back(*t_.bos);
    if (TRY(file_.boolean_or("tokenizer.ggml.add_eos_token", adds_eos)) && t_.eos) after.push_back(*t_.eos);
    t_.post_processor = PostProcessor::around(before, after);
    return {};
  }

  const GgufFile& file_;
  Tokenizer::Impl& t_;
  std::vector<std::string_view> tokens_;
  std::vector<PieceKind> kinds_;
};

}  // namespace

Result<Tokenizer> Tokenizer::from_gguf(const GgufFile& file) {
  auto impl = std::make_shared<Impl>();
  TRY_WITH(GgufVocabularyReader(file, *impl).read(), "in the vocabulary");
  return Tokenizer(std::move(impl));
}

}  // namespace hearth
