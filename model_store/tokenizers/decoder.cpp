// Decoder: the steps by name.
#include "model_store/tokenizers/decoder.h"

#include <utility>

#include "base/utf8.h"
#include "model_store/tokenizers/byte_level.h"
#include "model_store/tokenizers/regex.h"
#include "model_store/tokenizers/token_model.h"

namespace hearth {
namespace {

using Place = Decoder::Place;
using Step = Decoder::Step;

constexpr size_t kMaxDecoderSteps = 64;
constexpr int kMaxDecoderDepth = 8;
constexpr int32_t kMaxStrip = 1024;

std::string replace(std::string_view text, std::string_view what, std::string_view by) {
  std::string out;
  for (size_t at = 0;;) {
    size_t found = what.empty() ? std::string_view::npos : text.find(what, at);
    out += text.substr(at, found == std::string_view::npos ? found : found - at);
    if (found == std::string_view::npos) return out;
    out += by;
    at = found + what.size();
  }
}

std::string byte_level(std::string token, Place place) {
  if (place.is_added) return token;
  auto bytes = symbols_to_bytes(token);
  return bytes ? std::move(*bytes) : token;
}

std::string byte_fallback(const std::string& token, Place) {
  int byte = byte_of_token(token);
  return byte < 0 ? token : std::string(1, static_cast<char>(byte));
}

// English text without the blanks that cutting into words has put before signs.
std::string tidy(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> kTidy[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [what, by] : kTidy) text = replace(text, what, by);
  return text;
}

Result<Step> make_metaspace(const Json& json) {
  auto mark = TRY(json_get_or<std::string>(json, "replacement", std::string(kBlankSymbol)));
  bool prefix = TRY(json_get_or<bool>(json, "add_prefix_space", true));
  bool drops = TRY(json_get_or<std::string>(json, "prepend_scheme", prefix ? "always" : "never")) != "never";
  return Step(
      [=](const std::string& token, Place place) { return replace(token, mark, drops && place.is_first ? "" : " "); });
}

Result<Step> make_replace(const Json& json) {
  auto content = TRY(json_get<std::string>(json, "content"));
  auto it = json.find("pattern");
  if (it != json.end() && it->is_object() && it->contains("String")) {
    auto what = TRY(json_get<std::string>(*it, "String"));
    return Step([=](const std::string& token, Place) { return replace(token, what, content); });
  }
  if (it == json.end() || !it->is_object() || !it->contains("Regex"))
    return error(Code::invalid_argument, "field \"pattern\" must be {{\"Regex\": ...}} or {{\"String\": ...}}");
  Regex pattern = TRY(Regex::compile(TRY(json_get<std::string>(*it, "Regex"))));
  return Step([=](std::string token, Place) {
    std::vector<Regex::Match> matches;
    if (valid_utf8_prefix(token) < token.size() || !pattern.find_all(token, matches)) return token;
    std::string out;
    size_t at = 0;
    for (auto m : matches) {
      out.append(token, at, m.begin - at).append(content);
      at = m.end;
    }
    return out.append(token, at);
  });
}

}  // namespace

Result<void> Decoder::add_strip(const Json& json) {
  auto content = TRY(json_get<std::string>(json, "content"));
  auto start = TRY(json_get_or<int32_t>(json, "start", 0)), stop = TRY(json_get_or<int32_t>(json, "stop", 0));
  if (content.empty() || start < 0 || stop < 0 || start > kMaxStrip || stop > kMaxStrip)
    return error(Code::invalid_argument, "a Strip decoder needs a content, and start and stop from 0 to {}", kMaxStrip);
  if (fused_) {
    if (stop > 0 || n_strip_ > 0)
      return error(Code::unimplemented, "a Strip decoder at the end of the whole text is not supported yet");
    strip_content_ = std::move(content);
    n_strip_ = static_cast<size_t>(start);
    return {};
  }
  steps_.emplace_back([=](const std::string& token, Place) {
    std::string_view rest = token;
    for (int32_t i = 0; i < start && rest.starts_with(content); ++i) rest.remove_prefix(content.size());
    for (int32_t i = 0; i < stop && rest.ends_with(content); ++i) rest.remove_suffix(content.size());
    return std::string(rest);
  });
  return {};
}

Result<void> Decoder::add_word_piece(const Json& json) {
  auto prefix = TRY(json_get_or<std::string>(json, "prefix", "##"));
  bool cleanup = TRY(json_get_or<bool>(json, "cleanup", true));
  looks_at_first_ = true;
  steps_.emplace_back([=](std::string token, Place place) {
    if (!place.is_first) token = token.starts_with(prefix) ? token.substr(prefix.size()) : " " + token;
    return cleanup ? tidy(std::move(token)) : token;
  });
  return {};
}

Result<void> Decoder::add(const Json& json, int depth) {
  const std::string type = TRY(json_get<std::string>(json, "type"));
  if (steps_.size() >= kMaxDecoderSteps)
    return error(Code::resource_exhausted, "more than {} decoder steps", kMaxDecoderSteps);
  if (type == "Sequence") {
    auto list = json.find("decoders");
    if (list == json.end() || !list->is_array() || depth > kMaxDecoderDepth)
      return error(Code::invalid_argument, "field \"decoders\" must be a list, nested at most {} levels",
                   kMaxDecoderDepth);
    for (const auto& item : *list) TRY(add(item, depth + 1));
    return {};
  }
  if (type == "Strip") return add_strip(json);
  if (type == "Fuse") {
    fused_ = true;
    return {};
  }
  if (fused_) return error(Code::unimplemented, "a {} decoder after Fuse is not supported yet", type.substr(0, 60));
  if (type == "WordPiece") return add_word_piece(json);
  if (type == "ByteLevel") {
    steps_.emplace_back(byte_level);
  } else if (type == "ByteFallback") {
    steps_.emplace_back(byte_fallback);
  } else if (type == "Metaspace") {
    looks_at_first_ = true;
    steps_.push_back(TRY(make_metaspace(json)));
  } else if (type == "Replace") {
    steps_.push_back(TRY(make_replace(json)));
  } else if (type == "BPEDecoder") {
    auto suffix = TRY(json_get_or<std::string>(json, "suffix", "</w>"));
    looks_at_last_ = true;
    steps_.emplace_back(
        [=](const std::string& token, Place place) { return replace(token, suffix, place.is_last ? "" : " "); });
  } else {
    return error(Code::unimplemented, "decoders of the type \"{}\" are not supported yet", type.substr(0, 60));
  }
  return {};
}

Result<Decoder> Decoder::from_json(const Json& json) {
  Decoder out;
  out.json_ = json;
  if (json.is_null()) {
    out.looks_at_first_ = true;
    out.steps_.emplace_back(
        [](std::string token, Place place) { return place.is_first ? std::move(token) : " " + token; });
    return out;
  }
  TRY_WITH(out.add(json, 0), "in \"decoder\"");
  return out;
}

std::string Decoder::bytes_of(std::string_view token, Place place) const {
  std::string out(token);
  for (const auto& step : steps_) out = step(std::move(out), place);
  return out;
}

}  // namespace hearth
