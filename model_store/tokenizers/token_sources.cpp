// See token_sources.h.
#include "model_store/tokenizers/token_sources.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "base/python_json.h"

namespace hearth {
namespace {

constexpr size_t kMaxAdded = 1'000'000;
constexpr int kMaxPythonDepth = 32;
constexpr const char* kNamed[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                  "pad_token", "cls_token", "mask_token"};

bool is_standard(const std::string& key) {
  return std::find(std::begin(kNamed), std::end(kNamed), key) != std::end(kNamed);
}

// The order of keys decides which of two new tokens gets the lower id.
using Ordered = nlohmann::ordered_json;

Result<Ordered> parse_ordered(std::string_view text, const char* name) {
  if (text.empty()) return Ordered::object();
  const Json plain = TRY_WITH(parse_python_json(text, kMaxPythonDepth), "in {}", name);  // says what is wrong
  Ordered out = Ordered::parse(text, nullptr, false);
  if (out.is_discarded()) out = Ordered::parse(dump_json(plain), nullptr, false);  // NaN somewhere: sorted keys
  if (!out.is_object()) return error(Code::invalid_argument, "{} must hold an object", name);
  return out;
}

Ordered member(const Ordered& object, const char* key) {
  auto it = object.find(key);
  return it == object.end() ? Ordered() : *it;
}

// A token as a string is special and taken as it stands.
Result<AddedToken> read_token(const Ordered& json) {
  if (json.is_string()) return AddedToken{.content = json.get<std::string>(), .special = true};
  if (!json.is_object())
    return error(Code::invalid_argument, "a token must be a string or an object, got {}", json.type_name());
  return read_added_token(Json::parse(json.dump()), /*special=*/!json.contains("__type"));
}

using NamedTokens = std::vector<std::pair<std::string, AddedToken>>;
void set_named(NamedTokens& list, const std::string& key, AddedToken token) {
  auto it = std::find_if(list.begin(), list.end(), [&](const auto& named) { return named.first == key; });
  if (it == list.end())
    list.emplace_back(key, std::move(token));
  else
    it->second = std::move(token);
}

class Reader {
 public:
  Reader(const Ordered& config, const Ordered& map, const Ordered& added_tokens, const std::vector<AddedToken>& own)
      : config_(config), map_(map), added_tokens_(added_tokens), own_(own) {}

  void set_default(const std::string& key, const std::string& content) {
    standard_[key] = {.content = content, .special = true};
  }

  Result<TokenSources> read() {
    TRY_WITH(read_config(), "in tokenizer_config.json");
    if (config_.contains("added_tokens_decoder")) {  // then it is all there is
      TRY_WITH(read_decoder(), "in \"added_tokens_decoder\" of tokenizer_config.json");
    } else {
      TRY_WITH(read_map(), "in special_tokens_map.json");
      TRY_WITH(read_added_tokens(), "in added_tokens.json");
      for (const AddedToken& token : own_) decoder_[token.id] = token;
    }
    if (!has_extra_) TRY(read_extra(additional_));
    return merged();
  }

 private:
  Result<void> read_config() {
    for (const auto& [key, value] : config_.items())
      TRY_WITH(read_named(key, value, value.is_string() ? further_ : first_further_), "in \"{}\"", key.substr(0, 60));
    // Of the two lists one counts: the newer name, unless it is empty.
    Ordered extra = member(config_, "extra_special_tokens");
    additional_ = member(config_, "additional_special_tokens");
    if (extra.empty() && config_.contains("additional_special_tokens")) extra = std::exchange(additional_, Ordered());
    has_extra_ = !extra.is_null() && !extra.is_object();
    return read_extra(extra);
  }

  Result<void> read_named(const std::string& key, const Ordered& value, NamedTokens& further) {
    if (!key.ends_with("_token") || !(value.is_string() || value.is_object())) return {};
    AddedToken token = TRY(read_token(value));
    if (is_standard(key))
      standard_[key] = std::move(token);
    else
      set_named(further, key, std::move(token));
    return {};
  }

  Result<void> read_extra(const Ordered& list) {
    if (list.is_object())
      for (const auto& [key, value] : list.items()) set_named(further_, key, TRY(read_token(value)));
    if (!list.is_array()) return {};
    for (const Ordered& item : list) extra_.push_back(TRY(read_token(item)));
    return {};
  }

  Result<void> read_decoder() {
    const Ordered list = member(config_, "added_tokens_decoder");
    if (!list.is_object()) return error(Code::invalid_argument, "expected an object, got {}", list.type_name());
    for (const auto& [key, json] : list.items()) {
      AddedToken token = TRY(read_added_token(Json::parse(json.dump())));
      auto [end, problem] = std::from_chars(key.data(), key.data() + key.size(), token.id);
      if (problem != std::errc() || end != key.data() + key.size() || token.id < 0)
        return error(Code::invalid_argument, "\"{}\" is no token id", key.substr(0, 60));
      decoder_[token.id] = std::move(token);
    }
    return {};
  }

