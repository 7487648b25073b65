// attention and attention_backward: rules.
#include "runtime/ops/attention/attention.h"

#include <algorithm>
#include <cmath>

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view Attention::name() const {
  return "attention";
}
std::string Attention::attributes() const {
  return heads.to_string();
}

namespace {

constexpr size_t kInputs = 4, kBackwardInputs = 7;  // without sinks

Result<void> check_segments(std::string_view op, Types inputs) {
  if (inputs[3].shape[0] == inputs[0].shape[0]) return {};
  return shape_error(op, "segment_begin", Shape{inputs[0].shape[0]}.to_string(), inputs[3].to_string());
}

struct Keys {
  int64_t begin, end;  // half-open
};

Keys visible_keys(const AttentionAttributes& a, const TensorView& segment_begin, int64_t t) {
  Keys keys{segment_begin.i32()[t], t + 1};
  if (!a.causal)
    while (keys.end < segment_begin.dim(0) && segment_begin.i32()[keys.end] == keys.begin) ++keys.end;
  if (a.window == 0) return keys;
  return {std::max(keys.begin, t - a.window + 1), std::min(keys.end, t + a.window)};
}

// One query of one head against the keys that it sees.
struct Row {
  Keys keys;
  std::vector<double> p;      // probabilities
  std::vector<double> slope;  // d score / d (scaled dot product): 1 without softcap
  double lse = 0;
};

double sink_of(const AttentionAttributes& a, Views inputs, size_t index, int head) {
  return a.has_sinks ? to_f32(inputs[index]).f32()[head] : -INFINITY;
}

Row attend(const AttentionAttributes& a, Views inputs, int64_t t, int head, double sink) {
  Row row{visible_keys(a, inputs[3], t), {}, {}};
  const float* q = inputs[0].f32() + t * a.q_width() + int64_t{head} * a.head_dim;
  double largest = sink;
  for (int64_t s = row.keys.begin; s < row.keys.end; ++s) {
    const float* k = inputs[1].f32() + s * a.k_width() + int64_t{head / (a.n_heads / a.n_kv_heads)} * a.head_dim;
    double score = 0;
    for (int d = 0; d < a.head_dim; ++d) score += static_cast<double>(q[d]) * k[d];
    score *= a.softmax_scale;
    const double bent = a.softcap > 0 ? std::tanh(score / a.softcap) : 0;
    row.p.push_back(a.softcap > 0 ? a.softcap * bent : score);
    row.slope.push_back(1 - bent * bent);
    largest = std::max(largest, row.p.back());
  }
  double sum = std::exp(sink - largest);
  for (double x : row.p) sum += std::exp(x - largest);
  row.lse = largest + std::log(sum);
  for (double& x : row.p) x = std::exp(x - row.lse);
  return row;
}

Cost attention_cost(double flops_per_pair, const AttentionAttributes& a, Types inputs, Types outputs) {
  const double pairs = attention_pairs(a, static_cast<double>(inputs[0].shape[0]));
  return streaming_cost(flops_per_pair * pairs * a.n_heads, inputs, outputs);
}

Sharding heads_sharding(const AttentionAttributes& a, size_t n_inputs, size_t n_outputs) {
  Sharding rule{std::vector(n_inputs, std::vector<std::string>{"", "H", ""}),
                std::vector(n_outputs, std::vector<std::string>{"", "H", ""}),
                {}};
  rule.inputs[3] = {""};
  if (a.has_sinks) rule.inputs.push_back({"H"});
  if (a.n_kv_heads > 1) rule.shardable.push_back("H");
  return rule;
}

}  // namespace

