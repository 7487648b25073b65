// See model.h.
#include "trainer/model.h"

#include <set>

#include "base/files.h"
#include "trainer/initialise.h"

namespace hearth::train {
namespace {

Trainable make_trainable(const std::string& name, bool decays, Tensor weight) {
  const TensorType type = weight.type();
  return {name, decays, std::move(weight), Tensor(type), Tensor(type)};
}

bool decays(ParameterKind kind) {
  return kind == ParameterKind::matrix || kind == ParameterKind::embedding;
}

Result<ModelInTraining> make_full(const Recipe& recipe, const Beginning& base, ModelInTraining out) {
  for (const ParameterSpec& spec : out.specs) {
    Tensor weight;
    if (auto it = base.weights.find(spec.role); it != base.weights.end()) {
      weight = to_f32(it->second);
    } else {
      weight = Tensor({Dtype::f32, spec.shape});
      initialise(spec, out.config, static_cast<uint64_t>(recipe.seed), weight.view());
    }
    if (spec.kind == ParameterKind::constant) {
      Tensor& copy = out.frozen_copies[spec.role] = std::move(weight);
      out.frozen[spec.role] = copy.view();
    } else {
      out.trainables.push_back(make_trainable(spec.role, decays(spec.kind), std::move(weight)));
    }
  }
  return out;
}

void copy_vectors(const Beginning& base, ModelInTraining& out) {
  for (const ParameterSpec& spec : out.specs)
    if (is_vector(spec.kind)) {
      Tensor& copy = out.frozen_copies[spec.role] = to_f32(base.weights.at(spec.role));
      out.frozen[spec.role] = copy.view();
    }
}

// Where the adapter that training goes on from left it; else a beginning that changes nothing.
Result<Tensor> first_lora_weight(const ValueInfo& info, const Recipe& recipe, WeightsByRole& left) {
  const auto it = left.find(info.name);
  if (it == left.end()) {
    Tensor weight(info.type);
    initialise_lora(info.name, static_cast<uint64_t>(recipe.seed), weight.view());
    return weight;
  }
  if (!(it->second.type == info.type))
    return error(Code::invalid_argument, "the adapter's \"{}\" is {}, training needs {}", info.name,
                 it->second.type.to_string(), info.type.to_string());
  Tensor weight = to_f32(it->second);
  left.erase(it);
  return weight;
}

Result<ModelInTraining> make_lora(const Recipe& recipe, const Beginning& base, ModelInTraining out) {
  out.lora = base.lora_of(recipe);
  out.frozen = base.weights;
  out.keeper = base.keeper;
  copy_vectors(base, out);
  WeightsByRole left = base.adapter ? base.adapter->weights : WeightsByRole();
  const Graph graph = TRY(build_logits_graph(out.config, out.dtype_of(), 1, out.lora));
  for (const ValueInfo& info : graph.values()) {
    if (info.kind != ValueKind::parameter || out.frozen.contains(info.name)) continue;
    out.trainables.push_back(make_trainable(info.name, true, TRY(first_lora_weight(info, recipe, left))));
  }
  if (out.trainables.empty()) return error(Code::invalid_argument, "method.targets names no matrix of this model");
  if (!left.empty())
    return error(
        Code::unimplemented,
        "training cannot go on from this adapter: it changes \"{}\", which is not trained with LoRA here; merge "
        "it into its base (`hearth export`), import that, and train the merged model",
        left.begin()->first);
  return out;
}

Result<Beginning> load_with_adapter(const std::filesystem::path& folder) {
  Beginning out;
  const std::filesystem::path base = TRY(base_of_adapter(folder));
  static_cast<LoadedModel&>(out) = TRY_WITH(load_model(base), "while loading the base of the adapter to train");
  out.adapter = TRY(as_lora(TRY(read_adapter(folder, out.config))));
  return out;
}

}  // namespace

LoraConfig Beginning::lora_of(const Recipe& recipe) const {
  const RecipeMethod& method = recipe.method;
  if (!adapter) return {method.rank, static_cast<float>(method.alpha), method.targets};
  std::set<std::string> targets;
  for (const auto& [name, view] : adapter->weights) {
    const std::string role = name.substr(0, name.rfind('.'));
    targets.insert(role.substr(role.rfind('.') + 1));
  }
  return {adapter->rank, adapter->alpha, {targets.begin(), targets.end()}};
}

Result<Beginning> load_base(const Recipe& recipe, const std::filesystem::path& model_path) {
  if (recipe.model.from_scratch.empty()) {
    if (recipe.method.type == "lora" && is_adapter_folder(model_path)) return load_with_adapter(model_path);
    return Beginning{TRY_WITH(load_model(model_path), "while loading the model to train"), std::nullopt};
  }
  const std::filesystem::path folder = recipe.model.from_scratch;
  Beginning out{TRY_WITH(load_text_side(folder), "while reading tokenizer and template from {}", folder.string()),
                std::nullopt};
  const std::string text = TRY_WITH(read_file(folder / "config.json"), "while reading the model's configuration");
  out.config = TRY_WITH(config_from_hf(text), "in {}", (folder / "config.json").string());
  TRY_WITH(validate(out.config), "in {}", (folder / "config.json").string());
  out.parameters = TRY(find_architecture(out.config.family))->parameters(out.config);
  if (out.tokenizer && out.tokenizer->vocab_size() > out.config.vocab_size)
    return error(Code::invalid_argument, "the tokenizer has {} tokens, but config.json says vocab_size {}",
                 out.tokenizer->vocab_size(), out.config.vocab_size);
  return out;
}

DtypeOf ModelInTraining::dtype_of() const {
  return [this](const ParameterSpec& spec) {
    const auto it = frozen.find(spec.role);
    return it == frozen.end() ? Dtype::f32 : it->second.type.dtype;
  };
}

Bindings ModelInTraining::bindings() const {
  Bindings out = frozen_there.empty() ? Bindings(frozen.begin(), frozen.end()) : frozen_there;
  for (const Trainable& t : trainables) {
    out[t.name] = t.weight.view();
    out[t.name + ".m"] = t.m.view();
    out[t.name + ".v"] = t.v.view();
  }
  return out;
}

Result<void> ModelInTraining::place_on(Backend& backend) {
  if (backend.is_host_memory()) return {};
  frozen_there = TRY(hearth::place_on(backend, Bindings(frozen.begin(), frozen.end()), device_memory));
  for (Trainable& t : trainables)
    for (PlacedTensor* tensor : {&t.weight, &t.m, &t.v})
      TRY_WITH(tensor->move_to(backend), "while placing \"{}\" on {}", t.name, backend.name());
  return {};
}

Result<TrainedWeights> ModelInTraining::trained_weights() const {
  TrainedWeights out;
  for (const Trainable& t : trainables) {
    HostView weight = TRY(t.weight.read());
    out.by_role[t.name] = weight.view;
    out.copies.push_back(std::move(weight.copy));
  }
  return out;
}

uint64_t ModelInTraining::bytes() const {
  int64_t sum = 0;
  for (const Trainable& t : trainables) sum += 3 * t.weight.type().bytes();
  for (const auto& [role, view] : frozen) sum += view.type.bytes();
  return static_cast<uint64_t>(sum);
}

Result<ModelInTraining> make_model(const Recipe& recipe, const Beginning& base) {
  ModelInTraining out;
  out.config = base.config;
  out.specs = base.parameters;
  return recipe.method.type == "lora" ? make_lora(recipe, base, std::move(out))
                                      : make_full(recipe, base, std::move(out));
}

}  // namespace hearth::train
