// Normaliser steps: NFC, NFD, NFKC, NFKD (ICU), Lowercase, Strip, Prepend, Replace, Sequence.
#include "model_store/tokenizers/normalizer.h"

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include "model_store/tokenizers/regex.h"
#include "model_store/tokenizers/utf8.h"

namespace hearth {
namespace {

class UnicodeForm : public NormalizerStep {
 public:
  UnicodeForm(const char* data, UNormalization2Mode mode) : data_(data), mode_(mode) {}
  Result<std::string> apply(std::string text) const override {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* form = icu::Normalizer2::getInstance(nullptr, data_, mode_, status);
    if (U_FAILURE(status))
      return error(Code::internal, "Unicode normalisation data is missing: {}", u_errorName(status));
    if (form->isNormalizedUTF8(text, status) && U_SUCCESS(status)) return text;
    status = U_ZERO_ERROR;
    std::string out;
    icu::StringByteSink<std::string> sink(&out, static_cast<int32_t>(text.size()));
    form->normalizeUTF8(0, text, sink, nullptr, status);
    if (U_FAILURE(status)) return error(Code::internal, "Unicode normalisation failed: {}", u_errorName(status));
    return out;
  }

 private:
  const char* data_;
  UNormalization2Mode mode_;
};

class Lowercase : public NormalizerStep {
 public:
  Result<std::string> apply(std::string text) const override {
    UErrorCode status = U_ZERO_ERROR;
    std::string out;
    icu::StringByteSink<std::string> sink(&out, static_cast<int32_t>(text.size()));
    icu::CaseMap::utf8ToLower("", 0, text, sink, nullptr, status);
    if (U_FAILURE(status)) return error(Code::internal, "lowercasing failed: {}", u_errorName(status));
    return out;
  }
};

class Strip : public NormalizerStep {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  Result<std::string> apply(std::string text) const override {
    std::string_view rest = text;
    while (left_ && !rest.empty()) {
      Utf8Char c = decode_utf8(rest);
      if (c.n_bytes == 0 || !u_isUWhiteSpace(static_cast<UChar32>(c.code_point))) break;
      rest.remove_prefix(c.n_bytes);
    }
    while (right_ && !rest.empty()) {
      size_t begin = rest.size() - 1;
      while (begin > 0 && (rest[begin] & 0xC0) == 0x80) --begin;
      Utf8Char c = decode_utf8(rest.substr(begin));
      if (c.n_bytes == 0 || !u_isUWhiteSpace(static_cast<UChar32>(c.code_point))) break;
      rest = rest.substr(0, begin);
    }
    return std::string(rest);
  }

 private:
  bool left_, right_;
};

class Prepend : public NormalizerStep {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}
  Result<std::string> apply(std::string text) const override { return text.empty() ? text : prefix_ + text; }

 private:
  std::string prefix_;
};

class Replace : public NormalizerStep {
 public:
  Replace(Regex pattern, std::string content) : pattern_(std::move(pattern)), content_(std::move(content)) {}
  Result<std::string> apply(std::string text) const override {
    std::vector<Regex::Match> matches;
    TRY(pattern_.find_all(text, matches));
    std::string out;
    size_t at = 0;
    for (auto m : matches) {
      out.append(text, at, m.begin - at).append(content_);
      at = m.end;
    }
    return out.append(text, at);
  }

 private:
  Regex pattern_;
  std::string content_;
};

Result<Regex> read_pattern(const Json& json) {
  auto it = json.find("pattern");
  if (it != json.end() && it->is_object()) {
    if (it->contains("Regex")) return Regex::compile(TRY(json_get<std::string>(*it, "Regex")));
    if (it->contains("String")) return Regex::literal(TRY(json_get<std::string>(*it, "String")));
  }
  return error(Code::invalid_argument, "field \"pattern\" must be {{\"Regex\": ...}} or {{\"String\": ...}}");
}

Result<std::shared_ptr<const NormalizerStep>> make_step(const std::string& type, const Json& json) {
  using Step = std::shared_ptr<const NormalizerStep>;
  if (type == "NFC") return Step(std::make_shared<UnicodeForm>("nfc", UNORM2_COMPOSE));
  if (type == "NFD") return Step(std::make_shared<UnicodeForm>("nfc", UNORM2_DECOMPOSE));
  if (type == "NFKC") return Step(std::make_shared<UnicodeForm>("nfkc", UNORM2_COMPOSE));
  if (type == "NFKD") return Step(std::make_shared<UnicodeForm>("nfkc", UNORM2_DECOMPOSE));
  if (type == "Lowercase") return Step(std::make_shared<Lowercase>());
  if (type == "Strip")
    return Step(std::make_shared<Strip>(TRY(json_get_or<bool>(json, "strip_left", true)),
                                        TRY(json_get_or<bool>(json, "strip_right", true))));
  if (type == "Prepend") return Step(std::make_shared<Prepend>(TRY(json_get<std::string>(json, "prepend"))));
  if (type == "Replace")
    return Step(std::make_shared<Replace>(TRY(read_pattern(json)), TRY(json_get<std::string>(json, "content"))));
  return error(Code::unimplemented, "normalizers of the type \"{}\" are not supported yet", type.substr(0, 60));
}

}  // namespace

Result<void> Normalizer::add(const Json& json, int depth) {
  std::string type = TRY(json_get<std::string>(json, "type"));
  if (type != "Sequence") {
    steps_.push_back(TRY(make_step(type, json)));
    if (steps_.size() > 64) return error(Code::resource_exhausted, "more than 64 normalizer steps");
    return {};
  }
  if (depth > 8) return error(Code::invalid_argument, "normalizers are nested deeper than 8 levels");
  auto list = json.find("normalizers");
  if (list == json.end() || !list->is_array())
    return error(Code::invalid_argument, "field \"normalizers\" must be a list");
  for (const auto& item : *list) TRY(add(item, depth + 1));
  return {};
}

Result<Normalizer> Normalizer::from_json(const Json& json) {
  Normalizer out;
  if (!json.is_null()) TRY_WITH(out.add(json, 0), "in \"normalizer\"");
  return out;
}

Result<std::string> Normalizer::apply(std::string text) const {
  for (const auto& step : steps_) text = TRY(step->apply(std::move(text)));
  return text;
}

}  // namespace hearth
