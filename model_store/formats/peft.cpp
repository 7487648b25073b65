// Low-rank adapters in the layout of PEFT: adapter_config.json + adapter_model.safetensors.
#include <algorithm>
#include <cmath>
#include <set>

#include "base/json.h"
#include "base/python_json.h"
#include "model_store/formats/config_json.h"
#include "model_store/formats/safetensors.h"
#include "model_store/formats/save.h"

namespace hearth {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPrefix = "base_model.model.";

struct LoadedTensors {
  TensorFile file;
  std::vector<Tensor> converted;
};

std::string_view without_suffix(std::string_view text, std::string_view suffix) {
  return text.substr(0, text.size() - suffix.size());
}

// "model.layers.0.self_attn.q_proj.weight" → "model.layers.0.self_attn.q_proj"
std::string module_of(const ParameterSpec& spec) {
  return std::string(without_suffix(spec.hf.name, ".weight"));
}
std::string last_part(const std::string& module) {
  return module.substr(module.rfind('.') + 1);
}

Result<std::vector<ParameterSpec>> base_parameters(const ModelConfig& base) {
  return TRY(find_architecture(base.family))->parameters(base);
}

// Names that PEFT matches against the ends of module paths: short when every such module is adapted, else whole.
std::vector<std::string> target_modules(const std::vector<ParameterSpec>& specs, const LoraAdapter& adapter) {
  std::set<std::string> partly;
  auto is_adapted = [&](const ParameterSpec& spec) { return adapter.weights.contains(spec.role + ".lora_a"); };
  for (const auto& spec : specs)
    if (spec.kind == ParameterKind::matrix && !is_adapted(spec)) partly.insert(last_part(module_of(spec)));
  std::set<std::string> out;
  for (const auto& spec : specs) {
    if (!is_adapted(spec)) continue;
    std::string module = module_of(spec), name = last_part(module);
    out.insert(partly.contains(name) ? module : name);
  }
  return {out.begin(), out.end()};
}

Json adapter_config(const std::vector<ParameterSpec>& specs, const LoraAdapter& adapter) {
  Json alpha =
      adapter.alpha == std::floor(adapter.alpha) ? Json(static_cast<int64_t>(adapter.alpha)) : Json(adapter.alpha);
  return {{"peft_type", "LORA"},
          {"task_type", "CAUSAL_LM"},
          {"base_model_name_or_path", adapter.base_model},
          {"r", adapter.rank},
          {"lora_alpha", alpha},
          {"lora_dropout", 0.0},
          {"target_modules", target_modules(specs, adapter)},
          {"bias", "none"},
          {"fan_in_fan_out", false},
          {"inference_mode", true},
          {"init_lora_weights", true},
          {"layers_pattern", nullptr},
          {"layers_to_transform", nullptr},
          {"modules_to_save", nullptr},
          {"rank_pattern", Json::object()},
          {"alpha_pattern", Json::object()},
          {"use_dora", false},
          {"use_rslora", false}};
}

bool is_set(const Json& json, const char* key) {
  auto it = json.find(key);
  if (it == json.end() || it->is_null()) return false;
  if (it->is_boolean()) return it->get<bool>();
  return !(it->is_structured() && it->empty());
}

Result<void> read_config(const Json& json, LoraAdapter& out) {
  std::string type = TRY(json_get<std::string>(json, "peft_type"));
  if (type != "LORA")
    return error(Code::unimplemented, "adapters of the type \"{}\" are not supported yet (LORA is)",
                 type.substr(0, 60));
  for (const char* key : {"use_dora", "fan_in_fan_out", "modules_to_save", "rank_pattern", "alpha_pattern",
                          "megatron_config", "lora_bias", "alora_invocation_tokens", "trainable_token_indices"})
    if (is_set(json, key))
      return error(Code::unimplemented, "the adapter sets \"{}\", which is not supported yet", key);
  std::string bias = TRY(json_get_or<std::string>(json, "bias", "none"));
  if (bias != "none")
    return error(Code::unimplemented, "the adapter trains biases (\"bias\": \"{}\"), which is not supported yet",
                 bias.substr(0, 60));
  out.rank = TRY(json_get<int>(json, "r"));
  if (out.rank < 1 || out.rank > 65'536)
    return error(Code::invalid_argument, "field \"r\" must be 1 to 65536, got {}", out.rank);
  double alpha = TRY(json_get<double>(json, "lora_alpha"));
  if (!(std::abs(alpha) <= 1e9)) return error(Code::invalid_argument, "field \"lora_alpha\" is {}", alpha);
  // Rank-stabilised adapters are scaled by alpha / sqrt(r) instead of alpha / r.
  out.alpha = static_cast<float>(is_set(json, "use_rslora") ? alpha * std::sqrt(static_cast<double>(out.rank)) : alpha);
  if (json.contains("base_model_name_or_path") && json["base_model_name_or_path"].is_string())
    out.base_model = json["base_model_name_or_path"].get<std::string>();
  return {};
}

// The role and half ("lora_a" or "lora_b") that a tensor belongs to, and the shape it must have.
struct AdapterPlace {
  const ParameterSpec* spec;
  bool is_a;
};
// PEFT adapts a module of the library's model; a part of one, or one whose rows have another order, it cannot.
Result<void> check_plain(const ParameterSpec& spec) {
  if (spec.hf.is_plain()) return {};
  return error(Code::unimplemented,
               "adapters of \"{}\", which this family stores in another form, are not supported yet", spec.hf.name);
}

Result<AdapterPlace> place_of(const std::string& name, const std::vector<ParameterSpec>& specs) {
  std::string_view rest = name;
  if (rest.starts_with(kPrefix)) rest.remove_prefix(kPrefix.size());
  bool is_a = rest.ends_with(".lora_A.weight"), is_b = rest.ends_with(".lora_B.weight");
  if (!is_a && !is_b)
    return error(Code::unimplemented,
                 "the adapter holds a tensor \"{}\"; only lora_A and lora_B of matrices are supported", name);
  std::string hf_name = std::string(without_suffix(rest, ".lora_A.weight")) + ".weight";
  for (const auto& spec : specs)
    if (spec.hf.name == hf_name && spec.kind == ParameterKind::matrix) {
      TRY(check_plain(spec));
      return AdapterPlace{&spec, is_a};
    }
  return error(Code::invalid_argument,
               "the adapter changes \"{}\", which the base model does not have: it belongs to another model", hf_name);
}

Result<TensorView> as_f32(const StoredTensor& stored, LoadedTensors& keeper) {
  TensorType type{Dtype::f32, {stored.shape[0], stored.shape[1]}};
  if (!stored.dtype || *stored.dtype == Dtype::i32)
    return error(Code::unimplemented, "tensor \"{}\" holds {}, expected F32, F16 or BF16", stored.name,
                 stored.format_dtype);
  Tensor copy(type);
  to_float(*stored.dtype, stored.bytes.data(), copy.f32(), type.shape.n_elements());
  TensorView view = copy.view();
  keeper.converted.push_back(std::move(copy));
  return view;
}

Result<void> check_pairs(const LoraAdapter& adapter) {
  if (adapter.weights.empty()) return error(Code::invalid_argument, "the adapter holds no weights");
  for (const auto& [role, view] : adapter.weights) {
    std::string other = role.substr(0, role.size() - 1) + (role.back() == 'a' ? 'b' : 'a');
    if (!adapter.weights.contains(other))
      return error(Code::data_loss, "the adapter holds \"{}\" but not \"{}\"", role, other);
  }
  return {};
}

}  // namespace

Result<void> save_peft_adapter(const fs::path& folder, const ModelConfig& base, const LoraAdapter& adapter) {
  auto specs = TRY(base_parameters(base));
  TRY(check_pairs(adapter));
  std::vector<TensorToWrite> tensors;
  for (const auto& spec : specs) {
    for (auto [half, name, out_first] :
         {std::tuple{".lora_a", ".lora_A.weight", false}, {".lora_b", ".lora_B.weight", true}}) {
      auto it = adapter.weights.find(spec.role + half);
      if (it == adapter.weights.end()) continue;
      TRY(check_plain(spec));
      const TensorView& view = it->second;
      Shape wanted = out_first ? Shape{spec.shape[0], adapter.rank} : Shape{adapter.rank, spec.shape.last()};
      if (spec.kind != ParameterKind::matrix || view.type.dtype != Dtype::f32 || !(view.type.shape == wanted))
        return error(Code::invalid_argument, "the adapter weight \"{}\" is {}, expected f32{}", it->first,
                     view.type.to_string(), wanted.to_string());
      tensors.push_back({std::string(kPrefix) + module_of(spec) + name,
                         Dtype::f32,
                         {wanted[0], wanted[1]},
                         [&view]() -> Result<std::span<const std::byte>> {
                           return std::span(static_cast<const std::byte*>(view.data),
                                            static_cast<size_t>(view.type.bytes()));
                         }});
    }
  }
  if (tensors.size() != adapter.weights.size())
    return error(Code::invalid_argument, "the adapter holds weights for roles that the base model does not have");
  TRY(make_folders(folder));
  TRY(write_safetensors(folder / "adapter_model.safetensors", std::move(tensors)));
  return write_file(folder / "adapter_config.json", dump_json(adapter_config(specs, adapter), 2) + "\n");
}

Result<LoraAdapter> load_peft_adapter(const fs::path& folder, const ModelConfig& base) {
  LoraAdapter out;
  Json json = TRY_WITH(parse_python_json(TRY(read_file(folder / "adapter_config.json", kMaxConfigBytes))),
                       "while reading {}", (folder / "adapter_config.json").string());
  TRY_WITH(read_config(json, out), "in adapter_config.json");
  auto specs = TRY(base_parameters(base));
  auto keeper = std::make_shared<LoadedTensors>();
  keeper->file = TRY(open_safetensors(folder / "adapter_model.safetensors"));
  for (const auto& stored : keeper->file.tensors()) {
    AdapterPlace place = TRY(place_of(stored.name, specs));
    int64_t rows = place.is_a ? out.rank : place.spec->shape[0],
            columns = place.is_a ? place.spec->shape.last() : out.rank;
    if (stored.shape != std::vector<int64_t>{rows, columns})
      return error(
          Code::data_loss,
          "tensor \"{}\" has the shape [{}], expected [{}, {}]: the adapter belongs to another model, or is damaged",
          stored.name, fmt::join(stored.shape, ", "), rows, columns);
    out.weights.emplace(place.spec->role + (place.is_a ? ".lora_a" : ".lora_b"), TRY(as_f32(stored, *keeper)));
  }
  TRY(check_pairs(out));
  out.keeper = std::move(keeper);
  return out;
}

Result<Tensor> merge_lora(const TensorView& weight, const TensorView& lora_a, const TensorView& lora_b, float scale) {
  const int64_t n_out = weight.dim(0), n_in = weight.shape().last(), rank = lora_a.dim(0);
  if (weight.shape().rank() != 2 || !(lora_a.shape() == Shape{rank, n_in}) || !(lora_b.shape() == Shape{n_out, rank}) ||
      lora_a.type.dtype != Dtype::f32 || lora_b.type.dtype != Dtype::f32)
    return error(Code::invalid_argument, "a weight {} cannot take an update of {} and {}", weight.type.to_string(),
                 lora_b.type.to_string(), lora_a.type.to_string());
  Tensor out = to_f32(weight);
  for (int64_t o = 0; o < n_out; ++o) {
    float* row = out.f32() + o * n_in;
    for (int64_t r = 0; r < rank; ++r) {
      const float factor = scale * lora_b.f32()[o * rank + r];
      const float* a = lora_a.f32() + r * n_in;
      for (int64_t i = 0; i < n_in; ++i) row[i] += factor * a[i];
    }
  }
  return out;
}

}  // namespace hearth
