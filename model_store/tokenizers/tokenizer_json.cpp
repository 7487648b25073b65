// tokenizer.json and tokenizer_config.json → Tokenizer. The model itself: tokenizer_json_model.cpp.
#include "model_store/tokenizers/tokenizer_json.h"

#include <algorithm>

#include "base/python_json.h"

namespace hearth {
namespace {

constexpr size_t kMaxJsonBytes = size_t{256} << 20;
constexpr int kMaxJsonDepth = 32;

Result<AddedToken> read_added(const Json& json) {
  AddedToken out;
  out.id = TRY(json_get<int32_t>(json, "id"));
  out.content = TRY(json_get<std::string>(json, "content"));
  out.special = TRY(json_get_or<bool>(json, "special", false));
  out.normalized = TRY(json_get_or<bool>(json, "normalized", !out.special));
  out.lstrip = TRY(json_get_or<bool>(json, "lstrip", false));
  out.rstrip = TRY(json_get_or<bool>(json, "rstrip", false));
  out.single_word = TRY(json_get_or<bool>(json, "single_word", false));
  return out;
}

Result<void> read_added_tokens(const Json& list, Tokenizer::Impl& out) {
  if (list.is_null()) return {};
  if (!list.is_array())
    return error(Code::invalid_argument, "field \"added_tokens\" must be a list, got {}", list.type_name());
  const auto max_id = static_cast<int64_t>(out.text_of.size() + list.size() + 65'536);
  for (size_t i = 0; i < list.size(); ++i) {
    AddedToken token = TRY_WITH(read_added(list[i]), "in \"added_tokens\"[{}]", i);
    if (token.id >= max_id)
      return error(Code::invalid_argument, "the id {} in \"added_tokens\"[{}] is far outside the vocabulary", token.id,
                   i);
    TRY(out.add_token(std::move(token)));
  }
  return {};
}

Result<void> read_tokenizer(const Json& json, Tokenizer::Impl& out) {
  if (!json.is_object()) return error(Code::invalid_argument, "expected a JSON object, got {}", json.type_name());
  out.normalizer = TRY(Normalizer::from_json(json_member(json, "normalizer")));
  out.pre_tokenizer = TRY(PreTokenizer::from_json(json_member(json, "pre_tokenizer")));
  out.decoder = TRY(Decoder::from_json(json_member(json, "decoder")));
  JsonModel model = TRY_WITH(read_json_vocabulary(json_member(json, "model"), out), "in \"model\"");
  TRY(read_added_tokens(json_member(json, "added_tokens"), out));
  TRY_WITH(make_json_model(json_member(json, "model"), std::move(model), out), "in \"model\"");
  out.post_processor = TRY(PostProcessor::from_json(
      json_member(json, "post_processor"), [&](const std::string& text) { return out.find(text); },
      static_cast<int64_t>(out.text_of.size())));
  return out.finish();
}

}  // namespace

const Json& json_member(const Json& object, const char* key) {
  static const Json kNull;
  auto it = object.is_object() ? object.find(key) : object.end();
  return it == object.end() ? kNull : *it;
}

void read_tokenizer_config(const Json& json, Tokenizer::Impl& out) {
  auto named = [&](const char* key, std::optional<int32_t>& id) {
    const Json& value = json_member(json, key);
    const Json& content = value.is_object() ? json_member(value, "content") : value;
    if (content.is_string()) id = out.find(content.get<std::string>());
  };
  named("bos_token", out.bos);
  named("eos_token", out.eos);
  named("pad_token", out.pad);
}

Result<void> read_tokenizer_config_text(std::string_view text, Tokenizer::Impl& out) {
  if (!text.empty())
    read_tokenizer_config(TRY_WITH(parse_python_json(text, kMaxJsonDepth), "in tokenizer_config.json"), out);
  return {};
}

Result<Tokenizer> Tokenizer::from_json(std::string_view tokenizer_json, std::string_view tokenizer_config_json) {
  if (tokenizer_json.size() > kMaxJsonBytes)
    return error(Code::resource_exhausted, "a tokenizer of {} bytes is over the limit of {}", tokenizer_json.size(),
                 kMaxJsonBytes);
  auto impl = std::make_shared<Impl>();
  TRY_WITH(read_tokenizer(TRY_WITH(parse_json(tokenizer_json, kMaxJsonDepth), "in tokenizer.json"), *impl),
           "in tokenizer.json");
  TRY(read_tokenizer_config_text(tokenizer_config_json, *impl));
  // Without a tokenizer_config.json the post-processor still says what begins and ends a text.
  auto prefix = impl->post_processor.prefix(), suffix = impl->post_processor.suffix();
  if (!impl->bos && prefix.size() == 1) impl->bos = prefix[0];
  if (!impl->eos && suffix.size() == 1) impl->eos = suffix[0];
  return Tokenizer(std::move(impl));
}

Result<Tokenizer> Tokenizer::from_sentencepiece(std::string_view model, std::string_view tokenizer_config_json) {
  if (model.size() > kMaxJsonBytes)
    return error(Code::resource_exhausted, "a tokenizer of {} bytes is over the limit of {}", model.size(),
                 kMaxJsonBytes);
  auto impl = std::make_shared<Impl>();
  Json config = Json::object();
  if (!tokenizer_config_json.empty())
    config = TRY_WITH(parse_python_json(tokenizer_config_json, kMaxJsonDepth), "in tokenizer_config.json");
  TRY_WITH(read_sentencepiece_tokenizer(model, config, *impl), "in tokenizer.model");
  return Tokenizer(std::move(impl));
}

}  // namespace hearth
