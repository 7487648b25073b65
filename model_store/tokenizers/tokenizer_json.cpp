// tokenizer.json and tokenizer_config.json → Tokenizer.
#include <algorithm>

#include "base/json.h"
#include "model_store/tokenizers/byte_level.h"
#include "model_store/tokenizers/tokenizer_impl.h"

namespace hearth {
namespace {

constexpr size_t kMaxJsonBytes = size_t{256} << 20;
constexpr int kMaxJsonDepth = 32;

const Json& member(const Json& object, const char* key) {
  static const Json kNull;
  auto it = object.find(key);
  return it == object.end() ? kNull : *it;
}

Result<void> check_model_type(const Json& model) {
  if (!model.is_object())
    return error(Code::invalid_argument, "field \"model\" must be an object, got {}", model.type_name());
  std::string type = TRY(json_get_or<std::string>(model, "type", model.contains("merges") ? "BPE" : ""));
  if (type != "BPE")
    return error(Code::unimplemented, "tokenizers of the type \"{}\" are not supported yet (byte-level BPE is)",
                 type.substr(0, 60));
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!TRY(json_get_or<std::string>(model, key, "")).empty())
      return error(Code::unimplemented, "BPE with \"{}\" is not supported yet", key);
  return {};
}

Result<BpeModel::Merge> read_merge(const Json& merge, size_t index) {
  std::string left, right;
  if (merge.is_string()) {
    const auto& text = merge.get_ref<const std::string&>();
    size_t blank = text.find(' ');
    if (blank == std::string::npos || blank == 0 || blank + 1 == text.size())
      return error(Code::invalid_argument, "merge number {} must be two tokens with a blank between", index);
    left = text.substr(0, blank);
    right = text.substr(blank + 1);
  } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    left = merge[0].get<std::string>();
    right = merge[1].get<std::string>();
  } else {
    return error(Code::invalid_argument, "merge number {} must be a string or a pair of strings", index);
  }
  auto l = symbols_to_bytes(left), r = symbols_to_bytes(right);
  if (!l || !r || l->empty() || r->empty())
    return error(Code::unimplemented,
                 "merge number {} is not written in byte-level symbols; such tokenizers are not supported yet", index);
  return BpeModel::Merge{std::move(*l), std::move(*r)};
}

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

}  // namespace

// Reads the parts of one tokenizer.json into an Impl.
class TokenizerJsonReader {
 public:
  explicit TokenizerJsonReader(Tokenizer::Impl& tokenizer) : t_(tokenizer) {}

  Result<void> read(const Json& json) {
    if (!json.is_object()) return error(Code::invalid_argument, "expected a JSON object, got {}", json.type_name());
    const Json& model = member(json, "model");
    TRY(check_model_type(model));
    t_.normalizer = TRY(Normalizer::from_json(member(json, "normalizer")));
    t_.pre_tokenizer = TRY(PreTokenizer::from_json(member(json, "pre_tokenizer")));
    t_.ignore_merges = TRY(json_get_or<bool>(model, "ignore_merges", false));
    TRY(read_vocabulary(member(model, "vocab")));
    TRY(read_merges(member(model, "merges")));
    TRY(read_added_tokens(member(json, "added_tokens")));
    if (model.contains("unk_token") && model["unk_token"].is_string())
      t_.unk = id_of(model["unk_token"].get<std::string>());
    TRY_WITH(read_post_processor(member(json, "post_processor"), 0), "in \"post_processor\"");
    return t_.finish(mergeable_, /*strict_merges=*/true);
  }

  Result<void> read_config(const Json& json) {
    if (!json.is_object()) return {};
    auto named = [&](const char* key, std::optional<int32_t>& out) {
      const Json& value = member(json, key);
      const Json& content = value.is_object() ? member(value, "content") : value;
      if (content.is_string()) out = id_of(content.get<std::string>());
    };
    named("bos_token", t_.bos);
    named("eos_token", t_.eos);
    named("pad_token", t_.pad);
    return {};
  }

  std::optional<int32_t> id_of(const std::string& text) const {
    auto it = t_.id_of.find(text);
    return it == t_.id_of.end() ? std::nullopt : std::optional(it->second);
  }

