// Tokenizer → tokenizer.json and tokenizer_config.json.
#include <algorithm>

#include "base/json.h"
#include "model_store/tokenizers/bpe.h"
#include "model_store/tokenizers/byte_level.h"
#include "model_store/tokenizers/tokenizer_export.h"
#include "model_store/tokenizers/tokenizer_impl.h"
#include "model_store/tokenizers/unigram.h"
#include "model_store/tokenizers/word_piece.h"

namespace hearth {
namespace {

using Ordered = nlohmann::ordered_json;
using Impl = Tokenizer::Impl;

Ordered template_json(const PostProcessor::Template& parts, const Impl& t, Ordered& tokens) {
  Ordered out = Ordered::array();
  for (const auto& part : parts) {
    if (part.what != PostProcessor::Part::What::token) {
      bool is_first = part.what == PostProcessor::Part::What::first_text;
      out.push_back({{"Sequence", {{"id", is_first ? "A" : "B"}, {"type_id", part.type_id}}}});
      continue;
    }
    const std::string& text = t.text_of[part.id];
    out.push_back({{"SpecialToken", {{"id", text}, {"type_id", part.type_id}}}});
    tokens[text] = {{"id", text}, {"ids", {part.id}}, {"tokens", {text}}};
  }
  return out;
}

Ordered post_processor_json(const Impl& t) {
  if (t.post_processor.prefix().empty() && t.post_processor.suffix().empty()) return nullptr;
  Ordered tokens = Ordered::object();
  Ordered single = template_json(t.post_processor.single(), t, tokens),
          pair = template_json(t.post_processor.pair(), t, tokens);
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", tokens}};
}

Ordered added_tokens_json(const Impl& t) {
  Ordered out = Ordered::array();
  for (const auto& a : t.added)
    out.push_back({{"id", a.id},
                   {"content", a.content},
                   {"single_word", a.single_word},
                   {"lstrip", a.lstrip},
                   {"rstrip", a.rstrip},
                   {"normalized", a.normalized},
                   {"special", a.special}});
  return out;
}

Ordered unk_token(const Impl& t, int32_t id) {
  return id >= 0 ? Ordered(t.text_of[id]) : Ordered(nullptr);
}

// The symbol of a byte that occurs in no UTF-8: families without tokens for these have the symbols as added tokens.
bool is_symbol_of_no_text(std::string_view text) {
  const auto bytes = symbols_to_bytes(text);
  if (!bytes || bytes->size() != 1) return false;
  const auto b = static_cast<uint8_t>((*bytes)[0]);
  return b == 0xC0 || b == 0xC1 || b >= 0xF5;
}

// As a vocabulary spells it: empty where it would be read as the symbol of a byte.
std::string added_spelling(const Impl& t, const BpeModel& bpe, size_t id) {
  if (!bpe.options().bytes || is_symbol_of_no_text(t.text_of[id])) return t.text_of[id];
  const std::string piece = id < bpe.n_pieces() ? bpe.piece(static_cast<int32_t>(id)) : "";
  std::string text = piece.empty() ? t.text_of[id] : bytes_to_symbols(piece);
  const auto as_bytes = symbols_to_bytes(text);
  return as_bytes && as_bytes->size() == 1 ? "" : text;
}

// Pieces as a vocabulary spells them. Added tokens are among them, because the library numbers those that are not anew.
Json bpe_vocabulary(const Impl& t, const BpeModel& bpe) {
  Json out = Json::object();
  for (size_t i = 0; i < t.text_of.size(); ++i)
    if (!t.text_of[i].empty() && !t.is_added[i]) out[t.text_of[i]] = i;
  for (size_t i = 0; i < t.text_of.size(); ++i) {
    if (!t.is_added[i]) continue;
    const std::string text = added_spelling(t, bpe, i);
    if (!text.empty() && !out.contains(text)) out[text] = i;
  }
  return out;
}

Result<Ordered> bpe_json(const Impl& t, const BpeModel& bpe) {
  const BpeOptions& options = bpe.options();
  auto spelled = [&](int32_t id) { return options.bytes ? bytes_to_symbols(bpe.piece(id)) : bpe.piece(id); };
  Json merges = Json::array();
  for (const auto& merge : bpe.merges_in_order()) {
    if (!bpe.is_piece(merge.left) || !bpe.is_piece(merge.right))
      return error(Code::unimplemented,
                   "this vocabulary merges characters that are no tokens themselves, which tokenizer.json cannot say");
    merges.push_back({spelled(merge.left), spelled(merge.right)});
  }
  auto or_null = [](const std::string& text) { return text.empty() ? Ordered(nullptr) : Ordered(text); };
  return Ordered{{"type", "BPE"},
                 {"dropout", nullptr},
                 {"unk_token", options.bytes ? Ordered(nullptr) : unk_token(t, options.unk_id)},
                 {"continuing_subword_prefix", or_null(options.continuing_prefix)},
                 {"end_of_word_suffix", or_null(options.end_suffix)},
                 {"fuse_unk", options.fuse_unk},
                 {"byte_fallback", options.byte_fallback},
                 {"ignore_merges", options.ignore_merges},
                 {"vocab", bpe_vocabulary(t, bpe)},
                 {"merges", merges}};
}

Ordered unigram_json(const Impl& t, const UnigramModel& model) {
  Ordered vocab = Ordered::array();
  for (size_t id = 0; id < model.scores().size(); ++id) vocab.push_back({t.text_of[id], model.scores()[id]});
  const UnigramOptions& options = model.options();
  return {{"type", "Unigram"},
          {"unk_id", options.unk_id >= 0 ? Ordered(options.unk_id) : Ordered(nullptr)},
          {"vocab", vocab},
          {"byte_fallback", options.byte_fallback}};
}

Ordered word_piece_json(const Impl& t, const WordPieceModel& model) {
  Json vocab = Json::object();
  for (size_t id = 0; id < t.text_of.size(); ++id)
    if (!t.text_of[id].empty()) vocab[t.text_of[id]] = id;
  const WordPieceOptions& options = model.options();
  if (options.whole_words)
    return {{"type", "WordLevel"}, {"vocab", vocab}, {"unk_token", unk_token(t, options.unk_id)}};
  return {{"type", "WordPiece"},
          {"unk_token", unk_token(t, options.unk_id)},
          {"continuing_subword_prefix", options.continuing_prefix},
          {"max_input_chars_per_word", options.max_word_characters},
          {"vocab", vocab}};
}

// Without the key of our own that says how a character map is applied; the library knows one way only.
Json without_own_keys(Json normalizer) {
  if (normalizer.is_object()) normalizer.erase("longest_match");
  if (normalizer.is_object() && normalizer.contains("normalizers"))
    for (Json& step : normalizer["normalizers"]) step = without_own_keys(step);
  return normalizer;
}

Result<Ordered> model_json(const Impl& t) {
  if (const auto* bpe = dynamic_cast<const BpeModel*>(t.model.get())) return bpe_json(t, *bpe);
  if (const auto* unigram = dynamic_cast<const UnigramModel*>(t.model.get())) return unigram_json(t, *unigram);
  return word_piece_json(t, dynamic_cast<const WordPieceModel&>(*t.model));
}

}  // namespace

Result<std::string> tokenizer_to_json(const Tokenizer& tokenizer) {
  const Impl& t = tokenizer.impl();
  Ordered out = {
      {"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}, {"added_tokens", added_tokens_json(t)}};
  out["normalizer"] = without_own_keys(t.normalizer.json());
  out["pre_tokenizer"] = t.pre_tokenizer.json();
  out["post_processor"] = post_processor_json(t);
  out["decoder"] = t.decoder.json();
  out["model"] = TRY(model_json(t));
  return out.dump(1, ' ', false, Ordered::error_handler_t::replace) + "\n";
}

std::string tokenizer_config_to_json(const Tokenizer& tokenizer, std::string_view chat_template) {
  Ordered json = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"clean_up_tokenization_spaces", false}};
  if (tokenizer.bos_id()) json["bos_token"] = tokenizer.bos_token();
  if (tokenizer.eos_id()) json["eos_token"] = tokenizer.eos_token();
  if (!chat_template.empty()) json["chat_template"] = std::string(chat_template);
  return json.dump(2, ' ', false, Ordered::error_handler_t::replace) + "\n";
}

}  // namespace hearth
