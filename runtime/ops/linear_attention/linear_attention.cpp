// linear_attention and linear_attention_backward: rules.
#include "runtime/ops/linear_attention/linear_attention.h"

#include <algorithm>
#include <cmath>

#include "runtime/ops/rules.h"
#include "runtime/ops/slice_axis/slice_axis.h"

namespace hearth {

std::string_view LinearAttention::name() const {
  return "linear_attention";
}
std::string LinearAttention::attributes() const {
  return heads.to_string();
}

namespace {

constexpr size_t kInputs = 6, kBackwardInputs = 7;  // without skip
using Heads = LinearAttentionAttributes;

Result<void> check_segments(std::string_view op, Types inputs) {
  if (inputs[5].shape[0] == inputs[0].shape[0]) return {};
  return shape_error(op, "segment_begin", Shape{inputs[0].shape[0]}.to_string(), inputs[5].to_string());
}

bool begins(const TensorView& segment_begin, int64_t t) {
  return t == 0 || segment_begin.i32()[t] != segment_begin.i32()[t - 1];
}

// The value heads begin to end, and the key heads that they read.
Heads of_heads(Heads a, int64_t begin, int64_t end) {
  const int64_t group = a.n_v_heads / a.n_k_heads;
  if (!a.is_tiled) a.n_k_heads = static_cast<int>((end - 1) / group - begin / group + 1);
  a.n_v_heads = static_cast<int>(end - begin);
  return a;
}

// Key heads are cut, and their value heads with them. `backward`: dout is an input.
ShardingRule heads_sharding(const Heads& a, bool backward) {
  const AxisName values("heads", a.n_v_heads / a.n_k_heads);
  const Axes k{"", "heads", ""}, v{"", values, ""}, gate{"", values};
  ShardingRule rule{{k, k, v, gate, gate, {""}}, {v}};
  if (backward) rule.inputs.push_back(v), rule.outputs = {k, k, v, gate, gate}, rule.linear = {{6}};
  if (a.has_skip) rule.inputs.push_back({values});
  if (a.has_skip && backward) rule.outputs.push_back({values});
  if (!a.is_tiled) rule.cuts = {"heads"};
  return rule;
}

// Value heads are cut, and each part takes the key heads that they read. Tiled ones go round all key heads.
Alternative repeated_keys(const Heads& a, const ShardingRule& by_heads, Alternative::Nodes nodes) {
  Alternative repeat;
  repeat.axis = "value heads";
  repeat.group = a.is_tiled ? 1 : a.n_v_heads / a.n_k_heads;
  const int64_t unit = a.is_tiled ? a.n_k_heads : 1;
  auto rules = [&](const std::vector<Axes>& operands, Spread keys) {
    std::vector<OperandRule> out;
    for (const Axes& axes : operands) {
      const bool is_segments = axes.size() == 1 && axes[0].name.empty();
      out.push_back(is_segments ? OperandRule{} : OperandRule{Spread::cut, axes.size() == 1 ? 0 : 1, unit});
    }
    if (out.size() > 1) out[0] = out[1] = {keys};
    return out;
  };
  repeat.inputs = rules(by_heads.inputs, Spread::whole);
  repeat.outputs = rules(by_heads.outputs, Spread::sum);
  repeat.nodes = std::move(nodes);
  return repeat;
}

// What is left of [begin, end) in units: value heads, and key heads.
struct HeadRange {
  int64_t v_begin, v_end, k_begin, k_end;
};
HeadRange range_of(const Heads& a, const Part& p) {
  if (a.is_tiled) return {p.begin * a.n_k_heads, p.end * a.n_k_heads, 0, a.n_k_heads};
  const int64_t group = a.n_v_heads / a.n_k_heads;
  return {p.begin, p.end, p.begin / group, (p.end - 1) / group + 1};
}

std::vector<Value> with_own_keys(const Heads& a, const Part& p) {
  const HeadRange r = range_of(a, p);
  std::vector<Value> in = p.inputs;
  if (r.k_end - r.k_begin < a.n_k_heads)
    for (size_t i : {0u, 1u})
      in[i] = p.b.apply(std::make_shared<SliceAxis>(1, r.k_begin, r.k_end - r.k_begin), {in[i]});
  return in;
}

// Per token and head: products with S of dk x dv.
Cost recurrence_cost(double products, const Heads& a, Types inputs, Types outputs) {
  const double n = static_cast<double>(inputs[0].shape[0]);
  return streaming_cost(2 * products * n * a.n_v_heads * a.k_dim * a.v_dim, inputs, outputs);
}

}  // namespace

Result<std::vector<TensorType>> LinearAttention::infer(Types inputs) const {
  const Operand q{"q", Accept::f32, 3}, k{"k", Accept::f32, 3}, v{"v", Accept::f32, 3},
      log_decay{"log_decay", Accept::f32, 2}, beta{"beta", Accept::f32, 2}, segments{"segment_begin", Accept::i32, 1},
      skip{"skip", Accept::f32, 1};
  TRY(heads.has_skip ? check_operands(*this, inputs, {q, k, v, log_decay, beta, segments, skip})
                     : check_operands(*this, inputs, {q, k, v, log_decay, beta, segments}));
  TRY(check_linear_attention(name(), heads, inputs, kInputs));
  TRY(check_segments(name(), inputs));
  return std::vector{inputs[2]};
}

void LinearAttention::reference(Views inputs, Views outputs) const {
  const auto dv = static_cast<size_t>(heads.v_dim);
  std::vector<double> answer(dv);
  for (int h = 0; h < heads.n_v_heads; ++h) {
    LinearAttentionHead head(heads, inputs, h);
    const double skip = heads.has_skip ? inputs[kInputs].f32()[h] : 0;
    for (int64_t t = 0; t < inputs[0].dim(0); ++t) {
      if (begins(inputs[5], t)) std::fill(head.S.begin(), head.S.end(), 0.0);
      head.step(t, answer.data());
      float* out = outputs[0].f32() + t * heads.v_width() + int64_t{h} * heads.v_dim;
      for (size_t d = 0; d < dv; ++d) out[d] = static_cast<float>(answer[d] + skip * head.v(t)[d]);
    }
  }
}

Result<std::vector<Value>> LinearAttention::gradient(GradientBuilder& g) const {
  std::vector<Value> operands;
  for (int i = 0; i < static_cast<int>(kInputs); ++i) operands.push_back(g.input(i));
  operands.push_back(g.grad());
  if (heads.has_skip) operands.push_back(g.input(kInputs));
  const std::vector<Value> grads = g.b.apply_all(std::make_shared<LinearAttentionBackward>(heads), std::move(operands));
  std::vector<Value> out(grads.begin(), grads.begin() + 5);
  out.push_back(Value());
  if (heads.has_skip) out.push_back(grads[5]);
  return out;
}

ShardingRule LinearAttention::sharding(Types) const {
  const Heads a = heads;
  ShardingRule rule = heads_sharding(a, false);
  rule.local["heads"] = [a](int64_t begin, int64_t end) {
    const int64_t group = a.n_v_heads / a.n_k_heads;
    return std::make_shared<LinearAttention>(of_heads(a, begin * group, end * group));
  };
  rule.more = {repeated_keys(a, rule, [a](const Part& p) {
    const HeadRange r = range_of(a, p);
    return p.b.apply_all(std::make_shared<LinearAttention>(of_heads(a, r.v_begin, r.v_end)), with_own_keys(a, p));
  })};
  return rule;
}
Cost LinearAttention::cost(Types inputs, Types outputs) const {
  return recurrence_cost(heads.delta_rule ? 3 : 2, heads, inputs, outputs);
}

std::string_view LinearAttentionBackward::name() const {
  return "linear_attention_backward";
}
std::string LinearAttentionBackward::attributes() const {
  return heads.to_string();
}

Result<std::vector<TensorType>> LinearAttentionBackward::infer(Types inputs) const {
  const Operand q{"q", Accept::f32, 3}, k{"k", Accept::f32, 3}, v{"v", Accept::f32, 3},
      log_decay{"log_decay", Accept::f32, 2}, beta{"beta", Accept::f32, 2}, segments{"segment_begin", Accept::i32, 1},
      dout{"dout", Accept::f32, 3}, skip{"skip", Accept::f32, 1};
  TRY(heads.has_skip ? check_operands(*this, inputs, {q, k, v, log_decay, beta, segments, dout, skip})
                     : check_operands(*this, inputs, {q, k, v, log_decay, beta, segments, dout}));
  TRY(check_linear_attention(name(), heads, inputs, kBackwardInputs));
  TRY(check_segments(name(), inputs));
  TRY(check_same_shape(name(), inputs, 2, 6));
  std::vector<TensorType> types{inputs[0], inputs[1], inputs[2], inputs[3], inputs[4]};
  if (heads.has_skip) types.push_back(inputs[7]);
  return types;
}

namespace {

// Backward of one head: dS, the gradient of S, walks from the last token to the first.
class HeadBackward {
 public:
  HeadBackward(const Heads& a, Views inputs, Views outputs, int h)
      : a_(a), inputs_(inputs), outputs_(outputs), h_(h), head_(a, inputs, h), dS_(head_.S.size()) {}

