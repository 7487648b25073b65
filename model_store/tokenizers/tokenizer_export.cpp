// Tokenizer → tokenizer.json, tokenizer_config.json, GGUF vocabulary.
#include "model_store/tokenizers/tokenizer_export.h"

#include <algorithm>
#include <set>

#include "base/json.h"
#include "model_store/tokenizers/byte_level.h"
#include "model_store/tokenizers/tokenizer_impl.h"

namespace hearth {

struct TokenizerAccess {
  using Impl = Tokenizer::Impl;
  static const Impl& impl(const Tokenizer& tokenizer) { return *tokenizer.impl_; }
};

namespace {

using Ordered = nlohmann::ordered_json;

std::set<int32_t> added_ids(const TokenizerAccess::Impl& t) {
  std::set<int32_t> out;
  for (const auto& token : t.added) out.insert(token.id);
  return out;
}

Ordered split_step(const std::string& pattern) {
  return {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
}

Ordered special_part(const std::string& token) {
  return {{"SpecialToken", {{"id", token}, {"type_id", 0}}}};
}

Ordered post_processor(const TokenizerAccess::Impl& t) {
  if (t.prefix.empty() && t.suffix.empty()) return nullptr;
  Ordered single = Ordered::array(), tokens = Ordered::object();
  auto add = [&](int32_t id) {
    const std::string& text = t.text_of[id];
    single.push_back(special_part(text));
    tokens[text] = {{"id", text}, {"ids", {id}}, {"tokens", {text}}};
  };
  for (int32_t id : t.prefix) add(id);
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  for (int32_t id : t.suffix) add(id);
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", Ordered::array()}, {"special_tokens", tokens}};
}

}  // namespace

Result<std::string> tokenizer_to_json(const Tokenizer& tokenizer) {
  const TokenizerAccess::Impl& t = TokenizerAccess::impl(tokenizer);
  if (!t.normalizer.is_identity() || !t.pre_tokenizer.is_plain())
    return error(Code::unimplemented,
                 "this tokenizer normalises text or cuts it in a way that cannot be written out yet");
  auto added = added_ids(t);
  Json vocab = Json::object();
  for (size_t id = 0; id < t.text_of.size(); ++id)
    if (!t.text_of[id].empty() && !added.contains(static_cast<int32_t>(id))) vocab[t.text_of[id]] = id;
  Json merges = Json::array();
  for (const auto& [left, right] : t.merges) merges.push_back({bytes_to_symbols(left), bytes_to_symbols(right)});
  Ordered added_tokens = Ordered::array(), steps = Ordered::array();
  for (const auto& a : t.added)
    added_tokens.push_back({{"id", a.id},
                            {"content", a.content},
                            {"single_word", a.single_word},
                            {"lstrip", a.lstrip},
                            {"rstrip", a.rstrip},
                            {"normalized", a.normalized},
                            {"special", a.special}});
  for (const auto& pattern : t.pre_tokenizer.patterns()) steps.push_back(split_step(pattern));
  steps.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}});
  // Merges may yield added tokens (runs of blanks); those must stand in the vocabulary too.
  for (const auto& a : t.added)
    if (!a.special) vocab[bytes_to_symbols(a.content)] = a.id;
  std::string out =
      "{\n\"version\": \"1.0\",\n\"truncation\": null,\n\"padding\": null,\n\"added_tokens\": " + added_tokens.dump(1);
  out +=
      ",\n\"normalizer\": null,\n\"pre_tokenizer\": " + Ordered{{"type", "Sequence"}, {"pretokenizers", steps}}.dump(1);
  out += ",\n\"post_processor\": " + post_processor(t).dump(1);
  out +=
      ",\n\"decoder\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true, \"use_regex\": "
      "true}";
  Ordered model = {{"type", "BPE"},
                   {"dropout", nullptr},
                   {"unk_token", nullptr},
                   {"continuing_subword_prefix", nullptr},
                   {"end_of_word_suffix", nullptr},
                   {"fuse_unk", false},
                   {"byte_fallback", false},
                   {"ignore_merges", t.ignore_merges},
                   {"vocab", vocab},
                   {"merges", merges}};
  out += ",\n\"model\": " + model.dump(1, ' ', false, Ordered::error_handler_t::replace) + "\n}\n";
  return out;
}

std::string tokenizer_config_to_json(const Tokenizer& tokenizer, std::string_view chat_template) {
  Ordered json = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"clean_up_tokenization_spaces", false}};
  if (tokenizer.bos_id()) json["bos_token"] = tokenizer.bos_token();
  if (tokenizer.eos_id()) json["eos_token"] = tokenizer.eos_token();
  if (!chat_template.empty()) json["chat_template"] = std::string(chat_template);
  return json.dump(2, ' ', false, Ordered::error_handler_t::replace) + "\n";
}

Result<GgufVocabulary> tokenizer_to_gguf(const Tokenizer& tokenizer, int32_t n_tokens) {
  const TokenizerAccess::Impl& t = TokenizerAccess::impl(tokenizer);
  auto name = t.pre_tokenizer.gguf_name();
  if (!name || !t.normalizer.is_identity())
    return error(Code::unimplemented,
                 "GGUF has no name for the way in which this tokenizer cuts text, so the model cannot be written as "
                 "GGUF; export it as safetensors");
  GgufVocabulary out;
  out.pre = std::string(*name);
  const size_t n = std::max<size_t>(t.text_of.size(), static_cast<size_t>(std::max(n_tokens, 0)));
  out.token_types.assign(n, 1);
  for (size_t id = 0; id < n; ++id) {
    bool is_there = id < t.text_of.size() && !t.text_of[id].empty();
    out.tokens.push_back(is_there ? t.text_of[id] : "[UNUSED" + std::to_string(id) + "]");
    if (!is_there) out.token_types[id] = 5;
  }
  for (const auto& token : t.added) out.token_types[token.id] = token.special ? 3 : 4;
  for (const auto& [left, right] : t.merges)
    out.merges.push_back(bytes_to_symbols(left) + " " + bytes_to_symbols(right));
  out.add_bos = t.bos && t.prefix == std::vector<int32_t>{*t.bos};
  out.add_eos = t.eos && t.suffix == std::vector<int32_t>{*t.eos};
  if ((!t.prefix.empty() && !out.add_bos) || (!t.suffix.empty() && !out.add_eos))
    return error(Code::unimplemented,
                 "this tokenizer puts more than bos and eos around a text, which GGUF cannot say; export the model as "
                 "safetensors");
  return out;
}

}  // namespace hearth
