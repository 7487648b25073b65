// ModelBuilder: the parts of linear layers.
#include <cmath>
#include <limits>

#include "base/check.h"
#include "runtime/architectures/model_builder.h"
#include "runtime/ops/causal_conv1d/causal_conv1d.h"
#include "runtime/ops/decay/decay.h"
#include "runtime/ops/l2_norm/l2_norm.h"
#include "runtime/ops/linear_attention/linear_attention.h"
#include "runtime/ops/sigmoid/sigmoid.h"

namespace hearth {
namespace {
std::string in_layer(int layer, std::string_view role) {
  return fmt::format("layers.{}.{}", layer, role);
}
}  // namespace

Value ModelBuilder::causal_conv(Value x, std::string_view role) {
  const std::string name = in_layer(layer_, role);
  const Value y = builder_.apply(std::make_shared<CausalConv1d>(), {x, parameter(name), segment_begin_});
  return find(name + "_bias") ? builder_.add(y, parameter(name + "_bias")) : y;
}

Value ModelBuilder::recurrence(Value q, Value k, Value v, Value log_decay, Value beta, bool delta_rule,
                               std::string_view skip) {
  const RecurrentConfig& r = config_.recurrent;
  const LinearAttentionAttributes heads{.n_k_heads = r.n_k_heads,
                                        .n_v_heads = r.n_v_heads,
                                        .k_dim = r.k_dim,
                                        .v_dim = r.v_dim,
                                        .delta_rule = delta_rule,
                                        .has_skip = !skip.empty(),
                                        .is_tiled = r.tiled_heads};
  std::vector<Value> operands{q, k, v, log_decay, beta, segment_begin_};
  if (!skip.empty()) operands.push_back(parameter(in_layer(layer_, skip)));
  return builder_.apply(std::make_shared<LinearAttention>(heads), std::move(operands));
}

ModelBuilder::Gates ModelBuilder::decay(Value a, std::string_view a_log, std::string_view bias) {
  const RecurrentConfig& r = config_.recurrent;
  const float most = r.max_step > 0 ? static_cast<float>(r.max_step) : std::numeric_limits<float>::infinity();
  const std::vector<Value> out =
      builder_.apply_all(std::make_shared<Decay>(static_cast<float>(r.min_step), most),
                         {a, parameter(in_layer(layer_, a_log)), parameter(in_layer(layer_, bias))});
  return {out[0], out[1]};
}

Value ModelBuilder::l2_norm(Value x, float scale) {
  constexpr float kEps = 1e-6f;
  return builder_.apply(std::make_shared<L2Norm>(kEps, scale), {x});
}

// x / sqrt(mean + eps) = sqrt(n) x / sqrt(sum + n eps)
Value ModelBuilder::group_norm(Value x, std::string_view role, int n_groups) {
  if (n_groups == 1) return norm(x, role);
  if (builder_.failed()) return {};
  const int64_t width = builder_.type(x).shape.last() / n_groups;
  const auto n = static_cast<double>(width);
  const auto op = std::make_shared<L2Norm>(static_cast<float>(n * config_.norm_eps), static_cast<float>(std::sqrt(n)));
  const Value normed = columns(builder_.apply(op, {heads(x, static_cast<int>(width))}));
  return builder_.mul(normed, parameter(in_layer(layer_, role)));
}

Value ModelBuilder::sigmoid(Value x) {
  return builder_.apply(std::make_shared<Sigmoid>(), {x});
}

}  // namespace hearth