  void run() {
    const int64_t T = inputs_[0].dim(0);
    std::vector<double> answer(static_cast<size_t>(a_.v_dim));
    for (int64_t t = 0; t < T; ++t) {
      if (begins(inputs_[5], t)) std::fill(head_.S.begin(), head_.S.end(), 0.0);
      before_.push_back(head_.S);
      head_.step(t, answer.data());
    }
    for (int64_t t = T - 1; t >= 0; --t) {
      head_.S = before_[static_cast<size_t>(t)];
      step(t);
      if (begins(inputs_[5], t)) std::fill(dS_.begin(), dS_.end(), 0.0);
    }
  }

 private:
  double dout(int64_t t, size_t d) const {
    return inputs_[6].f32()[t * a_.v_width() + int64_t{h_} * a_.v_dim + static_cast<int64_t>(d)];
  }
  float* key_gradient(size_t output, int64_t t) const {
    return outputs_[output].f32() + t * a_.k_width() + int64_t{head_.k_head()} * a_.k_dim;
  }

  void step(int64_t t) {
    const auto dk = static_cast<size_t>(a_.k_dim), dv = static_cast<size_t>(a_.v_dim);
    const double a = std::exp(head_.gate(3, t)), beta = head_.gate(4, t);
    const double skip = a_.has_skip ? inputs_[7].f32()[h_] : 0;
    const std::vector<double>& S = head_.S;
    const std::vector<double> u = head_.u(t, a);
    std::vector<double> du(dv), dw(dv);
    double da = 0, dbeta = 0;
    for (size_t i = 0; i < dk; ++i)
      for (size_t d = 0; d < dv; ++d) {
        dS_[i * dv + d] += head_.q(t)[i] * dout(t, d);
        du[d] += head_.k(t)[i] * dS_[i * dv + d];
      }
    for (size_t d = 0; d < dv; ++d) {
      double known = 0;  // what S answers to k
      if (a_.delta_rule)
        for (size_t i = 0; i < dk; ++i) known += a * S[i * dv + d] * head_.k(t)[i];
      dbeta += du[d] * (head_.v(t)[d] - known);
      dw[d] = a_.delta_rule ? -beta * du[d] : 0;
      float* dv_out = outputs_[2].f32() + t * a_.v_width() + int64_t{h_} * a_.v_dim;
      dv_out[d] = static_cast<float>(beta * du[d] + skip * dout(t, d));
      if (a_.has_skip) outputs_[5].f32()[h_] += static_cast<float>(dout(t, d) * head_.v(t)[d]);
    }
    for (size_t i = 0; i < dk; ++i) {
      double dq = 0, dkey = 0;
      for (size_t d = 0; d < dv; ++d) {
        const size_t at = i * dv + d;
        dq += (a * S[at] + head_.k(t)[i] * u[d]) * dout(t, d);
        dkey += dS_[at] * u[d] + a * S[at] * dw[d];
        da += dS_[at] * S[at] + head_.k(t)[i] * S[at] * dw[d];
        dS_[at] = a * (dS_[at] + head_.k(t)[i] * dw[d]);
      }
      key_gradient(0, t)[i] += static_cast<float>(dq);
      key_gradient(1, t)[i] += static_cast<float>(dkey);
    }
    outputs_[3].f32()[t * a_.n_v_heads + h_] = static_cast<float>(a * da);
    outputs_[4].f32()[t * a_.n_v_heads + h_] = static_cast<float>(dbeta);
  }

