// Hugging Face config.json and generation_config.json ↔ ModelConfig and GenerationDefaults.
// Two spellings of position scaling are read: rope_theta + rope_scaling (older) and rope_parameters (newer).
#include <algorithm>

#include "base/json.h"
#include "model_store/formats/model_config.h"
#include "runtime/architectures/architecture.h"

namespace hearth {
namespace {

constexpr int kMaxConfigDepth = 32;

Result<Json> parse_object(std::string_view text) {
  Json json = TRY(parse_json(text, kMaxConfigDepth));
  if (!json.is_object()) return error(Code::invalid_argument, "expected a JSON object, got {}", json.type_name());
  return json;
}

Result<std::string> find_family(const Json& config) {
  std::string name;
  auto architectures = config.find("architectures");
  if (architectures != config.end() && architectures->is_array() && architectures->size() == 1 &&
      (*architectures)[0].is_string())
    name = (*architectures)[0].get<std::string>();
  if (name.empty()) name = TRY(json_get<std::string>(config, "model_type"));
  auto found = find_architecture(name);
  if (!found)
    return error(Code::unimplemented, "models of the kind \"{}\" cannot be run yet: {}", name, found.error().message);
  return std::string((*found)->family());
}

// "rope_type", or "type" as older files call it. Absent or null: "default".
Result<std::string> rope_type(const Json& scaling) {
  for (const char* key : {"rope_type", "type"})
    if (scaling.contains(key) && !scaling[key].is_null()) return json_get<std::string>(scaling, key);
  return std::string("default");
}

Result<void> read_yarn(const Json& scaling, const ModelConfig& config, RopeConfig& rope) {
  rope.original_max_seq_len = TRY(json_get_or<int>(scaling, "original_max_position_embeddings", config.max_seq_len));
  if (rope.original_max_seq_len <= 0)
    return error(Code::invalid_argument, "original_max_position_embeddings must be positive");
  double ratio = static_cast<double>(config.max_seq_len) / rope.original_max_seq_len;
  rope.factor = TRY(json_get_or<double>(scaling, "factor", ratio));
  rope.attention_factor = TRY(json_get_or<double>(scaling, "attention_factor", 0));
  rope.beta_fast = TRY(json_get_or<double>(scaling, "beta_fast", 32));
  rope.beta_slow = TRY(json_get_or<double>(scaling, "beta_slow", 1));
  rope.mscale = TRY(json_get_or<double>(scaling, "mscale", 0));
  rope.mscale_all_dim = TRY(json_get_or<double>(scaling, "mscale_all_dim", 0));
  rope.truncate = TRY(json_get_or<bool>(scaling, "truncate", true));
  return {};
}

Result<void> read_llama3(const Json& scaling, RopeConfig& rope) {
  rope.factor = TRY(json_get<double>(scaling, "factor"));
  rope.low_freq_factor = TRY(json_get<double>(scaling, "low_freq_factor"));
  rope.high_freq_factor = TRY(json_get<double>(scaling, "high_freq_factor"));
  rope.original_max_seq_len = TRY(json_get<int>(scaling, "original_max_position_embeddings"));
  return {};
}

Result<void> read_rope(const Json& json, ModelConfig& config) {
  RopeConfig& rope = config.rope;
  rope.theta = TRY(json_get_or<double>(json, "rope_theta", 10000));
  Json scaling = TRY(json_get_or<Json>(json, "rope_parameters", nullptr));
  if (scaling.is_null()) scaling = TRY(json_get_or<Json>(json, "rope_scaling", nullptr));
  if (scaling.is_null()) return {};
  if (!scaling.is_object()) return error(Code::invalid_argument, "it must be an object, got {}", scaling.type_name());
  rope.theta = TRY(json_get_or<double>(scaling, "rope_theta", rope.theta));
  if (TRY(json_get_or<double>(scaling, "partial_rotary_factor", 1)) != 1)
    return error(Code::unimplemented, "partial_rotary_factor other than 1 is not supported yet");
  std::string type = TRY(rope_type(scaling));
  if (type == "default" || type == "none") return {};
  if (type == "linear") {
    rope.scaling = RopeConfig::Scaling::linear;
    rope.factor = TRY(json_get<double>(scaling, "factor"));
    return {};
  }
  if (type == "llama3") {
    rope.scaling = RopeConfig::Scaling::llama3;
    return read_llama3(scaling, rope);
  }
  if (type == "yarn") {
    rope.scaling = RopeConfig::Scaling::yarn;
    return read_yarn(scaling, config, rope);
  }
  return error(Code::unimplemented,
               "position scaling of the type \"{}\" is not supported yet (default, linear, llama3 and yarn are)", type);
}

Result<void> read_numbers(const Json& json, ModelConfig& config) {
  config.n_layers = TRY(json_get<int>(json, "num_hidden_layers"));
  config.d_model = TRY(json_get<int>(json, "hidden_size"));
  config.n_heads = TRY(json_get<int>(json, "num_attention_heads"));
  config.n_kv_heads = TRY(json_get_or<int>(json, "num_key_value_heads", config.n_heads));
  config.d_ff = TRY(json_get<int>(json, "intermediate_size"));
  config.vocab_size = TRY(json_get<int>(json, "vocab_size"));
  config.max_seq_len = TRY(json_get_or<int>(json, "max_position_embeddings", 2048));
  if (config.n_heads <= 0) return error(Code::invalid_argument, "field \"num_attention_heads\" must be positive");
  config.head_dim = TRY(json_get_or<int>(json, "head_dim", config.d_model / config.n_heads));
  config.norm_eps = TRY(json_get_or<double>(json, "rms_norm_eps", 1e-6));
  config.init_std = TRY(json_get_or<double>(json, "initializer_range", 0.02));
  config.tied_embeddings = TRY(json_get_or<bool>(json, "tie_word_embeddings", false));
  config.attention_bias = TRY(json_get_or<bool>(json, "attention_bias", false));
  config.mlp_bias = TRY(json_get_or<bool>(json, "mlp_bias", false));
  return {};
}

Result<void> refuse_unknown_arithmetic(const Json& json) {
  std::string activation = TRY(json_get_or<std::string>(json, "hidden_act", "silu"));
  if (activation != "silu" && activation != "swish")
    return error(Code::unimplemented, "hidden_act \"{}\" is not supported for this family (silu is)", activation);
  if (json.contains("quantization_config") && !json["quantization_config"].is_null())
    return error(Code::unimplemented,
                 "weights quantised by another tool (quantization_config) are not supported yet; use the original bf16 "
                 "model or a GGUF in q8_0 or q4_0");
  return {};
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

Result<void> read_sampling(const Json& json, GenerationDefaults& out) {
  auto optional_number = [&](const char* key, std::optional<double>& value) -> Result<void> {
    if (json.contains(key) && !json[key].is_null()) value = TRY(json_get<double>(json, key));
    return {};
  };
  TRY(optional_number("temperature", out.temperature));
  TRY(optional_number("top_p", out.top_p));
  TRY(optional_number("min_p", out.min_p));
  TRY(optional_number("repetition_penalty", out.repetition_penalty));
  if (json.contains("top_k") && !json["top_k"].is_null()) out.top_k = TRY(json_get<int>(json, "top_k"));
  if (json.contains("do_sample") && json["do_sample"] == false && !out.temperature) out.temperature = 0;
  return {};
}

Json rope_to_hf(const RopeConfig& rope) {
  Json out = {{"rope_theta", rope.theta}, {"rope_type", "default"}};
  switch (rope.scaling) {
    case RopeConfig::Scaling::none:
      break;
    case RopeConfig::Scaling::linear:
      out["rope_type"] = "linear";
      out["factor"] = rope.factor;
      break;
    case RopeConfig::Scaling::llama3:
      out["rope_type"] = "llama3";
      out["factor"] = rope.factor;
      out["low_freq_factor"] = rope.low_freq_factor;
      out["high_freq_factor"] = rope.high_freq_factor;
      out["original_max_position_embeddings"] = rope.original_max_seq_len;
      break;
    case RopeConfig::Scaling::yarn:
      out["rope_type"] = "yarn";
      out["factor"] = rope.factor;
      out["original_max_position_embeddings"] = rope.original_max_seq_len;
      out["beta_fast"] = rope.beta_fast;
      out["beta_slow"] = rope.beta_slow;
      if (rope.attention_factor != 0) out["attention_factor"] = rope.attention_factor;
      if (rope.mscale != 0) out["mscale"] = rope.mscale;
      if (rope.mscale_all_dim != 0) out["mscale_all_dim"] = rope.mscale_all_dim;
      out["truncate"] = rope.truncate;
      break;
  }
  return out;
}

Json ids_to_hf(const std::vector<int32_t>& ids) {
  return ids.size() == 1 ? Json(ids[0]) : Json(ids);
}

}  // namespace

Result<ModelConfig> config_from_hf(std::string_view config_json) {
  Json json = TRY(parse_object(config_json));
  ModelConfig config;
  config.family = TRY(find_family(json));
  TRY(refuse_unknown_arithmetic(json));
  TRY(read_numbers(json, config));
  TRY_WITH(read_rope(json, config), "in the position scaling (rope_parameters or rope_scaling)");
  TRY(validate(config));
  return config;
}

Result<GenerationDefaults> generation_from_hf(std::string_view config_json, std::string_view generation_config_json) {
  GenerationDefaults out;
  TRY(append_ids(TRY(parse_object(config_json)), "eos_token_id", out.eos_ids));
  if (!generation_config_json.empty()) {
    Json json = TRY(parse_object(generation_config_json));
    TRY(append_ids(json, "eos_token_id", out.eos_ids));
    TRY(read_sampling(json, out));
  }
  std::sort(out.eos_ids.begin(), out.eos_ids.end());
  out.eos_ids.erase(std::unique(out.eos_ids.begin(), out.eos_ids.end()), out.eos_ids.end());
  return out;
}

std::string config_to_hf(const ModelConfig& config, std::string_view dtype_name, std::optional<int32_t> bos_id,
                         const std::vector<int32_t>& eos_ids) {
  auto architecture = find_architecture(config.family);
  Json json = {{"model_type", config.family},
               {"num_hidden_layers", config.n_layers},
               {"hidden_size", config.d_model},
               {"num_attention_heads", config.n_heads},
               {"num_key_value_heads", config.n_kv_heads},
               {"head_dim", config.head_dim},
               {"intermediate_size", config.d_ff},
               {"vocab_size", config.vocab_size},
               {"max_position_embeddings", config.max_seq_len},
               {"rms_norm_eps", config.norm_eps},
               {"initializer_range", config.init_std},
               {"hidden_act", "silu"},
               {"tie_word_embeddings", config.tied_embeddings},
               {"attention_bias", config.attention_bias},
               {"mlp_bias", config.mlp_bias},
               {"use_cache", true},
               {"dtype", std::string(dtype_name)},
               {"torch_dtype", std::string(dtype_name)},
               {"rope_parameters", rope_to_hf(config.rope)}};
  if (architecture) json["architectures"] = Json::array({std::string((*architecture)->hf_architecture())});
  // The older spelling beside the newer one, so that older readers see the same model.
  json["rope_theta"] = config.rope.theta;
  if (config.rope.scaling != RopeConfig::Scaling::none) {
    json["rope_scaling"] = rope_to_hf(config.rope);
    json["rope_scaling"].erase("rope_theta");
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