  Result<void> read_map() {
    for (const auto& [key, value] : map_.items()) {
      if (key == "additional_special_tokens") {
        additional_ = value;
      } else if (key == "extra_special_tokens") {
        has_extra_ |= value.is_array();
        TRY(read_extra(value));
      } else {
        TRY_WITH(read_named(key, with_special(value), first_further_), "in \"{}\"", key.substr(0, 60));
      }
    }
    return {};
  }

  static Ordered with_special(Ordered value) {
    if (value.is_object()) value["special"] = true;
    return value;
  }

  Result<void> read_added_tokens() {
    std::set<std::string> special;
    for (const auto& [key, token] : standard_) special.insert(token.content);
    for (const AddedToken& token : extra_) special.insert(token.content);
    for (const auto& [content, id] : added_tokens_.items()) {
      if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() > INT32_MAX)
        return error(Code::invalid_argument, "the id of \"{}\" must be 0 to {}", content.substr(0, 60), INT32_MAX);
      const bool is_special = special.contains(content);
      decoder_[id.get<int32_t>()] = {
          .id = id.get<int32_t>(), .content = content, .special = is_special, .normalized = !is_special};
    }
    return {};
  }

  // Everything in the order in which it is added: by id, then by name, then the extra ones.
  Result<TokenSources> merged() {
    TokenSources out;
    std::set<std::string> known, names;
    for (const AddedToken& token : own_) known.insert(token.content);
    for (const auto& [id, token] : decoder_) {
      out.added.push_back(token);
      known.insert(token.content);
      by_text_[token.content] = &token;
    }
    out.n_placed = out.added.size();
    auto add = [&](const AddedToken& token) {
      if (!known.contains(token.content)) out.added.push_back(token);
    };
    auto add_named = [&](const std::string& key, const AddedToken& token) {
      add(token);
      names.insert(token.content);
      out.named[key] = token.content;
    };
    for (const char* key : kNamed)
      if (auto it = standard_.find(key); it != standard_.end()) add_named(key, as_added(it->second));
    for (auto& [key, token] : further_) set_named(first_further_, key, std::move(token));
    for (const auto& [key, token] : first_further_) add_named(key, token);
    for (const AddedToken& token : extra_) add(token);
    for (AddedToken& token : out.added) token.special |= names.contains(token.content);
    if (out.added.size() > kMaxAdded)
      return error(Code::resource_exhausted, "{} added tokens are over the limit of {}", out.added.size(), kMaxAdded);
    return out;
  }

  // A name stands for the token that a table describes.
  const AddedToken& as_added(const AddedToken& token) const {
    auto it = by_text_.find(token.content);
    return it == by_text_.end() ? token : *it->second;
  }

  const Ordered &config_, &map_, &added_tokens_;
  const std::vector<AddedToken>& own_;
  std::map<int32_t, AddedToken> decoder_;
  std::map<std::string, const AddedToken*> by_text_;
  std::map<std::string, AddedToken> standard_;
  NamedTokens first_further_, further_;  // names that only this model has, such as image_token
  std::vector<AddedToken> extra_;
  Ordered additional_;
  bool has_extra_ = false;
};

}  // namespace

Result<AddedToken> read_added_token(const Json& json, bool special) {
  AddedToken out;
  out.content = TRY(json_get<std::string>(json, "content"));
  out.special = TRY(json_get_or<bool>(json, "special", special));
  out.normalized = TRY(json_get_or<bool>(json, "normalized", !out.special));
  out.lstrip = TRY(json_get_or<bool>(json, "lstrip", false));
  out.rstrip = TRY(json_get_or<bool>(json, "rstrip", false));
  out.single_word = TRY(json_get_or<bool>(json, "single_word", false));
  return out;
}

Result<TokenSources> TokenSources::read(const TokenizerFiles& files, const std::vector<AddedToken>& own,
                                        const std::map<std::string, std::string>& defaults) {
  const Ordered config = TRY(parse_ordered(files.tokenizer_config, "tokenizer_config.json"));
  const Ordered map = TRY(parse_ordered(files.special_tokens_map, "special_tokens_map.json"));
  const Ordered added_tokens = TRY(parse_ordered(files.added_tokens, "added_tokens.json"));
  Reader reader(config, map, added_tokens, own);
  for (const auto& [key, content] : defaults) reader.set_default(key, content);
  return reader.read();
}

}  // namespace hearth
