// A SentencePiece vocabulary → the parts of a Tokenizer.
#include "model_store/tokenizers/sentencepiece.h"

#include <algorithm>

#include "model_store/tokenizers/base64.h"
#include "model_store/tokenizers/bpe.h"
#include "model_store/tokenizers/unigram.h"

namespace hearth {
namespace {

const std::string kBlank(kBlankSymbol);

Json replace_json(const std::string& what, const std::string& by) {
  return {{"type", "Replace"}, {"pattern", {{"String", what}}}, {"content", by}};
}

Json normalizer_json(const SentencePieceVocabulary& v) {
  Json steps = Json::array();
  if (!v.charsmap.empty())
    steps.push_back(
        {{"type", "Precompiled"}, {"precompiled_charsmap", encode_base64(v.charsmap)}, {"longest_match", true}});
  if (v.remove_extra_whitespaces) {
    steps.push_back({{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}});
    steps.push_back({{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}});
  }
  bool prefix = v.add_space_prefix && !v.prefix_only_at_start;
  if (prefix) steps.push_back({{"type", "Prepend"}, {"prepend", kBlank}});
  steps.push_back(replace_json(" ", kBlank));
  return {{"type", "Sequence"}, {"normalizers", std::move(steps)}};
}

Json pre_tokenizer_json(const SentencePieceVocabulary& v) {
  if (!v.add_space_prefix || !v.prefix_only_at_start) return nullptr;
  return {{"type", "Metaspace"}, {"replacement", kBlank}, {"prepend_scheme", "first"}, {"split", false}};
}

Json decoder_json(const SentencePieceVocabulary& v) {
  Json steps = Json::array({replace_json(kBlank, " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}});
  if (v.add_space_prefix) steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  return {{"type", "Sequence"}, {"decoders", std::move(steps)}};
}

Result<void> check(const SentencePieceVocabulary& v) {
  if (v.pieces.size() > kMaxVocabulary)
    return error(Code::resource_exhausted, "{} tokens are over the limit of {}", v.pieces.size(), kMaxVocabulary);
  if (v.scores.size() != v.pieces.size() || v.kinds.size() != v.pieces.size())
    return error(Code::invalid_argument, "there are {} tokens, {} scores and {} types", v.pieces.size(),
                 v.scores.size(), v.kinds.size());
  for (float score : v.scores)
    if (!(score >= -1e30F && score <= 1e30F)) return error(Code::invalid_argument, "a token's score is not a number");
  return {};
}

Result<void> add_pieces(const SentencePieceVocabulary& v, Tokenizer::Impl& out) {
  for (size_t i = 0; i < v.pieces.size(); ++i) {
    auto id = static_cast<int32_t>(i);
    PieceKind kind = v.kinds[i];
    if (v.pieces[i].empty()) continue;
    bool is_special = kind == PieceKind::control || kind == PieceKind::unknown;
    if (kind == PieceKind::unknown && !out.unk) out.unk = id;
    if (is_special || kind == PieceKind::user_defined)
      TRY(out.add_token({.id = id, .content = v.pieces[i], .special = is_special}));
    else
      TRY(out.add_piece(id, v.pieces[i]));
  }
  return {};
}

}  // namespace

Result<void> build_sentencepiece(SentencePieceVocabulary v, Tokenizer::Impl& out) {
  TRY(check(v));
  TRY(add_pieces(v, out));
  out.normalizer = TRY(Normalizer::from_json(normalizer_json(v)));
  out.pre_tokenizer = TRY(PreTokenizer::from_json(pre_tokenizer_json(v)));
  out.decoder = TRY(Decoder::from_json(decoder_json(v)));
  for (size_t i = 0; i < v.pieces.size(); ++i)
    if (v.kinds[i] != PieceKind::normal && v.kinds[i] != PieceKind::byte && v.kinds[i] != PieceKind::unused)
      v.pieces[i].clear();
  if (v.is_unigram) {
    out.model = std::make_unique<UnigramModel>(
        v.pieces, std::vector<double>(v.scores.begin(), v.scores.end()),
        UnigramOptions{.byte_fallback = v.byte_fallback, .fuse_unk = true, .unk_id = out.unk.value_or(-1)});
    return {};
  }
  auto bpe = std::make_unique<BpeModel>(
      std::move(v.pieces),
      BpeOptions{.byte_fallback = v.byte_fallback, .fuse_unk = true, .unk_id = out.unk.value_or(-1)});
  bpe->merge_by_scores(v.scores);
  out.model = std::move(bpe);
  return {};
}

}  // namespace hearth
