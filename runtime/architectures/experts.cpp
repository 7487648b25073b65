// Experts in parameter tables and GGUF metadata.
#include "runtime/architectures/experts.h"

#include <algorithm>
#include <charconv>

namespace hearth {
namespace {

constexpr int kGatingSoftmax = 1, kGatingSigmoid = 2;

void add_shared(ParameterTable& t, const ModelConfig& c, const std::string& hf) {
  const int64_t C = c.d_model, F = c.moe.d_ff_shared;
  if (F == 0) return;
  t.matrix("shared_gate", {F, C}, {"ffn", "model"}, hf + "gate_proj", "ffn_gate_shexp");
  t.matrix("shared_up", {F, C}, {"ffn", "model"}, hf + "up_proj", "ffn_up_shexp");
  t.matrix("shared_down", {C, F}, {"model", "ffn"}, hf + "down_proj", "ffn_down_shexp");
}

}  // namespace

void add_experts(ParameterTable& t, const ModelConfig& c, const ExpertNames& names) {
  const int64_t C = c.d_model, E = c.moe.n_experts, F = c.moe.d_ff;
  const auto stacked = [&](const std::string& name) { return Storage(name).each_of(c.moe.n_experts); };
  t.matrix("router", {E, C}, {"", "model"}, names.router, "ffn_gate_inp");
  if (!names.correction.empty())
    t.weight("router_correction", ParameterKind::constant, {E}, {""}, names.correction, "exp_probs_b.bias");
  t.matrix("experts_gate", {E, F, C}, {"expert", "ffn", "model"}, stacked(names.gate), "ffn_gate_exps");
  t.matrix("experts_up", {E, F, C}, {"expert", "ffn", "model"}, stacked(names.up), "ffn_up_exps");
  t.matrix("experts_down", {E, C, F}, {"expert", "model", "ffn"}, stacked(names.down), "ffn_down_exps");
  add_shared(t, c, names.shared);
}

Result<void> read_experts_gguf(const ConfigSource& source, ModelConfig& config) {
  MoeConfig& moe = config.moe;
  Routing& routing = moe.routing;
  moe.n_experts = TRY(source.count("expert_count"));
  routing.n_chosen = TRY(source.count("expert_used_count"));
  moe.d_ff = TRY(source.uniform_count_or("expert_feed_forward_length", config.d_ff));
  if (config.d_ff == 0) config.d_ff = moe.d_ff;
  moe.d_ff_shared = TRY(
      source.count_or("expert_shared_feed_forward_length", TRY(source.count_or("expert_shared_count", 0)) * moe.d_ff));
  const int n_dense = TRY(source.count_or("leading_dense_block_count", 0));
  if (n_dense > 0) moe.dense_layers = first_layers_dense(config.n_layers, n_dense);
  const double scale = TRY(source.number_or("expert_weights_scale", routing.scale));
  routing.scale = scale == 0 ? 1.0f : static_cast<float>(scale);  // 0 stands for: not scaled
  routing.normalise = TRY(source.boolean_or("expert_weights_norm", routing.normalise));
  routing.n_groups = std::max(1, TRY(source.count_or("expert_group_count", routing.n_groups)));
  routing.n_chosen_groups = std::max(1, TRY(source.count_or("expert_group_used_count", routing.n_chosen_groups)));
  const bool is_sigmoid = routing.scoring == Routing::Scoring::sigmoid;
  const int gating = TRY(source.count_or("expert_gating_func", is_sigmoid ? kGatingSigmoid : kGatingSoftmax));
  if (gating != kGatingSoftmax && gating != kGatingSigmoid)
    return error(Code::unimplemented, "expert_gating_func {} is not supported (1, softmax, and 2, sigmoid, are)",
                 gating);
  routing.scoring = gating == kGatingSigmoid ? Routing::Scoring::sigmoid : Routing::Scoring::softmax;
  return {};
}

void write_experts_gguf(const ModelConfig& config, ConfigSink& sink) {
  const MoeConfig& moe = config.moe;
  const Routing& routing = moe.routing;
  sink.set("expert_count", moe.n_experts);
  sink.set("expert_used_count", routing.n_chosen);
  sink.set("expert_feed_forward_length", moe.d_ff);
  if (moe.d_ff_shared > 0) sink.set("expert_shared_count", std::max(1, moe.d_ff_shared / moe.d_ff));
  if (const int n = n_dense_layers(config); n > 0) sink.set("leading_dense_block_count", n);
  if (routing.scale != 1) sink.set("expert_weights_scale", static_cast<double>(routing.scale));
  sink.set("expert_weights_norm", routing.normalise);
  sink.set("expert_gating_func", routing.scoring == Routing::Scoring::sigmoid ? kGatingSigmoid : kGatingSoftmax);
  if (routing.n_groups == 1) return;
  sink.set("expert_group_count", routing.n_groups);
  sink.set("expert_group_used_count", routing.n_chosen_groups);
}

bool is_beyond_layers(std::string_view tensor, const ModelConfig& config) {
  for (const std::string_view prefix : {"model.layers.", "blk."}) {
    if (!tensor.starts_with(prefix)) continue;
    const std::string_view rest = tensor.substr(prefix.size());
    int layer = -1;
    const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), layer);
    return status == std::errc() && end != rest.data() + rest.size() && *end == '.' && layer >= config.n_layers;
  }
  return false;
}

std::vector<bool> first_layers_dense(int n_layers, int n_dense) {
  std::vector<bool> out(static_cast<size_t>(std::max(0, n_layers)), false);
  std::fill(out.begin(), out.begin() + std::min(n_dense, n_layers), true);
  return out;
}

int n_dense_layers(const ModelConfig& config) {
  const auto& dense = config.moe.dense_layers;
  return static_cast<int>(std::find(dense.begin(), dense.end(), false) - dense.begin());
}

}  // namespace hearth
