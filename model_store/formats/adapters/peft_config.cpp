// An option that is not known here may change the arithmetic, so it is refused as soon as it is set.
#include "model_store/formats/adapters/peft_config.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <span>

#include "base/files.h"
#include "base/json.h"
#include "model_store/formats/config_json.h"

namespace hearth {
namespace {

constexpr size_t kMaxPatterns = 10'000, kMaxPatternBytes = 1000;
constexpr int kMaxRank = 65'536;

// What is read, or says nothing about the arithmetic: where it was trained, what was trained, how it began.
constexpr std::string_view kKnownOptions[] = {"peft_type",
                                              "task_type",
                                              "auto_mapping",
                                              "peft_version",
                                              "base_model_name_or_path",
                                              "revision",
                                              "inference_mode",
                                              "r",
                                              "target_modules",
                                              "target_parameters",
                                              "exclude_modules",
                                              "lora_alpha",
                                              "lora_dropout",
                                              "fan_in_fan_out",
                                              "bias",
                                              "use_rslora",
                                              "modules_to_save",
                                              "init_lora_weights",
                                              "layers_to_transform",
                                              "layers_pattern",
                                              "rank_pattern",
                                              "alpha_pattern",
                                              "megatron_core",
                                              "loftq_config",
                                              "eva_config",
                                              "use_dora",
                                              "runtime_config",
                                              "qalora_group_size",
                                              "lora_bias",
                                              "ensure_weight_tying"};

// Kinds that change the model's inputs or choose among experts: they are no change of its weights.
constexpr std::string_view kNoWeights[] = {"PROMPT_TUNING", "MULTITASK_PROMPT_TUNING", "P_TUNING",  "PREFIX_TUNING",
                                           "CPT",           "ADAPTION_PROMPT",         "CARTRIDGE", "XLORA",
                                           "POLY"};

constexpr std::string_view kMergeFirst =
    "merge it into its base with PEFT (merge_and_unload, then save_pretrained) and import the merged model";

bool is_listed(std::string_view text, std::span<const std::string_view> list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool is_set(const Json& value) {
  if (value.is_null()) return false;
  if (value.is_boolean()) return value.get<bool>();
  return !(value.is_structured() && value.empty());
}
bool is_set(const Json& json, const char* key) {
  auto it = json.find(key);
  return it != json.end() && is_set(*it);
}

Result<void> check_adapter_kind(const Json& json) {
  const auto kind = TRY(json_get<std::string>(json, "peft_type"));
  if (kind == "LORA") return {};
  const std::string shown = kind.substr(0, 60);
  if (is_listed(kind, kNoWeights))
    return error(Code::unimplemented,
                 "adapters of the kind {} are not supported, LoRA is: it is no change of weights that could be merged "
                 "into the base; train a LoRA adapter instead",
                 shown);
  return error(Code::unimplemented, "adapters of the kind {} are not supported, LoRA is: {}", shown, kMergeFirst);
}

// Ways to begin that change the base's own weights, which then are not those in the store.
Result<void> check_beginning(const Json& json) {
  auto it = json.find("init_lora_weights");
  if (it == json.end() || !it->is_string()) return {};
  const auto how = it->get<std::string>();
  if (how == "gaussian" || how == "eva" || how == "orthogonal" || how == "true" || how == "false") return {};
  return error(Code::unimplemented,
               "the adapter sets \"init_lora_weights\" to \"{}\", which changes the base model too; save it with "
               "PEFT's path_initial_model_for_weight_conversion, or {}",
               how.substr(0, 60), kMergeFirst);
}

Result<void> check_options(const Json& json) {
  for (const auto& [key, value] : json.items())
    if (!is_listed(key, kKnownOptions) && is_set(value))
      return error(Code::unimplemented, "the adapter sets \"{}\", which is not supported: {}", key.substr(0, 60),
                   kMergeFirst);
  return check_beginning(json);
}

// As PEFT matches: (.*\.)?(PATTERN)$ from the beginning of the path, the first pattern of the file that does.
template <class T>
Result<std::vector<std::pair<Regex, T>>> read_patterns(const nlohmann::ordered_json& json, const char* key) {
  std::vector<std::pair<Regex, T>> out;
  auto it = json.find(key);
  if (it == json.end() || it->is_null()) return out;
  if (!it->is_object() || it->size() > kMaxPatterns)
    return error(Code::invalid_argument, "field \"{}\" must be an object of at most {} patterns", key, kMaxPatterns);
  for (const auto& [pattern, value] : it->items()) {
    if (!value.is_number() || pattern.size() > kMaxPatternBytes)
      return error(Code::invalid_argument, "field \"{}\": the pattern \"{}\" must have a number", key,
                   pattern.substr(0, 60));
    Regex regex = TRY_WITH(Regex::compile("^(.*\\.)?(" + pattern + ")$"), "in field \"{}\"", key);
    out.emplace_back(std::move(regex), value.template get<T>());
  }
  return out;
}

template <class T>
Result<std::optional<T>> first_pattern(const std::vector<std::pair<Regex, T>>& patterns, std::string_view module) {
  std::vector<Regex::Match> found;
  for (const auto& [regex, value] : patterns) {
    found.clear();
    TRY(regex.find_all(module, found));
    if (!found.empty()) return std::optional<T>(value);
  }
  return std::optional<T>();
}

Result<std::vector<std::string>> read_parameter_names(const Json& json) {
  std::vector<std::string> out;
  const auto it = json.find("target_parameters");
  if (it == json.end() || it->is_null()) return out;
  if (!it->is_array() || it->size() > kMaxPatterns)
    return error(Code::invalid_argument, "field \"target_parameters\" must be a list of at most {} names",
                 kMaxPatterns);
  for (const Json& name : *it) {
    if (!name.is_string()) return error(Code::invalid_argument, "field \"target_parameters\" must hold names");
    out.push_back(name.get<std::string>());
  }
  return out;
}

// PEFT 0.21 and later write "peft_version"; what earlier ones did with square tensors is not known.
bool is_known_to_swap(const Json& json) {
  const auto it = json.find("peft_version");
  int major = 0, minor = 0;
  if (it == json.end() || !it->is_string()) return false;
  if (std::sscanf(it->get<std::string>().c_str(), "%d.%d", &major, &minor) != 2) return false;
  return major > 0 || minor >= 21;
}

Result<PeftConfig> read_lora_options(const Json& json, const nlohmann::ordered_json& in_order) {
  PeftConfig out;
  out.rank = TRY(json_get<int>(json, "r"));
  if (out.rank < 1 || out.rank > kMaxRank)
    return error(Code::invalid_argument, "field \"r\" must be 1 to {}, got {}", kMaxRank, out.rank);
  out.alpha = TRY(json_get<double>(json, "lora_alpha"));
  if (!(std::abs(out.alpha) <= 1e9)) return error(Code::invalid_argument, "field \"lora_alpha\" is {}", out.alpha);
  out.is_rank_stabilised = is_set(json, "use_rslora");
  out.is_dora = is_set(json, "use_dora");
  out.ranks = TRY(read_patterns<int>(in_order, "rank_pattern"));
  out.alphas = TRY(read_patterns<double>(in_order, "alpha_pattern"));
  out.parameters = TRY(read_parameter_names(json));
  out.swaps_experts = is_known_to_swap(json);
  if (json.contains("base_model_name_or_path") && json["base_model_name_or_path"].is_string())
    out.base_model = json["base_model_name_or_path"].get<std::string>();
  return out;
}

}  // namespace

bool PeftConfig::targets_parameter(std::string_view name) const {
  return std::any_of(parameters.begin(), parameters.end(),
                     [&](const std::string& target) { return name == target || name.ends_with("." + target); });
}

Result<int> PeftConfig::rank_of(std::string_view module) const {
  return TRY(first_pattern(ranks, module)).value_or(rank);
}

Result<float> PeftConfig::scale_of(std::string_view module) const {
  const double r = std::max(1, TRY(rank_of(module))), own = TRY(first_pattern(alphas, module)).value_or(alpha);
  return static_cast<float>(own / (is_rank_stabilised ? std::sqrt(r) : r));
}

Result<PeftConfig> read_peft_config(const std::filesystem::path& file) {
  const std::string text = TRY(read_file(file, kMaxConfigBytes));
  const Json json = TRY_WITH(parse_json(text), "in {}", file.filename().string());
  if (!json.is_object())
    return error(Code::invalid_argument, "{} must be an object, got {}", file.filename().string(), json.type_name());
  TRY(check_adapter_kind(json));
  TRY(check_options(json));
  // Valid JSON of bounded depth: it was read as Json before, which forgets the order of keys.
  const auto in_order = nlohmann::ordered_json::parse(text, nullptr, false);
  return TRY_WITH(read_lora_options(json, in_order), "in {}", file.filename().string());
}

}  // namespace hearth