Result<std::vector<TensorType>> Attention::infer(Types inputs) const {
  const Operand q{"q", Accept::f32, 3}, k{"k", Accept::f32, 3}, v{"v", Accept::f32, 3},
      segments{"segment_begin", Accept::i32, 1}, sinks{"sinks", Accept::cache, 1};
  TRY(heads.has_sinks ? check_operands(*this, inputs, {q, k, v, segments, sinks})
                      : check_operands(*this, inputs, {q, k, v, segments}));
  TRY(check_attention(name(), heads, inputs, kInputs));
  TRY(check_segments(name(), inputs));
  const int64_t n_tokens = inputs[0].shape[0];
  return std::vector{TensorType{Dtype::f32, heads.out_shape(n_tokens)},
                     TensorType{Dtype::f32, {n_tokens, heads.n_heads}}};
}

void Attention::reference(Views inputs, Views outputs) const {
  const int64_t n_tokens = inputs[0].dim(0), group = heads.n_heads / heads.n_kv_heads;
  const int v_dim = heads.v_dim();
  for (int h = 0; h < heads.n_heads; ++h) {
    const double sink = sink_of(heads, inputs, kInputs, h);
    for (int64_t t = 0; t < n_tokens; ++t) {
      const Row row = attend(heads, inputs, t, h, sink);
      outputs[1].f32()[t * heads.n_heads + h] = static_cast<float>(row.lse);
      for (int d = 0; d < v_dim; ++d) {
        double sum = 0;
        for (int64_t s = row.keys.begin; s < row.keys.end; ++s)
          sum += row.p[static_cast<size_t>(s - row.keys.begin)] *
                 inputs[2].f32()[s * heads.v_width() + h / group * v_dim + d];
        outputs[0].f32()[(t * heads.n_heads + h) * v_dim + d] = static_cast<float>(sum);
      }
    }
  }
}

Result<std::vector<Value>> Attention::gradient(GradientBuilder& g) const {
  if (g.grad(1)) return not_differentiable(name(), "nothing may depend on lse");
  std::vector<Value> operands{g.input(0), g.input(1), g.input(2), g.input(3), g.output(0), g.output(1), g.grad(0)};
  if (heads.has_sinks) operands.push_back(g.input(kInputs));
  const std::vector<Value> grads = g.b.apply_all(std::make_shared<AttentionBackward>(heads), std::move(operands));
  std::vector<Value> out{grads[0], grads[1], grads[2], Value()};
  if (heads.has_sinks) out.push_back(grads[3]);
  return out;
}

Sharding Attention::sharding(Types) const {
  Sharding rule = heads_sharding(heads, kInputs, 2);
  rule.outputs[1] = {"", "H"};
  return rule;
}

std::shared_ptr<const Op> Attention::shard(std::string_view, int, int n, Types) const {
  return std::make_shared<Attention>(heads.shard(n));
}

Cost Attention::cost(Types inputs, Types outputs) const {
  return attention_cost(2.0 * (heads.head_dim + heads.v_dim()), heads, inputs, outputs);
}

std::string_view AttentionBackward::name() const {
  return "attention_backward";
}
std::string AttentionBackward::attributes() const {
  return heads.to_string();
}

Result<std::vector<TensorType>> AttentionBackward::infer(Types inputs) const {
  const Operand q{"q", Accept::f32, 3}, k{"k", Accept::f32, 3}, v{"v", Accept::f32, 3},
      segments{"segment_begin", Accept::i32, 1}, out{"out", Accept::f32, 3}, lse{"lse", Accept::f32, 2},
      dout{"dout", Accept::f32, 3}, sinks{"sinks", Accept::cache, 1};
  TRY(heads.has_sinks ? check_operands(*this, inputs, {q, k, v, segments, out, lse, dout, sinks})
                      : check_operands(*this, inputs, {q, k, v, segments, out, lse, dout}));
  TRY(check_attention(name(), heads, inputs, kBackwardInputs));
  TRY(check_segments(name(), inputs));
  const Shape rows = heads.out_shape(inputs[0].shape[0]);
  for (size_t i : {4u, 6u})
    if (!(inputs[i].shape == rows)) return shape_error(name(), "out and dout", rows.to_string(), inputs[i].to_string());
  std::vector<TensorType> types{inputs[0], inputs[1], inputs[2]};
  if (heads.has_sinks) types.push_back({Dtype::f32, {heads.n_heads}});
  return types;
}

