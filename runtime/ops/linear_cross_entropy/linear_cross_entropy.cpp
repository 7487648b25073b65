// linear_cross_entropy and linear_cross_entropy_backward: rules.
#include "runtime/ops/linear_cross_entropy/linear_cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "runtime/ops/cross_entropy/cross_entropy.h"
#include "runtime/ops/cross_entropy/part_loss.h"
#include "runtime/ops/matmul/matmul.h"
#include "runtime/ops/rules.h"
#include "runtime/ops/tanh/tanh.h"

namespace hearth {

std::string LogitForm::to_string() const {
  return fmt::format("factor={} cap={}", factor, cap);
}

std::string_view LinearCrossEntropy::name() const {
  return "linear_cross_entropy";
}
std::string LinearCrossEntropy::attributes() const {
  return form.to_string();
}

namespace {

constexpr Operand kX{"x", Accept::f32, 2}, kW{"w", Accept::weight, 2}, kTargets{"targets", Accept::i32, 1},
    kWeights{"weights", Accept::f32, 1}, kDloss{"dloss", Accept::f32, 1};

Result<void> check_shapes(std::string_view op, Types inputs) {
  if (inputs[1].shape[1] != inputs[0].shape[1])
    return shape_error(op, "w", "[V, C] for x [T, C]", inputs[0].to_string() + " and " + inputs[1].to_string());
  for (size_t i : {2u, 3u})
    if (inputs[i].shape[0] != inputs[0].shape[0])
      return shape_error(op, i == 2 ? "targets" : "weights", "one per row of x",
                         inputs[0].to_string() + " and " + inputs[i].to_string());
  return {};
}

// The logits of one token, in doubles, and what the loss and the gradients take from them.
class TokenLogits {
 public:
  TokenLogits(const LogitForm& form, const FloatRows& x, const FloatRows& w, Views inputs, int64_t t)
      : form_(form), target_(inputs[2].i32()[t]), z_(static_cast<size_t>(inputs[1].dim(0))) {
    for (size_t v = 0; v < z_.size(); ++v) {
      for (int64_t c = 0; c < inputs[0].dim(1); ++c)
        z_[v] += static_cast<double>(x.at(t, c)) * w.at(static_cast<int64_t>(v), c);
      z_[v] *= form.factor;
      if (form.cap > 0) z_[v] = form.cap * std::tanh(z_[v]);
    }
    const double largest = *std::max_element(z_.begin(), z_.end());
    double sum = 0;
    for (double z : z_) sum += std::exp(z - largest);
    lse_ = largest + std::log(sum);
  }
  double nll() const { return lse_ - z_[static_cast<size_t>(target_)]; }
  // Of nll towards the product x · w[v].
  double gradient(size_t v) const {
    const double p = std::exp(z_[v] - lse_) - (static_cast<int64_t>(v) == target_ ? 1 : 0), t = z_[v] / form_.cap;
    return p * form_.factor * (form_.cap > 0 ? form_.cap * (1 - t * t) : 1);
  }

 private:
  const LogitForm& form_;
  int64_t target_;
  std::vector<double> z_;
  double lse_ = 0;
};

bool is_learned(Views inputs, int64_t t) {
  const int32_t target = inputs[2].i32()[t];
  return target >= 0 && target < inputs[1].dim(0);
}

ShardingRule token_sharding(size_t n_inputs) {
  ShardingRule rule{{{"position", ""}, {"", ""}, {"position"}, {"position"}}, {{""}}, {"position"}};
  if (n_inputs > 4) rule.inputs.push_back({""});
  return rule;
}

// The vocabulary is cut: a part makes its logits, all tokens at once, and the loss of parts (part_loss.h).
struct PartLogits {
  Value bent;  // tanh, where there is a cap
  Value value;
  PartLoss loss;
};
PartLogits logits_of_part(const LogitForm& form, const Part& p) {
  PartLogits out;
  const Value y = p.b.apply(std::make_shared<Matmul>(false, true, /*widens=*/true), {p.inputs[0], p.inputs[1]});
  out.value = form.factor == 1 ? y : p.b.scale(y, form.factor);
  if (form.cap > 0) out.bent = p.b.tanh(out.value), out.value = p.b.scale(out.bent, form.cap);
  out.loss = loss_of_part(p, out.value, p.inputs[2], p.inputs[3]);
  return out;
}

// Of the product x · wᵀ, like x.
Value gradient_of_part(const LogitForm& form, const Part& p, const PartLogits& logits) {
  Value dy = p.b.apply(std::make_shared<CrossEntropyBackward>(p.begin),
                       {logits.value, p.inputs[2], p.inputs[3], logits.loss.lse, p.inputs[4]});
  if (form.cap > 0) dy = p.b.apply(std::make_shared<TanhBackward>(), {logits.bent, p.b.scale(dy, form.cap)});
  return p.b.cast(form.factor == 1 ? dy : p.b.scale(dy, form.factor), p.types[0].dtype);
}

Alternative by_vocabulary(size_t n_inputs, Alternative::Nodes nodes) {
  Alternative out;
  out.axis = "vocabulary";
  out.inputs.resize(n_inputs);
  out.inputs[1] = {Spread::cut, 0, 1};
  out.outputs.resize(1);
  out.nodes = std::move(nodes);
  return out;
}

Cost product_cost(double products, Types inputs, Types outputs) {
  const Shape &x = inputs[0].shape, &w = inputs[1].shape;
  const double logits = static_cast<double>(x[0]) * static_cast<double>(w[0]);
  return streaming_cost((2 * products * static_cast<double>(x[1]) + 4) * logits, inputs, outputs);
}

}  // namespace

Result<std::vector<TensorType>> LinearCrossEntropy::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {kX, kW, kTargets, kWeights}));
  TRY(check_shapes(name(), inputs));
  return std::vector{TensorType{Dtype::f32, {1}}};
}

