// tokenizer.json and tokenizer_config.json → Tokenizer. The model itself: tokenizer_json_model.cpp.
#include "model_store/tokenizers/tokenizer_json.h"

#include "model_store/tokenizers/token_sources.h"

#include "base/python_json.h"

namespace hearth {
namespace {

constexpr size_t kMaxJsonBytes = size_t{256} << 20;
constexpr int kMaxJsonDepth = 32;

Result<std::vector<AddedToken>> read_own_tokens(const Json& list) {
  std::vector<AddedToken> out;
  if (list.is_null()) return out;
  if (!list.is_array())
    return error(Code::invalid_argument, "field \"added_tokens\" must be a list, got {}", list.type_name());
  for (size_t i = 0; i < list.size(); ++i) {
    out.push_back(TRY_WITH(read_added_token(list[i]), "in \"added_tokens\"[{}]", i));
    out.back().id = TRY_WITH(json_get<int32_t>(list[i], "id"), "in \"added_tokens\"[{}]", i);
  }
  return out;
}

}  // namespace

const Json& json_member(const Json& object, const char* key) {
  static const Json kNull;
  auto it = object.is_object() ? object.find(key) : object.end();
  return it == object.end() ? kNull : *it;
}

void take_named(const std::map<std::string, std::string>& named, Tokenizer::Impl& out) {
  auto take = [&](const char* key, std::optional<int32_t>& id) {
    if (auto it = named.find(key); it != named.end()) id = out.find(it->second);
  };
  take("bos_token", out.bos);
  take("eos_token", out.eos);
  take("pad_token", out.pad);
}

Result<void> read_json_tokenizer(const JsonTokenizer& tokenizer, const TokenizerFiles& files, Tokenizer::Impl& out) {
  const Json& json = tokenizer.json;
  if (!json.is_object()) return error(Code::invalid_argument, "expected a JSON object, got {}", json.type_name());
  out.normalizer = TRY(Normalizer::from_json(json_member(json, "normalizer")));
  out.pre_tokenizer = TRY(PreTokenizer::from_json(json_member(json, "pre_tokenizer")));
  out.decoder = TRY(Decoder::from_json(json_member(json, "decoder")));
  JsonModel model = TRY_WITH(read_json_vocabulary(json_member(json, "model"), out), "in \"model\"");
  const std::vector<AddedToken> own = TRY(read_own_tokens(json_member(json, "added_tokens")));
  const TokenSources sources = TRY(TokenSources::read(files, own, tokenizer.names));
  TRY(out.add_tokens(own));
  TRY(out.add_tokens(sources.added));
  TRY_WITH(make_json_model(json_member(json, "model"), std::move(model), out), "in \"model\"");
  out.post_processor = TRY(PostProcessor::from_json(
      json_member(json, "post_processor"), [&](const std::string& text) { return out.find(text); },
      static_cast<int64_t>(out.text_of.size())));
  take_named(sources.named, out);
  // Where no file names them, the post-processor still says what begins and ends a text.
  auto prefix = out.post_processor.prefix(), suffix = out.post_processor.suffix();
  if (!out.bos && prefix.size() == 1) out.bos = prefix[0];
  if (!out.eos && suffix.size() == 1) out.eos = suffix[0];
  return out.finish();
}

static Result<void> read_files(const TokenizerFiles& files, Tokenizer::Impl& out) {
  Json config = Json::object();
  if (!files.tokenizer_config.empty())
    config = TRY_WITH(parse_python_json(files.tokenizer_config, kMaxJsonDepth), "in tokenizer_config.json");
  if (!files.tokenizer_json.empty()) {
    const JsonTokenizer tokenizer{TRY_WITH(parse_json(files.tokenizer_json, kMaxJsonDepth), "in tokenizer.json")};
    TRY_WITH(read_json_tokenizer(tokenizer, files, out), "in tokenizer.json");
  } else if (!files.tokenizer_model.empty()) {
    TRY_WITH(read_sentencepiece_tokenizer(files, config, out), "in tokenizer.model");
  } else {
    TRY_WITH(read_json_tokenizer(TRY_WITH(read_bert_vocabulary(files, config), "in vocab.txt"), files, out),
             "in vocab.txt");
  }
  return {};
}

Result<Tokenizer> Tokenizer::from_files(const TokenizerFiles& files) {
  for (std::string_view text : {files.tokenizer_json, files.tokenizer_model, files.vocab_txt})
    if (text.size() > kMaxJsonBytes)
      return error(Code::resource_exhausted, "a tokenizer of {} bytes is over the limit of {}", text.size(),
                   kMaxJsonBytes);
  auto impl = std::make_shared<Impl>();
  TRY(read_files(files, *impl));
  return Tokenizer(std::move(impl));
}

Result<Tokenizer> Tokenizer::from_json(std::string_view tokenizer_json, std::string_view tokenizer_config_json) {
  return from_files({.tokenizer_json = tokenizer_json.empty() ? std::string_view(" ") : tokenizer_json,
                     .tokenizer_config = tokenizer_config_json});
}

Result<Tokenizer> Tokenizer::from_sentencepiece(std::string_view model, std::string_view tokenizer_config_json) {
  return from_files({.tokenizer_model = model.empty() ? std::string_view("\0", 1) : model,
                     .tokenizer_config = tokenizer_config_json});
}

}  // namespace hearth
