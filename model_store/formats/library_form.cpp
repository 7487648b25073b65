// Two rules: experts with a tensor each are stacked, and blocks are renamed.
#include "model_store/formats/library_form.h"

namespace hearth {
namespace {

constexpr std::string_view kOldBlock = "block_sparse_moe.", kBlock = "mlp.";

// Granite's block keeps its name; these are the tensors in it.
constexpr std::pair<std::string_view, std::string_view> kRenamed[] = {
    {"block_sparse_moe.input_linear.weight", "block_sparse_moe.experts.gate_up_proj"},
    {"block_sparse_moe.output_linear.weight", "block_sparse_moe.experts.down_proj"},
    {"block_sparse_moe.router.layer.weight", "block_sparse_moe.router.weight"},
};

Storage renamed(Storage storage, size_t at, std::string_view fresh) {
  storage.name = storage.name.substr(0, at) + std::string(fresh);
  return storage;
}

// "model.layers.0.mlp.experts.{}.up_proj.weight", one tensor for each expert, by its role.
std::optional<Storage> stacked(const ParameterSpec& spec) {
  const size_t at = spec.hf.name.find("experts.{}.");
  if (spec.hf.n_parts == 0 || at == std::string::npos || spec.shape.rank() != 3) return std::nullopt;
  const size_t block = spec.hf.name.rfind('.', at - 2) + 1;  // where "mlp." begins
  const std::string experts = spec.hf.name.substr(0, block) + std::string(kBlock) + "experts.";
  const int64_t d_ff = spec.shape[1];
  if (spec.role.ends_with(".experts_down")) return Storage(experts + "down_proj");
  const Storage gate_up(experts + "gate_up_proj");
  if (spec.role.ends_with(".experts_gate")) return gate_up.rows(0, 2 * d_ff);
  if (spec.role.ends_with(".experts_up")) return gate_up.rows(d_ff, 2 * d_ff);
  return std::nullopt;
}

}  // namespace

std::optional<Storage> library_form(const ParameterSpec& spec) {
  if (auto found = stacked(spec)) return found;
  for (const auto& [old, fresh] : kRenamed)
    if (spec.hf.name.ends_with(old)) return renamed(spec.hf, spec.hf.name.size() - old.size(), fresh);
  // The router and its correction, beside such experts.
  if (const size_t at = spec.hf.name.find(kOldBlock); at != std::string::npos && spec.hf.n_parts == 0)
    return renamed(spec.hf, at, std::string(kBlock) + spec.hf.name.substr(at + kOldBlock.size()));
  return std::nullopt;
}

}  // namespace hearth