void LinearCrossEntropy::reference(Views inputs, Views outputs) const {
  const FloatRows x(inputs[0]), w(inputs[1]);
  double loss = 0;
  for (int64_t t = 0; t < inputs[0].dim(0); ++t)
    if (is_learned(inputs, t)) loss += inputs[3].f32()[t] * TokenLogits(form, x, w, inputs, t).nll();
  outputs[0].f32()[0] = static_cast<float>(loss);
}

Result<std::vector<Value>> LinearCrossEntropy::gradient(GradientBuilder& g) const {
  const TensorType& w = g.b.type(g.input(1));
  if (g.needs(1) && w.dtype != Dtype::f32)
    return not_differentiable(name(),
                              "w is frozen (" + w.to_string() + "); train f32 weights or a low-rank update elsewhere");
  const std::vector<Value> out = g.b.apply_all(std::make_shared<LinearCrossEntropyBackward>(form, g.needs(1)),
                                               {g.input(0), g.input(1), g.input(2), g.input(3), g.grad()});
  g.replace_output(0, out[0]);
  return std::vector{out[1], g.needs(1) ? out[2] : Value(), Value(), Value()};
}

ShardingRule LinearCrossEntropy::sharding(Types inputs) const {
  ShardingRule rule = token_sharding(inputs.size());
  rule.more = {
      by_vocabulary(inputs.size(), [f = form](const Part& p) { return std::vector{logits_of_part(f, p).loss.loss}; })};
  return rule;
}
Cost LinearCrossEntropy::cost(Types inputs, Types outputs) const {
  return product_cost(1, inputs, outputs);
}

std::vector<Sample> LinearCrossEntropy::samples() {
  auto op = [](LogitForm form) { return std::make_shared<LinearCrossEntropy>(form); };
  auto targets = [](int64_t n, int64_t vocab) {
    Tensor out = random_ids(n, vocab, 9);
    out.i32()[1] = -1;
    return out;
  };
  auto sample = [&](const char* name, LogitForm form, std::vector<int> grads, int64_t T, int64_t V, int64_t C,
                    Dtype dtype = Dtype::f32) {
    Tensor weights = random_tensor({T}, 3);  // of one sign: losses do not cancel
    for (int64_t t = 0; t < T; ++t) weights.f32()[t] += 1.5f;
    return make_sample(name, op(form), std::move(grads), random_tensor({T, C}, 1), random_weights(dtype, {V, C}, 2),
                       targets(T, V), std::move(weights));
  };
  std::vector<Sample> out =
      sample_list(sample("small", {}, {0, 1}, 4, 20, 6), sample("scaled", {0.25f}, {0, 1}, 4, 21, 6),
                  sample("capped", {0.5f, 3}, {0, 1}, 4, 20, 6), sample("cut", {}, {}, 12, 30, 16),
                  sample("several_chunks", {}, {}, 260, 33'000, 3), sample("frozen", {}, {0}, 5, 20, 64, Dtype::q8_0),
                  sample("bf16", {0.5f, 30}, {}, 40, 300, 72, Dtype::bf16));
  Sample none = sample("no_target", {}, {}, 3, 20, 8);
  std::fill_n(none.inputs[2].i32(), 3, -1);
  out.push_back(std::move(none));
  return out;
}

std::string_view LinearCrossEntropyBackward::name() const {
  return "linear_cross_entropy_backward";
}
std::string LinearCrossEntropyBackward::attributes() const {
  return fmt::format("{} trains_w={}", form.to_string(), trains_w);
}

Result<std::vector<TensorType>> LinearCrossEntropyBackward::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {kX, kW, kTargets, kWeights, kDloss}));
  TRY(check_shapes(name(), inputs));
  if (trains_w && inputs[1].dtype != Dtype::f32) return shape_error(name(), "w", "f32", inputs[1].to_string());
  std::vector<TensorType> out{{Dtype::f32, {1}}, inputs[0]};
  if (trains_w) out.push_back(inputs[1]);
  return out;
}

