// Low-rank adapters in the layout of PEFT: adapter_config.json + adapter_model.safetensors.
#include <cmath>
#include <set>

#include "base/files.h"
#include "base/json.h"
#include "model_store/formats/adapters/adapter.h"
#include "model_store/formats/adapters/head_order.h"
#include "model_store/formats/adapters/stored_updates.h"
#include "model_store/formats/safetensors.h"

namespace hearth {
namespace {

// "model.layers.0.self_attn.q_proj.weight" → "model.layers.0.self_attn.q_proj"
std::string module_of(std::string_view tensor) {
  return std::string(tensor.substr(0, tensor.size() - std::string_view(".weight").size()));
}
std::string last_of_path(const std::string& module) {
  return module.substr(module.rfind('.') + 1);
}

// Names that PEFT matches against the ends of module paths: short when every such module is adapted, else whole.
std::vector<std::string> target_modules(const std::vector<ParameterSpec>& specs,
                                        const std::vector<StoredUpdate>& updates) {
  std::set<std::string> adapted, partly, out;
  for (const StoredUpdate& update : updates) adapted.insert(update.name);
  for (const ParameterSpec& spec : specs)
    if (spec.kind == ParameterKind::matrix && spec.hf.name.ends_with(".weight") && !adapted.contains(spec.hf.name))
      partly.insert(last_of_path(module_of(spec.hf.name)));
  for (const StoredUpdate& update : updates) {
    const std::string module = module_of(update.name), name = last_of_path(module);
    out.insert(partly.contains(name) ? module : name);
  }
  return {out.begin(), out.end()};
}

Json peft_number(double value) {
  return value == std::floor(value) ? Json(static_cast<int64_t>(value)) : Json(value);
}

Json adapter_config(const std::vector<ParameterSpec>& specs, const std::vector<StoredUpdate>& updates,
                    const LoraAdapter& adapter) {
  Json ranks = Json::object(), alphas = Json::object();
  for (const StoredUpdate& update : updates) {
    if (update.n_roles == 1) continue;
    ranks[module_of(update.name)] = update.a.type().shape[0];  // with its alpha, the scale stays the same
    alphas[module_of(update.name)] = peft_number(static_cast<double>(adapter.alpha) * update.n_roles);
  }
  return {{"peft_type", "LORA"},
          {"task_type", "CAUSAL_LM"},
          {"base_model_name_or_path", adapter.base_model},
          {"r", adapter.rank},
          {"lora_alpha", peft_number(adapter.alpha)},
          {"lora_dropout", 0.0},
          {"target_modules", target_modules(specs, updates)},
          {"bias", "none"},
          {"fan_in_fan_out", false},
          {"inference_mode", true},
          {"init_lora_weights", true},
          {"layers_pattern", nullptr},
          {"layers_to_transform", nullptr},
          {"modules_to_save", nullptr},
          {"rank_pattern", ranks},
          {"alpha_pattern", alphas},
          {"use_dora", false},
          {"use_rslora", false}};
}

// By role; both halves must be there, of the adapter's rank.
Result<std::map<std::string, LowRankUpdate, std::less<>>> updates_by_role(const LoraAdapter& adapter) {
  std::map<std::string, LowRankUpdate, std::less<>> out;
  for (const auto& [name, view] : adapter.weights) {
    const std::string role = name.substr(0, name.size() - std::string_view(".lora_a").size());
    const auto a = adapter.weights.find(role + ".lora_a"), b = adapter.weights.find(role + ".lora_b");
    if (a == adapter.weights.end() || b == adapter.weights.end())
      return error(Code::data_loss, "the adapter of \"{}\" holds only a half", role);
    if (a->second.dim(0) != adapter.rank)
      return error(Code::invalid_argument, "the adapter weight \"{}\" is {}, expected a rank of {}", a->first,
                   a->second.type.to_string(), adapter.rank);
    out[role] = {.a = a->second, .b = b->second, .scale = 1};
  }
  return out;
}

}  // namespace

Result<void> save_peft_adapter(const std::filesystem::path& folder, const ModelConfig& base, const LoraAdapter& given) {
  const LoraAdapter adapter = in_hugging_face_order(base, given);
  const auto specs = TRY(find_architecture(base.family))->parameters(base);
  const std::vector<StoredUpdate> updates =
      TRY(stored_updates(specs, &ParameterSpec::hf, TRY(updates_by_role(adapter))));
  std::vector<TensorToWrite> tensors;
  for (const StoredUpdate& update : updates)
    for (auto [suffix, tensor] : {std::pair{".lora_A.weight", &update.a}, {".lora_B.weight", &update.b}})
      tensors.push_back({"base_model.model." + module_of(update.name) + suffix,
                         Dtype::f32,
                         {tensor->type().shape[0], tensor->type().shape[1]},
                         [view = tensor->view()]() -> Result<std::span<const std::byte>> {
                           return std::span(view.as<const std::byte>(), static_cast<size_t>(view.type.bytes()));
                         }});
  TRY(make_folders(folder));
  TRY(write_safetensors(folder / "adapter_model.safetensors", std::move(tensors)));
  return write_file(folder / "adapter_config.json", dump_json(adapter_config(specs, updates, adapter), 2) + "\n");
}

Result<LoraAdapter> as_lora(const Adapter& adapter) {
  LoraAdapter out;
  float scale = 0;
  for (const auto& [role, updates] : adapter.updates) {
    const LowRankUpdate& update = updates[0];
    const auto rank = static_cast<int>(update.a.dim(0));
    const bool is_like_others = out.weights.empty() || (rank == out.rank && update.scale == scale);
    if (updates.size() != 1 || update.magnitude || !role.starts_with("layers.") || !is_like_others) {
      out.weights.clear();
      break;
    }
    out.rank = rank, scale = update.scale;
    out.weights[role + ".lora_a"] = update.a;
    out.weights[role + ".lora_b"] = update.b;
  }
  if (out.weights.empty() || !adapter.whole.empty() || !adapter.added.empty())
    return error(Code::unimplemented,
                 "training cannot go on from this adapter: it is more than matrices of one rank and scale in the "
                 "layers; merge it into its base (`hearth export`), import that, and train the merged model");
  out.alpha = scale * static_cast<float>(out.rank);
  out.base_model = adapter.base_model;
  out.keeper = adapter.keeper;
  return out;
}

}  // namespace hearth
