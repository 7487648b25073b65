// tokenizer.model and tokenizer_config.json → Tokenizer.
#include "model_store/tokenizers/sentencepiece.h"
#include "model_store/tokenizers/token_sources.h"
#include "model_store/tokenizers/tokenizer_json.h"

namespace hearth {
namespace {

// Tokens that have a place of their own: it is taken from the piece that the model has there.
Result<void> add_with_ids(const std::vector<AddedToken>& tokens, size_t n_placed, SentencePieceVocabulary& v,
                          Tokenizer::Impl& out) {
  const auto max_id = static_cast<int64_t>(v.pieces.size() + tokens.size() + 65'536);
  for (size_t i = 0; i < n_placed; ++i) {
    const AddedToken& token = tokens[i];
    if (token.id >= max_id)
      return error(Code::invalid_argument, "the id {} of \"{}\" is far outside the vocabulary", token.id,
                   token.content.substr(0, 60));
    auto index = static_cast<size_t>(token.id);
    if (index < v.pieces.size()) {
      if (v.kinds[index] == PieceKind::unknown) out.unk = token.id;
      v.kinds[index] = PieceKind::unused;  // its place is taken
      v.pieces[index].clear();
    }
    TRY(out.add_token(token));
  }
  return {};
}

std::optional<int32_t> id_in(int64_t id, const Tokenizer::Impl& t) {
  bool is_there = id >= 0 && id < static_cast<int64_t>(t.text_of.size()) && !t.text_of[static_cast<size_t>(id)].empty();
  return is_there ? std::optional(static_cast<int32_t>(id)) : std::nullopt;
}

}  // namespace

Result<void> read_sentencepiece_tokenizer(const TokenizerFiles& files, const Json& config, Tokenizer::Impl& out) {
  SentencePieceFile file = TRY(read_sentencepiece_file(files.tokenizer_model));
  SentencePieceVocabulary& v = file.vocabulary;
  v.add_space_prefix = TRY(json_get_or<bool>(config, "add_prefix_space", v.add_space_prefix));
  v.prefix_only_at_start = !TRY(json_get_or<bool>(config, "legacy", true));
  const TokenSources sources = TRY(TokenSources::read(files, {}));
  TRY(add_with_ids(sources.added, sources.n_placed, v, out));
  out.n_model_pieces = v.pieces.size();
  TRY(build_sentencepiece(std::move(v), out));
  TRY(out.add_tokens(std::span(sources.added).subspan(sources.n_placed)));
  out.bos = id_in(file.bos_id, out);
  out.eos = id_in(file.eos_id, out);
  out.pad = id_in(file.pad_id, out);
  if (!out.unk) out.unk = id_in(file.unk_id, out);
  take_named(sources.named, out);
  std::vector<int32_t> before, after;
  bool is_unigram = file.vocabulary.is_unigram;
  if (TRY(json_get_or<bool>(config, "add_bos_token", !is_unigram)) && out.bos) before.push_back(*out.bos);
  if (TRY(json_get_or<bool>(config, "add_eos_token", is_unigram)) && out.eos) after.push_back(*out.eos);
  out.post_processor = PostProcessor::around(before, after);
  return out.finish();
}

}  // namespace hearth