  const Heads& a_;
  Views inputs_, outputs_;
  int h_;
  LinearAttentionHead head_;
  std::vector<double> dS_;
  std::vector<std::vector<double>> before_;  // S before each token
};

}  // namespace

void LinearAttentionBackward::reference(Views inputs, Views outputs) const {
  for (size_t i : {0u, 1u}) std::fill_n(outputs[i].f32(), outputs[i].shape().n_elements(), 0.0f);
  if (heads.has_skip) std::fill_n(outputs[5].f32(), heads.n_v_heads, 0.0f);
  for (int h = 0; h < heads.n_v_heads; ++h) HeadBackward(heads, inputs, outputs, h).run();
}

Result<std::vector<Value>> LinearAttentionBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}
ShardingRule LinearAttentionBackward::sharding(Types) const {
  const Heads a = heads;
  ShardingRule rule = heads_sharding(a, true);
  rule.local["heads"] = [a](int64_t begin, int64_t end) {
    const int64_t group = a.n_v_heads / a.n_k_heads;
    return std::make_shared<LinearAttentionBackward>(of_heads(a, begin * group, end * group));
  };
  rule.more = {repeated_keys(a, rule, [a](const Part& p) {
    const HeadRange r = range_of(a, p);
    auto op = std::make_shared<LinearAttentionBackward>(of_heads(a, r.v_begin, r.v_end));
    std::vector<Value> out = p.b.apply_all(op, with_own_keys(a, p));
    if (r.k_end - r.k_begin < a.n_k_heads)
      for (size_t i : {0u, 1u}) out[i] = p.b.apply(std::make_shared<PadAxis>(1, r.k_begin, a.n_k_heads), {out[i]});
    return out;
  })};
  return rule;
}
Cost LinearAttentionBackward::cost(Types inputs, Types outputs) const {
  return recurrence_cost(heads.delta_rule ? 11 : 8, heads, inputs, outputs);
}

}  // namespace hearth