 private:
  Result<void> read_vocabulary(const Json& vocab) {
    if (!vocab.is_object())
      return error(Code::invalid_argument, "field \"model.vocab\" must be an object, got {}", vocab.type_name());
    // Ids may have gaps, but not so large that a small file fills the memory.
    const int64_t max_id = static_cast<int64_t>(std::min(kMaxVocabulary, 2 * vocab.size() + 65'536));
    for (const auto& [text, id] : vocab.items()) {
      if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() >= max_id)
        return error(Code::invalid_argument, "the id of token \"{}\" must be an integer from 0 to {}",
                     text.substr(0, 60), max_id - 1);
      auto bytes = symbols_to_bytes(text);
      auto index = id.get<size_t>();
      if (index < t_.bytes_of.size() && !t_.text_of[index].empty())
        return error(Code::invalid_argument, "token id {} occurs twice", index);
      TRY(t_.add_piece(static_cast<int64_t>(index), text, bytes ? *bytes : text));
      if (index >= mergeable_.size()) mergeable_.resize(index + 1);
      if (bytes) mergeable_[index] = std::move(*bytes);
    }
    return {};
  }

  Result<void> read_merges(const Json& merges) {
    if (!merges.is_array())
      return error(Code::invalid_argument, "field \"model.merges\" must be a list, got {}", merges.type_name());
    if (merges.size() > kMaxVocabulary)
      return error(Code::resource_exhausted, "{} merges are over the limit of {}", merges.size(), kMaxVocabulary);
    t_.merges.reserve(merges.size());
    for (size_t i = 0; i < merges.size(); ++i) t_.merges.push_back(TRY(read_merge(merges[i], i)));
    return {};
  }

  Result<void> read_added_tokens(const Json& list) {
    if (list.is_null()) return {};
    if (!list.is_array())
      return error(Code::invalid_argument, "field \"added_tokens\" must be a list, got {}", list.type_name());
    const int64_t max_id = static_cast<int64_t>(t_.bytes_of.size() + list.size() + 65'536);
    for (size_t i = 0; i < list.size(); ++i) {
      AddedToken token = TRY_WITH(read_added(list[i]), "in \"added_tokens\"[{}]", i);
      if (token.id >= max_id)
        return error(Code::invalid_argument, "the id {} in \"added_tokens\"[{}] is far outside the vocabulary",
                     token.id, i);
      TRY(t_.add_token(std::move(token)));
    }
    return {};
  }

  Result<int32_t> special_id(const std::string& name) const {
    if (auto id = id_of(name)) return *id;
    return error(Code::invalid_argument, "the special token \"{}\" is not in the vocabulary", name.substr(0, 60));
  }

  // {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {...}}], "special_tokens":
  // {...}}
  Result<void> read_template(const Json& json) {
    const Json& single = member(json, "single");
    if (!single.is_array()) return error(Code::invalid_argument, "field \"single\" must be a list");
    if (single.size() > 64)
      return error(Code::invalid_argument, "field \"single\" has {} parts, the limit is 64", single.size());
    bool before_text = true;
    for (const auto& part : single) {
      if (part.is_object() && part.contains("Sequence")) {
        before_text = false;
        continue;
      }
      if (!part.is_object() || !part.contains("SpecialToken"))
        return error(Code::invalid_argument, "a part of \"single\" must be a SpecialToken or a Sequence");
      std::string name = TRY(json_get<std::string>(part["SpecialToken"], "id"));
      const Json& ids = member(member(member(json, "special_tokens"), name.c_str()), "ids");
      std::vector<int32_t>& out = before_text ? t_.prefix : t_.suffix;
      if (ids.is_array() && ids.size() <= 64) {
        for (const auto& id : ids) {
          if (!id.is_number_integer() || id.get<int64_t>() < 0 ||
              id.get<int64_t>() >= static_cast<int64_t>(t_.bytes_of.size()))
            return error(Code::invalid_argument, "the ids of special token \"{}\" must be in the vocabulary",
                         name.substr(0, 60));
          out.push_back(id.get<int32_t>());
        }
      } else {
        out.push_back(TRY(special_id(name)));
      }
    }
    return {};
  }

  // {"type": "RobertaProcessing", "cls": ["<s>", 0], "sep": ["</s>", 2]}
  Result<void> read_pair_processor(const Json& json) {
    for (auto [key, out] : {std::pair{"cls", &t_.prefix}, {"sep", &t_.suffix}}) {
      const Json& pair = member(json, key);
      if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string())
        return error(Code::invalid_argument, "field \"{}\" must be [token, id]", key);
      out->push_back(TRY(special_id(pair[0].get<std::string>())));
    }
    return {};
  }

  Result<void> read_post_processor(const Json& json, int depth) {
    if (json.is_null()) return {};
    std::string type = TRY(json_get<std::string>(json, "type"));
    if (type == "ByteLevel") return {};  // it only trims offsets
    if (type == "TemplateProcessing") return read_template(json);
    if (type == "RobertaProcessing" || type == "BertProcessing") return read_pair_processor(json);
    if (type != "Sequence")
      return error(Code::unimplemented, "post-processors of the type \"{}\" are not supported yet", type.substr(0, 60));
    const Json& list = member(json, "processors");
    if (!list.is_array() || depth > 4)
      return error(Code::invalid_argument, "field \"processors\" must be a list, nested at most 4 levels");
    for (const auto& item : list) TRY(read_post_processor(item, depth + 1));
    return {};
  }

  Tokenizer::Impl& t_;
  std::vector<std::string> mergeable_;
};

Result<Tokenizer> Tokenizer::from_json(std::string_view tokenizer_json, std::string_view tokenizer_config_json) {
  if (tokenizer_json.size() > kMaxJsonBytes)
    return error(Code::resource_exhausted, "a tokenizer of {} bytes is over the limit of {}", tokenizer_json.size(),
                 kMaxJsonBytes);
  auto impl = std::make_shared<Impl>();
  TokenizerJsonReader reader(*impl);
  TRY_WITH(reader.read(TRY_WITH(parse_json(tokenizer_json, kMaxJsonDepth), "in tokenizer.json")), "in tokenizer.json");
  if (!tokenizer_config_json.empty())
    TRY_WITH(reader.read_config(TRY_WITH(parse_json(tokenizer_config_json, kMaxJsonDepth), "in tokenizer_config.json")),
             "in tokenizer_config.json");
  // Without a tokenizer_config.json the post-processor still says what begins a text.
  if (!impl->bos && impl->prefix.size() == 1) impl->bos = impl->prefix[0];
  if (!impl->eos && impl->suffix.size() == 1) impl->eos = impl->suffix[0];
  return Tokenizer(std::move(impl));
}

}  // namespace hearth
