// attention and attention_backward: rules.
#include "runtime/ops/attention/attention.h"

#include <algorithm>
#include <cmath>

#include "runtime/ops/rules.h"
#include "runtime/ops/slice_axis/slice_axis.h"

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

// Of the key heads that query heads begin to end read.
AttentionAttributes of_heads(AttentionAttributes a, int64_t begin, int64_t end) {
  const int64_t group = a.n_heads / a.n_kv_heads;
  a.n_heads = static_cast<int>(end - begin);
  a.n_kv_heads = static_cast<int>((end - 1) / group - begin / group + 1);
  return a;
}

// Key heads are cut, and their query heads with them. `backward`: lse is an input.
ShardingRule heads_sharding(const AttentionAttributes& a, bool backward) {
  const AxisName queries("heads", a.n_heads / a.n_kv_heads);
  const Axes q{"", queries, ""}, k{"", "heads", ""}, lse{"", queries}, sinks{queries};
  ShardingRule rule;
  rule.inputs = {q, k, k, {""}};
  rule.outputs = {q, lse};
  if (backward) rule.inputs.insert(rule.inputs.end(), {q, lse, q}), rule.outputs = {q, k, k}, rule.linear = {{6}};
  if (a.has_sinks) rule.inputs.push_back(sinks);
  if (a.has_sinks && backward) rule.outputs.push_back(sinks);
  rule.cuts = {"heads"};
  return rule;
}

// Query heads are cut, and each part takes the key heads that they read: where there are fewer of those than parts.
Alternative repeated_keys(const AttentionAttributes& a, const ShardingRule& by_heads, Alternative::Nodes nodes) {
  Alternative repeat;
  repeat.axis = "query heads";
  const OperandRule keys, queries{Spread::cut, 1, 1};
  for (const Axes& axes : by_heads.inputs) repeat.inputs.push_back(axes.size() > 1 ? queries : keys);
  for (const Axes& axes : by_heads.outputs) repeat.outputs.push_back(axes.size() > 1 ? queries : keys);
  repeat.inputs[1] = repeat.inputs[2] = keys;
  if (a.has_sinks) repeat.inputs.back() = {Spread::cut, 0, 1};
  repeat.group = a.n_heads / a.n_kv_heads;
  repeat.nodes = std::move(nodes);
  return repeat;
}

// Positions of queries are cut; keys and values are gathered. A part attends from its last position backwards.
Alternative cut_positions(const ShardingRule& by_heads, Alternative::Nodes nodes) {
  Alternative cut;
  cut.axis = "position";
  const OperandRule rows{Spread::cut, 0, 1};
  for (const Axes& axes : by_heads.inputs) cut.inputs.push_back(axes.size() > 1 ? rows : OperandRule{});
  for (const Axes& axes : by_heads.outputs) cut.outputs.push_back(axes.size() > 1 ? rows : OperandRule{Spread::sum});
  cut.inputs[1] = cut.inputs[2] = {};
  cut.nodes = std::move(nodes);
  return cut;
}

Value slice(const Part& p, Value v, int axis, int64_t begin, int64_t end) {
  if (p.b.failed() || p.b.type(v).shape[axis] == end - begin) return v;
  return p.b.apply(std::make_shared<SliceAxis>(axis, begin, end - begin), {v});
}
Value pad(const Part& p, Value v, int axis, int64_t begin, int64_t size) {
  if (p.b.failed() || p.b.type(v).shape[axis] == size) return v;
  return p.b.apply(std::make_shared<PadAxis>(axis, begin, size), {v});
}

// The inputs of a part with the key heads that it reads.
std::vector<Value> with_own_keys(const AttentionAttributes& a, const Part& p) {
  const int64_t group = a.n_heads / a.n_kv_heads;
  std::vector<Value> in = p.inputs;
  for (size_t i : {1u, 2u}) in[i] = slice(p, in[i], 1, p.begin / group, (p.end - 1) / group + 1);
  return in;
}

// How many keys a part sees, from the first.
int64_t n_keys(const AttentionAttributes& a, const Part& p) {
  return a.causal ? p.end : p.types[1].shape[0];
}

// The inputs of a part with rows of zeros before (and, where queries see what follows, behind) those of its positions:
// `rows` are of queries.
std::vector<Value> with_all_rows(const AttentionAttributes& a, const Part& p, std::initializer_list<size_t> rows) {
  std::vector<Value> in = p.inputs;
  for (size_t i : rows) in[i] = pad(p, in[i], 0, p.begin, n_keys(a, p));
  for (size_t i : {1u, 2u, 3u}) in[i] = slice(p, in[i], 0, 0, n_keys(a, p));
  return in;
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
  return std::vector{TensorType{inputs[0].dtype, heads.out_shape(n_tokens)},
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

ShardingRule Attention::sharding(Types) const {
  const AttentionAttributes a = heads;
  ShardingRule rule = heads_sharding(a, false);
  const int64_t group = a.n_heads / a.n_kv_heads;
  rule.local["heads"] = [=](int64_t begin, int64_t end) {
    return std::make_shared<Attention>(of_heads(a, begin * group, end * group));
  };
  rule.more.push_back(repeated_keys(a, rule, [a](const Part& p) {
    return p.b.apply_all(std::make_shared<Attention>(of_heads(a, p.begin, p.end)), with_own_keys(a, p));
  }));
  rule.more.push_back(cut_positions(rule, [a](const Part& p) {
    std::vector<Value> out = p.b.apply_all(std::make_shared<Attention>(a), with_all_rows(a, p, {0}));
    for (size_t i : {0u, 1u}) out[i] = slice(p, out[i], 0, p.begin, p.end);
    return out;
  }));
  return rule;
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

ShardingRule AttentionBackward::sharding(Types) const {
  const AttentionAttributes a = heads;
  ShardingRule rule = heads_sharding(a, true);
  const int64_t group = a.n_heads / a.n_kv_heads;
  rule.local["heads"] = [=](int64_t begin, int64_t end) {
    return std::make_shared<AttentionBackward>(of_heads(a, begin * group, end * group));
  };
  Alternative repeat = repeated_keys(a, rule, [=](const Part& p) {
    auto op = std::make_shared<AttentionBackward>(of_heads(a, p.begin, p.end));
    std::vector<Value> out = p.b.apply_all(op, with_own_keys(a, p));
    for (size_t i : {1u, 2u}) out[i] = pad(p, out[i], 1, p.begin / group, a.n_kv_heads);
    return out;
  });
  repeat.outputs[1] = repeat.outputs[2] = {Spread::sum};
  if (a.has_sinks) repeat.outputs[3] = {Spread::cut, 0, 1};
  Alternative positions = cut_positions(rule, [a](const Part& p) {
    std::vector<Value> out = p.b.apply_all(std::make_shared<AttentionBackward>(a), with_all_rows(a, p, {0, 4, 5, 6}));
    out[0] = slice(p, out[0], 0, p.begin, p.end);
    for (size_t i : {1u, 2u}) out[i] = pad(p, out[i], 0, 0, p.types[1].shape[0]);
    return out;
  });
  positions.outputs[1] = positions.outputs[2] = {Spread::sum};
  rule.more = {std::move(repeat), std::move(positions)};
  return rule;
}

Cost AttentionBackward::cost(Types inputs, Types outputs) const {
  return attention_cost(6.0 * heads.head_dim + 4.0 * heads.v_dim(), heads, inputs, outputs);
}

}  // namespace hearth
