// ModelBuilder: how the parts of a model become ops.
#include "runtime/architectures/model_builder.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "runtime/ops/attention/attention.h"
#include "runtime/ops/rms_norm/rms_norm.h"
#include "runtime/ops/rope/rope.h"
#include "runtime/ops/scale_by_position/scale_by_position.h"

namespace hearth {
namespace {

TensorType ids(int64_t n) {
  return {Dtype::i32, {n}};
}

}  // namespace

ModelBuilder::ModelBuilder(const ModelConfig& config, const Architecture& architecture, DtypeOf dtype_of, int n_tokens,
                           int max_seq_len)
    : config_(config),
      specs_(architecture.parameters(config)),
      dtype_of_(std::move(dtype_of)),
      n_tokens_(n_tokens),
      max_seq_len_(max_seq_len) {
  tokens_ = builder_.input("tokens", ids(n_tokens));
  positions_ = builder_.input("positions", ids(n_tokens));
  segment_begin_ = builder_.input("segment_begin", ids(n_tokens));
}

const ParameterSpec* ModelBuilder::find(std::string_view role) const {
  auto found = std::find_if(specs_.begin(), specs_.end(), [&](const ParameterSpec& spec) { return spec.role == role; });
  return found == specs_.end() ? nullptr : &*found;
}

Value ModelBuilder::parameter(std::string_view role) {
  const ParameterSpec* spec = find(role);
  CHECK(spec != nullptr);  // a family uses a role that its table does not declare
  return builder_.parameter(spec->role, {dtype_of_(*spec), spec->shape});
}

void ModelBuilder::begin_layer(int layer, Value x) {
  layer_ = layer;
  builder_.mark(kLayerInput, x);
  builder_.set_scope(fmt::format("layers.{}", layer));
}

void ModelBuilder::end_layers() {
  layer_ = -1;
  builder_.set_scope("head");
}

std::string ModelBuilder::role_here(std::string_view role) const {
  return layer_ < 0 ? std::string(role) : fmt::format("layers.{}.{}", layer_, role);
}

Value ModelBuilder::embed(Value tokens, std::string_view role) {
  return scaled(builder_.gather_rows(parameter(role_here(role)), tokens), config_.scale.embedding);
}

Value ModelBuilder::norm(Value x, std::string_view role) {
  return norm(x, role, config_.norm_eps);
}

Value ModelBuilder::norm(Value x, std::string_view role, double eps) {
  return builder_.rms_norm(x, parameter(role_here(role)), static_cast<float>(eps));
}

Value ModelBuilder::plain_norm(Value x) {
  return builder_.apply(std::make_shared<RmsNorm>(static_cast<float>(config_.norm_eps)), {x});
}

Value ModelBuilder::heads(Value x, int head_dim) {
  return builder_.split(x, 1, head_dim);
}

Value ModelBuilder::scaled(Value x, double factor) {
  return factor == 1 ? x : builder_.scale(x, static_cast<float>(factor));
}

Value ModelBuilder::linear(Value x, std::string_view role) {
  const std::string name = role_here(role);
  const Value y = builder_.linear(x, parameter(name));
  return find(name + "_bias") ? builder_.add(y, parameter(name + "_bias")) : y;
}

Value ModelBuilder::rope(Value x) {
  if (layer_ >= 0 && !config_.has_rope(layer_)) return x;
  const int head_dim = config_.head_dim_of(std::max(layer_, 0));
  const RopeTable table = rope_table(config_.rope_of(std::max(layer_, 0)), head_dim, max_seq_len_);
  return builder_.apply(std::make_shared<Rope>(head_dim, table.inverse_frequencies, table.magnitude, false),
                        {x, positions_});
}

Value ModelBuilder::scale_queries(Value q) {
  const ScaleConfig& scale = config_.scale;
  if (scale.query_beta == 0) return q;
  return builder_.apply(std::make_shared<ScaleByPosition>(static_cast<float>(scale.query_beta), scale.query_period),
                        {q, positions_});
}

Value ModelBuilder::token_types() {
  if (!token_types_) token_types_ = builder_.input("token_types", ids(n_tokens_));
  return token_types_;
}

Value ModelBuilder::layer_norm(Value x, std::string_view role) {
  return builder_.layer_norm(x, weight(role), weight(std::string(role) + "_bias"),
                             static_cast<float>(config_.norm_eps));
}

Value ModelBuilder::activation(Value x) {
  if (config_.activation == Activation::silu) return builder_.silu(x);
  return builder_.gelu(x, config_.activation == Activation::gelu_tanh);
}

Value ModelBuilder::glu(Value gate, Value up) {
  if (config_.activation == Activation::silu) return builder_.swiglu(gate, up);
  return builder_.mul(activation(gate), up);
}

Value ModelBuilder::residual(Value x, Value update) {
  return builder_.add(x, scaled(update, config_.scale.residual));
}

AttentionAttributes ModelBuilder::attention_attributes() const {
  return {.n_heads = config_.n_heads,
          .n_kv_heads = config_.kv_heads_of(layer_),
          .head_dim = config_.head_dim_of(layer_),
          .softmax_scale = config_.attention_scale(),
          .window = config_.is_sliding(layer_) ? config_.window : 0,
          .softcap = static_cast<float>(config_.attention_softcap),
          .causal = config_.causal};
}

Value ModelBuilder::attention(Value q, Value k, Value v) {
  return attention(attention_attributes(), q, k, v);
}

Value ModelBuilder::attention(AttentionAttributes heads, Value q, Value k, Value v) {
  const Value sinks = declared("sinks");
  heads.has_sinks = bool(sinks);
  std::vector<Value> operands{q, k, v, segment_begin_};
  if (sinks) operands.push_back(sinks);
  return builder_.apply(std::make_shared<Attention>(heads), std::move(operands));
}

Value ModelBuilder::lm_head(Value hidden) {
  const Value logits = builder_.linear(hidden, parameter(config_.tied_embeddings ? "embed" : "lm_head"));
  const double cap = config_.logit_softcap;
  if (cap == 0) return scaled(logits, config_.scale.logits);
  return scaled(builder_.tanh(scaled(logits, config_.scale.logits / cap)), cap);
}

}  // namespace hearth
