// tokenizer.model and tokenizer_config.json → Tokenizer.
#include <charconv>

#include "model_store/tokenizers/sentencepiece.h"
#include "model_store/tokenizers/tokenizer_json.h"

namespace hearth {
namespace {

// {"added_tokens_decoder": {"32000": {"content": "<|im_end|>", "special": true, "lstrip": false, ...}}}
Result<void> read_added(const Json& config, SentencePieceVocabulary& v, Tokenizer::Impl& out) {
  const Json& added = json_member(config, "added_tokens_decoder");
  if (!added.is_object()) return {};
  const auto max_id = static_cast<int64_t>(v.pieces.size() + added.size() + 65'536);
  for (const auto& [key, json] : added.items()) {
    AddedToken token;
    auto [end, problem] = std::from_chars(key.data(), key.data() + key.size(), token.id);
    if (problem != std::errc() || end != key.data() + key.size() || token.id < 0 || token.id >= max_id)
      return error(Code::invalid_argument, "\"{}\" in \"added_tokens_decoder\" is no token id", key.substr(0, 60));
    token.content = TRY(json_get<std::string>(json, "content"));
    token.special = TRY(json_get_or<bool>(json, "special", false));
    token.normalized = TRY(json_get_or<bool>(json, "normalized", !token.special));
    token.lstrip = TRY(json_get_or<bool>(json, "lstrip", false));
    token.rstrip = TRY(json_get_or<bool>(json, "rstrip", false));
    token.single_word = TRY(json_get_or<bool>(json, "single_word", false));
    auto index = static_cast<size_t>(token.id);
    if (index < v.pieces.size()) {
      if (v.kinds[index] == PieceKind::unknown) out.unk = token.id;
      v.kinds[index] = PieceKind::unused;  // its place is taken
      v.pieces[index].clear();
    }
    TRY(out.add_token(std::move(token)));
  }
  return {};
}

std::optional<int32_t> id_in(int64_t id, const Tokenizer::Impl& t) {
  bool is_there = id >= 0 && id < static_cast<int64_t>(t.text_of.size()) && !t.text_of[static_cast<size_t>(id)].empty();
  return is_there ? std::optional(static_cast<int32_t>(id)) : std::nullopt;
}

}  // namespace

Result<void> read_sentencepiece_tokenizer(std::string_view model, const Json& config, Tokenizer::Impl& out) {
  SentencePieceFile file = TRY(read_sentencepiece_file(model));
  SentencePieceVocabulary& v = file.vocabulary;
  v.add_space_prefix = TRY(json_get_or<bool>(config, "add_prefix_space", v.add_space_prefix));
  v.prefix_only_at_start = !TRY(json_get_or<bool>(config, "legacy", true));
  TRY(read_added(config, v, out));
  TRY(build_sentencepiece(std::move(v), out));
  out.bos = id_in(file.bos_id, out);
  out.eos = id_in(file.eos_id, out);
  out.pad = id_in(file.pad_id, out);
  if (!out.unk) out.unk = id_in(file.unk_id, out);
  read_tokenizer_config(config, out);
  std::vector<int32_t> before, after;
  bool is_unigram = file.vocabulary.is_unigram;
  if (TRY(json_get_or<bool>(config, "add_bos_token", !is_unigram)) && out.bos) before.push_back(*out.bos);
  if (TRY(json_get_or<bool>(config, "add_eos_token", is_unigram)) && out.eos) after.push_back(*out.eos);
  out.post_processor = PostProcessor::around(before, after);
  return out.finish();
}

}  // namespace hearth
