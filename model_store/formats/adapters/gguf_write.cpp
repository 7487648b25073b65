// An adapter as a GGUF file, as llama.cpp's convert_lora_to_gguf.py writes and its --lora reads: "<tensor>.lora_a" and
// "<tensor>.lora_b" under the names and in the order of rows of GGUF models, scaled by alpha / rank of each.
#include "model_store/formats/adapters/adapter.h"
#include "model_store/formats/adapters/stored_updates.h"
#include "model_store/formats/config_metadata.h"
#include "model_store/formats/gguf.h"

namespace hearth {
namespace {

constexpr std::string_view kMergeIt = "export it merged with its base (--format gguf)";

Result<std::map<std::string, LowRankUpdate, std::less<>>> plain_updates(const Adapter& adapter) {
  std::map<std::string, LowRankUpdate, std::less<>> out;
  if (!adapter.whole.empty() || !adapter.added.empty())
    return error(Code::unimplemented, "a GGUF adapter holds updates of matrices only, and this one changes \"{}\"; {}",
                 adapter.whole.empty() ? adapter.added.begin()->first : adapter.whole.begin()->first, kMergeIt);
  for (const auto& [role, updates] : adapter.updates) {
    if (updates.size() != 1 || updates[0].magnitude)
      return error(Code::unimplemented, "a GGUF adapter cannot hold the update of \"{}\"; {}", role, kMergeIt);
    out[role] = updates[0];
  }
  return out;
}

// One alpha stands for all tensors: what is left of a tensor's own scale goes into its B.
void fold_scale(StoredUpdate& update, float alpha) {
  const float factor = update.scale * static_cast<float>(update.a.type().shape[0]) / alpha;
  if (factor == 1) return;
  for (int64_t i = 0; i < update.b.type().shape.n_elements(); ++i) update.b.f32()[i] *= factor;
}

void add_adapter_tensor(const std::string& name, const Tensor& tensor, std::vector<GgufTensorToWrite>& out) {
  out.push_back({name,
                 Dtype::f32,
                 {tensor.type().shape[0], tensor.type().shape[1]},
                 [view = tensor.view()]() -> Result<std::span<const std::byte>> {
                   return std::span(view.as<const std::byte>(), static_cast<size_t>(view.type.bytes()));
                 }});
}

}  // namespace

Result<void> save_gguf_adapter(const std::filesystem::path& file, const ModelConfig& base, const Adapter& adapter) {
  const Architecture* architecture = TRY(find_architecture(base.family));
  const std::string name(architecture->gguf_architecture());
  if (name.empty()) return error(Code::unimplemented, "models of the family \"{}\" have no form in GGUF", base.family);
  TRY(architecture->fits_gguf(base));
  auto updates = TRY(stored_updates(architecture->parameters(base), &ParameterSpec::gguf, TRY(plain_updates(adapter))));
  const float alpha = updates[0].scale * static_cast<float>(updates[0].a.type().shape[0]);
  if (alpha == 0) return error(Code::invalid_argument, "the adapter is scaled by zero: it changes nothing");
  GgufMetadata metadata;
  metadata.emplace_back("general.architecture", name);
  metadata.emplace_back("general.type", std::string("adapter"));
  metadata.emplace_back("adapter.type", std::string("lora"));
  metadata.emplace_back("adapter.lora.alpha", alpha);
  metadata.emplace_back("general.quantization_version", uint32_t{2});
  std::vector<GgufTensorToWrite> tensors;
  for (StoredUpdate& update : updates) {
    fold_scale(update, alpha);
    add_adapter_tensor(update.name + ".lora_a", update.a, tensors);
    add_adapter_tensor(update.name + ".lora_b", update.b, tensors);
  }
  return write_gguf(file, metadata, tensors);
}

}  // namespace hearth
