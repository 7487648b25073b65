// Normalizer: the steps of tokenizer.json by name.
#include "model_store/tokenizers/normalizer.h"

#include <memory>

#include "model_store/tokenizers/base64.h"
#include "model_store/tokenizers/byte_level.h"
#include "model_store/tokenizers/charsmap.h"
#include "model_store/tokenizers/normalizer_steps.h"
#include "model_store/tokenizers/regex.h"

namespace hearth {
namespace {

using Step = Normalizer::Step;

constexpr size_t kMaxSteps = 64;
constexpr int kMaxDepth = 8;
constexpr size_t kMaxGrowth = 16;  // text after a step, in times of what it was, beside the first 64 KiB

Result<std::string> limited(std::string text, size_t n_before) {
  if (text.size() > n_before * kMaxGrowth + (64 << 10))
    return error(Code::resource_exhausted, "a normalizer made {} bytes out of {}", text.size(), n_before);
  return text;
}

Result<std::string> replace_all(const std::string& text, const Regex& pattern, const std::string& content) {
  std::vector<Regex::Match> matches;
  TRY(pattern.find_all(text, matches));
  std::string out;
  out.reserve(text.size());
  size_t at = 0;
  for (auto m : matches) {
    out.append(text, at, m.begin - at).append(content);
    at = m.end;
    if (out.size() > text.size() * kMaxGrowth + (64 << 10)) return limited(std::move(out), text.size());
  }
  return out.append(text, at);
}

Result<Step> make_replace(const Json& json) {
  auto content = TRY(json_get<std::string>(json, "content"));
  auto it = json.find("pattern");
  if (it == json.end() || !it->is_object() || !(it->contains("Regex") || it->contains("String")))
    return error(Code::invalid_argument, "field \"pattern\" must be {{\"Regex\": ...}} or {{\"String\": ...}}");
  Regex pattern = it->contains("Regex") ? TRY(Regex::compile(TRY(json_get<std::string>(*it, "Regex"))))
                                        : TRY(Regex::literal(TRY(json_get<std::string>(*it, "String"))));
  return Step([=](const std::string& text) { return replace_all(text, pattern, content); });
}

Result<Step> make_strip(const Json& json) {
  bool left = TRY(json_get_or<bool>(json, "strip_left", true)),
       right = TRY(json_get_or<bool>(json, "strip_right", true));
  return Step([=](const std::string& text) -> Result<std::string> { return strip_blanks(text, left, right); });
}

Result<Step> make_prepend(const Json& json) {
  auto prefix = TRY(json_get<std::string>(json, "prepend"));
  return Step([=](const std::string& text) { return limited(text.empty() ? text : prefix + text, text.size()); });
}

Result<Step> make_bert(const Json& json) {
  BertCleanup options;
  options.clean_text = TRY(json_get_or<bool>(json, "clean_text", true));
  options.handle_chinese_chars = TRY(json_get_or<bool>(json, "handle_chinese_chars", true));
  options.lowercase = TRY(json_get_or<bool>(json, "lowercase", true));
  options.strip_accents = TRY(json_get_or<bool>(json, "strip_accents", options.lowercase));
  return Step([=](const std::string& text) { return bert_cleanup(text, options); });
}

Result<Step> make_precompiled(const Json& json) {
  auto encoded = TRY(json_get_or<std::string>(json, "precompiled_charsmap", ""));
  if (encoded.empty()) return Step([](std::string text) -> Result<std::string> { return text; });
  auto map = std::make_shared<const Charsmap>(
      TRY_WITH(Charsmap::parse(TRY(decode_base64(encoded, Charsmap::kMaxBytes))), "in \"precompiled_charsmap\""));
  // Not Hugging Face's: files that SentencePiece itself would read say so (see sentencepiece.cpp).
  bool longest = TRY(json_get_or<bool>(json, "longest_match", false));
  return Step([=](const std::string& text) {
    return limited(longest ? map->replace_longest(text) : map->replace_graphemes(text), text.size());
  });
}

Step form_step(UnicodeForm form) {
  return [=](std::string text) -> Result<std::string> {
    size_t n = text.size();
    return limited(TRY(to_unicode_form(std::move(text), form)), n);
  };
}

template <std::string (*function)(std::string_view)>
Step plain_step() {
  return [](const std::string& text) -> Result<std::string> { return function(text); };
}

Result<Step> make_step(const std::string& type, const Json& json) {
  if (type == "NFC") return form_step(UnicodeForm::nfc);
  if (type == "NFD") return form_step(UnicodeForm::nfd);
  if (type == "NFKC") return form_step(UnicodeForm::nfkc);
  if (type == "NFKD") return form_step(UnicodeForm::nfkd);
  if (type == "Lowercase") return plain_step<to_lower>();
  if (type == "StripAccents") return plain_step<strip_accents>();
  if (type == "Nmt") return plain_step<nmt_cleanup>();
  if (type == "ByteLevel") return plain_step<bytes_to_symbols>();
  if (type == "Strip") return make_strip(json);
  if (type == "Prepend") return make_prepend(json);
  if (type == "Replace") return make_replace(json);
  if (type == "BertNormalizer") return make_bert(json);
  if (type == "Precompiled") return make_precompiled(json);
  return error(Code::unimplemented, "normalizers of the type \"{}\" are not supported yet", type.substr(0, 60));
}

}  // namespace

Result<void> Normalizer::add(const Json& json, int depth) {
  const std::string type = TRY(json_get<std::string>(json, "type"));
  if (type != "Sequence") {
    steps_.push_back(TRY(make_step(type, json)));
    if (steps_.size() > kMaxSteps) return error(Code::resource_exhausted, "more than {} normalizer steps", kMaxSteps);
    return {};
  }
  if (depth > kMaxDepth)
    return error(Code::invalid_argument, "normalizers are nested deeper than {} levels", kMaxDepth);
  auto list = json.find("normalizers");
  if (list == json.end() || !list->is_array())
    return error(Code::invalid_argument, "field \"normalizers\" must be a list");
  for (const auto& item : *list) TRY(add(item, depth + 1));
  return {};
}

Result<Normalizer> Normalizer::from_json(const Json& json) {
  Normalizer out;
  if (!json.is_null()) TRY_WITH(out.add(json, 0), "in \"normalizer\"");
  out.json_ = json;
  return out;
}

Result<std::string> Normalizer::apply(std::string text) const {
  for (const auto& step : steps_) text = TRY(step(std::move(text)));
  return text;
}

}  // namespace hearth