// With P the probabilities and dP = dout·Vᵀ: dV = Pᵀ·dout, dS = P ∘ (dP - rowsum(dout ∘ out)), dQ = scale·dS·K, dK =
// scale·dSᵀ·Q, where a softcap multiplies dS by its slope. The sink is a key of value zero: its dS is -P·rowsum(...).
void AttentionBackward::reference(Views inputs, Views outputs) const {
  const AttentionAttributes& a = heads;
  const int64_t n_tokens = inputs[0].dim(0), group = a.n_heads / a.n_kv_heads;
  const int v_dim = a.v_dim();
  std::vector<double> dq(static_cast<size_t>(n_tokens * a.q_width())), dk(static_cast<size_t>(n_tokens * a.k_width())),
      dv(static_cast<size_t>(n_tokens * a.v_width())), dsinks(static_cast<size_t>(a.n_heads));
  for (int h = 0; h < a.n_heads; ++h) {
    const double sink = sink_of(a, inputs, kBackwardInputs, h);
    for (int64_t t = 0; t < n_tokens; ++t) {
      const Row row = attend(a, inputs, t, h, sink);
      const int64_t q_at = t * a.q_width() + int64_t{h} * a.head_dim, out_at = (t * a.n_heads + h) * v_dim;
      double delta = 0;
      for (int d = 0; d < v_dim; ++d)
        delta += static_cast<double>(inputs[6].f32()[out_at + d]) * inputs[4].f32()[out_at + d];
      dsinks[static_cast<size_t>(h)] -= std::exp(sink - row.lse) * delta;
      for (int64_t s = row.keys.begin; s < row.keys.end; ++s) {
        const int64_t k_at = s * a.k_width() + h / group * a.head_dim, v_at = s * a.v_width() + h / group * v_dim;
        const auto i = static_cast<size_t>(s - row.keys.begin);
        double dp = 0;
        for (int d = 0; d < v_dim; ++d)
          dp += static_cast<double>(inputs[6].f32()[out_at + d]) * inputs[2].f32()[v_at + d];
        const double ds = row.p[i] * (dp - delta) * row.slope[i] * a.softmax_scale;
        for (int d = 0; d < a.head_dim; ++d) {
          dq[static_cast<size_t>(q_at + d)] += ds * inputs[1].f32()[k_at + d];
          dk[static_cast<size_t>(k_at + d)] += ds * inputs[0].f32()[q_at + d];
        }
        for (int d = 0; d < v_dim; ++d) dv[static_cast<size_t>(v_at + d)] += row.p[i] * inputs[6].f32()[out_at + d];
      }
    }
  }
  std::copy(dq.begin(), dq.end(), outputs[0].f32());
  std::copy(dk.begin(), dk.end(), outputs[1].f32());
  std::copy(dv.begin(), dv.end(), outputs[2].f32());
  if (a.has_sinks) std::copy(dsinks.begin(), dsinks.end(), outputs[3].f32());
}

Result<std::vector<Value>> AttentionBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}

Sharding AttentionBackward::sharding(Types) const {
  Sharding rule = heads_sharding(heads, kBackwardInputs, 3);
  rule.inputs[5] = {"", "H"};
  if (heads.has_sinks) rule.outputs.push_back({"H"});
  return rule;
}

std::shared_ptr<const Op> AttentionBackward::shard(std::string_view, int, int n, Types) const {
  return std::make_shared<AttentionBackward>(heads.shard(n));
}

Cost AttentionBackward::cost(Types inputs, Types outputs) const {
  return attention_cost(6.0 * heads.head_dim + 4.0 * heads.v_dim(), heads, inputs, outputs);
}

}  // namespace hearth