void LinearCrossEntropyBackward::reference(Views inputs, Views outputs) const {
  const FloatRows x(inputs[0]), w(inputs[1]);
  const int64_t T = inputs[0].dim(0), V = inputs[1].dim(0), C = inputs[0].dim(1);
  std::vector<double> dw(trains_w ? static_cast<size_t>(V * C) : 0), dx(static_cast<size_t>(C));
  double loss = 0;
  for (int64_t t = 0; t < T; ++t) {
    std::fill(dx.begin(), dx.end(), 0.0);
    if (is_learned(inputs, t)) {
      const TokenLogits logits(form, x, w, inputs, t);
      const double weight = inputs[3].f32()[t];
      loss += weight * logits.nll();
      for (int64_t v = 0; v < V; ++v) {
        const double dy = weight * inputs[4].f32()[0] * logits.gradient(static_cast<size_t>(v));
        for (int64_t c = 0; c < C; ++c) {
          dx[static_cast<size_t>(c)] += dy * w.at(v, c);
          if (trains_w) dw[static_cast<size_t>(v * C + c)] += dy * x.at(t, c);
        }
      }
    }
    for (int64_t c = 0; c < C; ++c) outputs[1].f32()[t * C + c] = static_cast<float>(dx[static_cast<size_t>(c)]);
  }
  for (size_t i = 0; i < dw.size(); ++i) outputs[2].f32()[i] = static_cast<float>(dw[i]);
  outputs[0].f32()[0] = static_cast<float>(loss);
}

Result<std::vector<Value>> LinearCrossEntropyBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}
ShardingRule LinearCrossEntropyBackward::sharding(Types inputs) const {
  ShardingRule rule = token_sharding(inputs.size());
  rule.outputs.push_back({"position", ""});
  if (trains_w) rule.outputs.push_back({"", ""});
  Alternative cut = by_vocabulary(inputs.size(), [f = form, trains = trains_w](const Part& p) {
    const PartLogits logits = logits_of_part(f, p);
    const Value dy = gradient_of_part(f, p, logits);
    std::vector<Value> out{logits.loss.loss, p.b.matmul(dy, p.inputs[1], false, false)};
    if (trains) out.push_back(p.b.matmul(dy, p.inputs[0], true, false));
    return out;
  });
  cut.outputs = {{}, {Spread::sum}};
  if (trains_w) cut.outputs.push_back({Spread::cut, 0, 1});
  rule.more = {std::move(cut)};
  return rule;
}
Cost LinearCrossEntropyBackward::cost(Types inputs, Types outputs) const {
  return product_cost(trains_w ? 3 : 2, inputs, outputs);
}

std::vector<Sample> LinearCrossEntropyBackward::samples() {
  std::vector<Sample> out;
  for (const bool trains_w : {true, false})
    for (Sample& forward : LinearCrossEntropy::samples()) {
      if (trains_w && forward.inputs[1].type().dtype != Dtype::f32) continue;
      const LogitForm form = static_cast<const LinearCrossEntropy&>(*forward.op).form;
      Sample sample = make_sample(forward.name + (trains_w ? "" : "_frozen"),
                                  std::make_shared<LinearCrossEntropyBackward>(form, trains_w), {});
      sample.inputs = std::move(forward.inputs);
      Tensor dloss(TensorType{Dtype::f32, {1}});
      dloss.f32()[0] = 0.7f;
      sample.inputs.push_back(std::move(dloss));
      out.push_back(std::move(sample));
    }
  return out;
}

}  // namespace hearth
