// PostProcessor from tokenizer.json.
#include "model_store/tokenizers/post_processor.h"

#include <algorithm>

namespace hearth {
namespace {

using Part = PostProcessor::Part;
using What = Part::What;

constexpr size_t kMaxParts = 64;
constexpr int kMaxProcessorDepth = 4;

const Json& member(const Json& object, const char* key) {
  static const Json kNull;
  auto it = object.is_object() ? object.find(key) : object.end();
  return it == object.end() ? kNull : *it;
}

}  // namespace

class PostProcessorReader {
 public:
  PostProcessorReader(PostProcessor& out, const PostProcessor::FindId& find_id, int64_t n_tokens)
      : out_(out), find_id_(find_id), n_tokens_(n_tokens) {}

  Result<void> read(const Json& json, int depth) {
    const std::string type = TRY(json_get<std::string>(json, "type"));
    if (type == "ByteLevel") return {};  // it only trims offsets
    if (type == "Sequence") {
      const Json& list = member(json, "processors");
      if (!list.is_array() || depth > kMaxProcessorDepth)
        return error(Code::invalid_argument, "field \"processors\" must be a list, nested at most {} levels",
                     kMaxProcessorDepth);
      for (const auto& item : list) TRY(read(item, depth + 1));
      return {};
    }
    if (is_set_) return error(Code::unimplemented, "two post-processors that add tokens are not supported yet");
    is_set_ = true;
    if (type == "TemplateProcessing") {
      out_.single_ = TRY(read_template(json, "single", out_.single_));
      out_.pair_ = TRY(read_template(json, "pair", out_.pair_));
      return {};
    }
    if (type == "RobertaProcessing" || type == "BertProcessing") return read_cls_sep(json, type == "BertProcessing");
    return error(Code::unimplemented, "post-processors of the type \"{}\" are not supported yet", type.substr(0, 60));
  }

 private:
  Result<int32_t> id_of(const std::string& name) const {
    if (auto id = find_id_(name)) return *id;
    return error(Code::invalid_argument, "the special token \"{}\" is not in the vocabulary", name.substr(0, 60));
  }

  // {"single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
  //  "special_tokens": {"<s>": {"ids": [1]}}}
  Result<PostProcessor::Template> read_template(const Json& json, const char* key,
                                                const PostProcessor::Template& usual) {
    const Json& parts = member(json, key);
    if (parts.is_null() || (parts.is_array() && parts.empty())) return usual;
    if (!parts.is_array() || parts.size() > kMaxParts)
      return error(Code::invalid_argument, "field \"{}\" must be a list of at most {} parts", key, kMaxParts);
    PostProcessor::Template out;
    for (const auto& part : parts) TRY(read_part(part, member(json, "special_tokens"), key, out));
    return out;
  }

  Result<void> read_part(const Json& part, const Json& special, const char* key, PostProcessor::Template& out) {
    const Json &token = member(part, "SpecialToken"), &text = member(part, "Sequence");
    if (!token.is_object() && !text.is_object())
      return error(Code::invalid_argument, "a part of \"{}\" must be a SpecialToken or a Sequence", key);
    const Json& what = token.is_object() ? token : text;
    auto name = TRY(json_get<std::string>(what, "id"));
    auto type_id = TRY(json_get_or<int32_t>(what, "type_id", 0));
    if (!token.is_object()) {
      out.push_back({name == "B" ? What::second_text : What::first_text, 0, type_id});
      return {};
    }
    const Json& ids = member(member(special, name.c_str()), "ids");
    if (!ids.is_array() || ids.size() > kMaxParts) {
      out.push_back({What::token, TRY(id_of(name)), type_id});
      return {};
    }
    for (const auto& id : ids) {
      if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() >= n_tokens_)
        return error(Code::invalid_argument, "the ids of special token \"{}\" must be in the vocabulary",
                     name.substr(0, 60));
      out.push_back({What::token, id.get<int32_t>(), type_id});
    }
    return {};
  }

  // {"cls": ["<s>", 0], "sep": ["</s>", 2]}
  Result<int32_t> read_token(const Json& json, const char* key) const {
    const Json& pair = member(json, key);
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string())
      return error(Code::invalid_argument, "field \"{}\" must be [token, id]", key);
    return id_of(pair[0].get<std::string>());
  }

  Result<void> read_cls_sep(const Json& json, bool is_bert) {
    int32_t cls = TRY(read_token(json, "cls")), sep = TRY(read_token(json, "sep"));
    int32_t second = is_bert ? 1 : 0;  // RoBERTa has one type of text, and two ends between two texts
    out_.single_ = {{What::token, cls, 0}, {What::first_text, 0, 0}, {What::token, sep, 0}};
    out_.pair_ = out_.single_;
    if (!is_bert) out_.pair_.push_back({What::token, sep, 0});
    out_.pair_.push_back({What::second_text, 0, second});
    out_.pair_.push_back({What::token, sep, second});
    return {};
  }

  PostProcessor& out_;
  const PostProcessor::FindId& find_id_;
  int64_t n_tokens_;
  bool is_set_ = false;
};

Result<PostProcessor> PostProcessor::from_json(const Json& json, const FindId& find_id, int64_t n_tokens) {
  PostProcessor out;
  if (!json.is_null()) TRY_WITH(PostProcessorReader(out, find_id, n_tokens).read(json, 0), "in \"post_processor\"");
  return out;
}

PostProcessor PostProcessor::around(const std::vector<int32_t>& before, const std::vector<int32_t>& after) {
  PostProcessor out;
  out.single_.clear();
  auto tokens = [](const std::vector<int32_t>& ids, int32_t type_id, Template& to) {
    for (int32_t id : ids) to.push_back({What::token, id, type_id});
  };
  tokens(before, 0, out.single_);
  out.single_.push_back({What::first_text});
  tokens(after, 0, out.single_);
  out.pair_ = out.single_;
  out.pair_.push_back({What::second_text, 0, 1});
  tokens(after, 1, out.pair_);
  return out;
}

std::vector<int32_t> PostProcessor::prefix() const {
  std::vector<int32_t> out;
  for (const Part& part : single_) {
    if (part.what != What::token) break;
    out.push_back(part.id);
  }
  return out;
}

std::vector<int32_t> PostProcessor::suffix() const {
  auto text = std::find_if(single_.begin(), single_.end(), [](const Part& p) { return p.what != What::token; });
  std::vector<int32_t> out;
  for (; text != single_.end(); ++text)
    if (text->what == What::token) out.push_back(text->id);
  return out;
}

}  // namespace hearth
