// Hugging Face config.json and generation_config.json ↔ ModelConfig and GenerationDefaults.
// The keys themselves are the family's business.
#include <algorithm>

#include "base/python_json.h"
#include "model_store/formats/config_json.h"
#include "model_store/formats/model_config.h"
#include "model_store/formats/sampling_defaults.h"
#include "runtime/architectures/architecture.h"

namespace hearth {
namespace {

constexpr int kMaxConfigDepth = 32;

Result<Json> parse_object(std::string_view text) {
  Json json = TRY(parse_python_json(text, kMaxConfigDepth));
  if (!json.is_object()) return error(Code::invalid_argument, "expected a JSON object, got {}", json.type_name());
  return json;
}

// The two keys that name a family must not name different ones.
Result<void> check_model_type(const Json& config, const Architecture& family) {
  const auto type = config.find("model_type");
  if (type == config.end() || !type->is_string() || *type == family.model_type()) return {};
  const std::string name = type->get<std::string>();
  const auto other = find_architecture(name);
  if (!other || (*other)->model_type() != name) return {};
  return error(Code::invalid_argument, "configuration keys \"architectures\" and \"model_type\" disagree: {} and {}",
               family.hf_architecture(), name);
}

Result<std::string> find_family(const Json& config) {
  std::string name;
  auto architectures = config.find("architectures");
  if (architectures != config.end() && !architectures->is_array() && !architectures->is_null())
    return error(Code::invalid_argument, "field \"architectures\" must be a list, got {}", architectures->type_name());
  if (architectures != config.end() && architectures->is_array() && architectures->size() == 1 &&
      (*architectures)[0].is_string())
    name = (*architectures)[0].get<std::string>();
  if (name.empty()) name = TRY(json_get<std::string>(config, "model_type"));
  const Architecture* found = TRY(find_architecture(name));
  TRY(check_model_type(config, *found));
  return std::string(found->family());
}

// Models that take pictures too: what the library takes for the text model where their configuration does not say it.
struct LargerModel {
  std::string_view model_type, text_model_type;
  bool ties_embeddings;
};
constexpr LargerModel kLargerModels[] = {{"gemma3", "gemma3_text", true},
                                         {"gemma4", "gemma4_text", true},
                                         {"mistral3", "mistral", true},
                                         {"qwen3_5", "qwen3_5_text", false},
                                         {"qwen3_5_moe", "qwen3_5_moe_text", false}};

const LargerModel* find_larger_model(const Json& json) {
  const auto type = json.find("model_type");
  if (type == json.end() || !type->is_string()) return nullptr;
  for (const LargerModel& larger : kLargerModels)
    if (*type == larger.model_type) return &larger;
  return nullptr;
}

// They keep the text model's configuration in an object of its own; text is what is run here. Whether embeddings are
// tied is the larger model's to say.
Json text_part(Json json) {
  auto text = json.find("text_config");
  if (find_family(json) || text == json.end() || !text->is_object()) return json;
  Json out = *text;
  if (!out.contains("quantization_config") && json.contains("quantization_config"))
    out["quantization_config"] = json["quantization_config"];
  if (json.contains("tie_word_embeddings")) out["tie_word_embeddings"] = json["tie_word_embeddings"];
  out.erase("architectures");
  if (const LargerModel* larger = find_larger_model(json)) {
    if (!json.contains("tie_word_embeddings")) out["tie_word_embeddings"] = larger->ties_embeddings;
    if (!out.contains("model_type")) out["model_type"] = larger->text_model_type;
  }
  return out;
}

// One id, a list of ids, or null. Ids that cannot be tokens are errors.
Result<void> append_ids(const Json& json, std::string_view key, std::vector<int32_t>& out) {
  auto it = json.find(key);
  if (it == json.end() || it->is_null()) return {};
  Json list = it->is_array() ? *it : Json::array({*it});
  if (list.size() > 1024) return error(Code::invalid_argument, "field \"{}\" lists more than 1024 ids", key);
  for (const auto& id : list) {
    if (!id.is_number_integer() || id.get<int64_t>() < -1 || id.get<int64_t>() > INT32_MAX)
      return error(Code::invalid_argument, "field \"{}\" must be a token id or a list of them", key);
    if (id.get<int64_t>() >= 0) out.push_back(id.get<int32_t>());  // -1 means none
  }
  return {};
}

Json ids_to_hf(const std::vector<int32_t>& ids) {
  return ids.size() == 1 ? Json(ids[0]) : Json(ids);
}

}  // namespace

Result<ModelConfig> config_from_hf(std::string_view config_json) {
  const Json json = text_part(TRY(parse_object(config_json)));
  ModelConfig config;
  config.family = TRY(find_family(json));
  const Architecture* family = TRY(find_architecture(config.family));
  const JsonConfigSource file(json);
  const HfSource source(file, family->hf_keys());
  TRY(source.check());
  TRY(family->read_hf(source, config));
  TRY(validate(config));
  return config;
}

Result<GenerationDefaults> generation_from_hf(std::string_view config_json, std::string_view generation_config_json) {
  GenerationDefaults out;
  TRY(append_ids(TRY(parse_object(config_json)), "eos_token_id", out.eos_ids));
  if (!generation_config_json.empty()) {
    Json json = TRY(parse_object(generation_config_json));
    TRY(append_ids(json, "eos_token_id", out.eos_ids));
    read_sampling_defaults(json, out);
  }
  std::sort(out.eos_ids.begin(), out.eos_ids.end());
  out.eos_ids.erase(std::unique(out.eos_ids.begin(), out.eos_ids.end()), out.eos_ids.end());
  return out;
}

std::string config_to_hf(const ModelConfig& config, std::string_view dtype_name, std::optional<int32_t> bos_id,
                         const std::vector<int32_t>& eos_ids) {
  Json json = {{"use_cache", true}, {"dtype", std::string(dtype_name)}, {"torch_dtype", std::string(dtype_name)}};
  if (auto architecture = find_architecture(config.family)) {
    json["model_type"] = std::string((*architecture)->model_type());
    json["architectures"] = Json::array({std::string((*architecture)->hf_architecture())});
    JsonConfigSink sink(json);
    (*architecture)->write_hf(config, sink);
  }
  if (bos_id) json["bos_token_id"] = *bos_id;
  if (!eos_ids.empty()) json["eos_token_id"] = ids_to_hf(eos_ids);
  return dump_json(json, 2) + "\n";
}

std::string generation_to_hf(const GenerationDefaults& generation, std::optional<int32_t> bos_id) {
  Json json = Json::object();
  if (bos_id) json["bos_token_id"] = *bos_id;
  if (!generation.eos_ids.empty()) json["eos_token_id"] = ids_to_hf(generation.eos_ids);
  if (generation.temperature && *generation.temperature > 0) {
    json["temperature"] = *generation.temperature;
    json["do_sample"] = true;
  }
  if (generation.top_p) json["top_p"] = *generation.top_p;
  if (generation.min_p) json["min_p"] = *generation.min_p;
  if (generation.top_k) json["top_k"] = *generation.top_k;
  if (generation.repetition_penalty) json["repetition_penalty"] = *generation.repetition_penalty;
  return dump_json(json, 2) + "\n";
}

}  // namespace hearth
