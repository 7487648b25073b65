// attention and attention_backward: rules.
#include "runtime/ops/attention/attention.h"

#include <cmath>
#include "runtime/ops/rules.h"

namespace hearth {

std::string_view Attention::name() const {
  return "attention";
}
std::string Attention::attributes() const {
  return fmt::format("n_heads={} n_kv_heads={} head_dim={} softmax_scale={}", n_heads, n_kv_heads, head_dim,
                     softmax_scale);
}

namespace {

struct Heads {
  int n_heads, n_kv_heads, head_dim;
  float softmax_scale;
};

Result<void> check_heads(std::string_view op, const Heads& h, Types inputs) {
  if (h.n_heads < 1 || h.n_kv_heads < 1 || h.n_heads % h.n_kv_heads != 0 || h.head_dim < 1)
    return shape_error(op, "n_heads", "a positive multiple of n_kv_heads",
                       fmt::format("{} and {}", h.n_heads, h.n_kv_heads));
  const int64_t n_tokens = inputs[0].shape[0], q = int64_t{h.n_heads} * h.head_dim,
                kv = int64_t{h.n_kv_heads} * h.head_dim;
  const int64_t widths[] = {q, kv, kv};
  const char* names[] = {"q", "k", "v"};
  for (size_t i = 0; i < 3; ++i)
    if (inputs[i].shape[0] != n_tokens || inputs[i].shape[1] != widths[i])
      return shape_error(op, names[i], Shape{n_tokens, widths[i]}.to_string(), inputs[i].to_string());
  if (inputs[3].shape[0] != n_tokens)
    return shape_error(op, "segment_begin", Shape{n_tokens}.to_string(), inputs[3].to_string());
  return {};
}

// Probabilities of query t, head h over tokens begin..t into p; returns the log-sum-exp.
double probabilities(const Heads& h, Views inputs, int64_t t, int head, int64_t begin, std::vector<double>& p) {
  const int64_t q_width = int64_t{h.n_heads} * h.head_dim, kv_width = int64_t{h.n_kv_heads} * h.head_dim;
  const int kv_head = head / (h.n_heads / h.n_kv_heads);
  const float* q = inputs[0].f32() + t * q_width + head * h.head_dim;
  p.assign(static_cast<size_t>(t - begin + 1), 0.0);
  double largest = -INFINITY, sum = 0;
  for (int64_t s = begin; s <= t; ++s) {
    const float* k = inputs[1].f32() + s * kv_width + kv_head * h.head_dim;
    double dot = 0;
    for (int d = 0; d < h.head_dim; ++d) dot += static_cast<double>(q[d]) * k[d];
    p[static_cast<size_t>(s - begin)] = dot * h.softmax_scale;
    largest = std::max(largest, dot * h.softmax_scale);
  }
  for (double& x : p) sum += std::exp(x - largest);
  const double lse = largest + std::log(sum);
  for (double& x : p) x = std::exp(x - lse);
  return lse;
}

Cost attention_cost(double flops_per_pair, const Heads& h, Types inputs, Types outputs) {
  const double n = static_cast<double>(inputs[0].shape[0]);  // an upper bound: one document fills the row
  return streaming_cost(flops_per_pair * n * (n + 1) / 2 * h.n_heads * h.head_dim, inputs, outputs);
}

Sharding heads_sharding(int n_kv_heads, size_t n_inputs, size_t segment_index, size_t n_outputs) {
  Sharding rule{std::vector(n_inputs, std::vector<std::string>{"", "H"}),
                std::vector(n_outputs, std::vector<std::string>{"", "H"}),
                {}};
  rule.inputs[segment_index] = {""};
  if (n_kv_heads % 2 == 0) rule.shardable.push_back("H");
  return rule;
}

Sample attention_sample(std::string name, std::shared_ptr<const Attention> op, int64_t n_tokens, Tensor segments,
                        std::vector<int> gradients) {
  const int64_t q = int64_t{op->n_heads} * op->head_dim, kv = int64_t{op->n_kv_heads} * op->head_dim;
  return make_sample(std::move(name), op, std::move(gradients), random_tensor({n_tokens, q}, 1, 2),
                     random_tensor({n_tokens, kv}, 2, 2), random_tensor({n_tokens, kv}, 3), std::move(segments));
}

Tensor segments_of(int64_t n_tokens, std::initializer_list<int32_t> begins) {
  Tensor out(TensorType{Dtype::i32, {n_tokens}});
  for (int32_t begin : begins) std::fill(out.i32() + begin, out.i32() + n_tokens, begin);
  return out;
}

}  // namespace

Result<std::vector<TensorType>> Attention::infer(Types inputs) const {
  TRY(check_operands(
      "attention", inputs,
      {{"q", Accept::f32, 2}, {"k", Accept::f32, 2}, {"v", Accept::f32, 2}, {"segment_begin", Accept::i32, 1}}));
  TRY(check_heads("attention", {n_heads, n_kv_heads, head_dim, softmax_scale}, inputs));
  return std::vector{inputs[0], TensorType{Dtype::f32, {inputs[0].shape[0], n_heads}}};
}

void Attention::reference(Views inputs, Views outputs) const {
  const Heads heads{n_heads, n_kv_heads, head_dim, softmax_scale};
  const int64_t n_tokens = inputs[0].dim(0), kv_width = int64_t{n_kv_heads} * head_dim;
  std::vector<double> p;
  for (int64_t t = 0; t < n_tokens; ++t)
    for (int h = 0; h < n_heads; ++h) {
      const int64_t begin = inputs[3].i32()[t];
      outputs[1].f32()[t * n_heads + h] = static_cast<float>(probabilities(heads, inputs, t, h, begin, p));
      float* out = outputs[0].f32() + (t * n_heads + h) * head_dim;
      for (int d = 0; d < head_dim; ++d) {
        double sum = 0;
        for (int64_t s = begin; s <= t; ++s)
          sum += p[static_cast<size_t>(s - begin)] *
                 inputs[2].f32()[s * kv_width + h / (n_heads / n_kv_heads) * head_dim + d];
        out[d] = static_cast<float>(sum);
      }
    }
}

Result<std::vector<Value>> Attention::gradient(GradientBuilder& g) const {
  if (g.grad(1)) return not_differentiable(name(), "nothing may depend on lse");
  std::vector<Value> grads =
      g.b.apply_all(std::make_shared<AttentionBackward>(n_heads, n_kv_heads, head_dim, softmax_scale),
                    {g.input(0), g.input(1), g.input(2), g.input(3), g.output(0), g.output(1), g.grad(0)});
  grads.resize(4);
  return grads;
}

Sharding Attention::sharding(Types) const {
  return heads_sharding(n_kv_heads, 4, 3, 2);
}

std::shared_ptr<const Op> Attention::shard(std::string_view, int, int n, Types) const {
  return std::make_shared<Attention>(n_heads / n, n_kv_heads / n, head_dim, softmax_scale);
}

Cost Attention::cost(Types inputs, Types outputs) const {
  return attention_cost(4, {n_heads, n_kv_heads, head_dim, softmax_scale}, inputs, outputs);
}

std::vector<Sample> Attention::samples() {
  auto grouped = std::make_shared<Attention>(4, 2, 8, 0.35f);
  return sample_list(
      attention_sample("small", grouped, 6, segments_of(6, {0}), {0, 1, 2}),
      attention_sample("packed", grouped, 9, segments_of(9, {0, 3, 4}), {0, 1, 2}),
      attention_sample("long", std::make_shared<Attention>(6, 2, 32, 0.18f), 211, segments_of(211, {0, 70, 71, 140}),
                       {}),
      attention_sample("multi_head", std::make_shared<Attention>(2, 2, 64, 0.125f), 97, segments_of(97, {0}), {}));
}

std::string_view AttentionBackward::name() const {
  return "attention_backward";
}
std::string AttentionBackward::attributes() const {
  return fmt::format("n_heads={} n_kv_heads={} head_dim={} softmax_scale={}", n_heads, n_kv_heads, head_dim,
                     softmax_scale);
}

Result<std::vector<TensorType>> AttentionBackward::infer(Types inputs) const {
  TRY(check_operands(name(), inputs,
                     {{"q", Accept::f32, 2},
                      {"k", Accept::f32, 2},
                      {"v", Accept::f32, 2},
                      {"segment_begin", Accept::i32, 1},
                      {"out", Accept::f32, 2},
                      {"lse", Accept::f32, 2},
                      {"dout", Accept::f32, 2}}));
  TRY(check_heads(name(), {n_heads, n_kv_heads, head_dim, softmax_scale}, inputs));
  TRY(check_same_shape(name(), inputs, 0, 4));
  TRY(check_same_shape(name(), inputs, 0, 6));
  return std::vector{inputs[0], inputs[1], inputs[2]};
}

// With P the probabilities and dP = dout·Vᵀ: dV = Pᵀ·dout, dS = P ∘ (dP - rowsum(dout ∘ out)), dQ = scale·dS·K, dK =
// scale·dSᵀ·Q.
void AttentionBackward::reference(Views inputs, Views outputs) const {
  const Heads heads{n_heads, n_kv_heads, head_dim, softmax_scale};
  const int64_t n_tokens = inputs[0].dim(0), q_width = int64_t{n_heads} * head_dim,
                kv_width = int64_t{n_kv_heads} * head_dim;
  std::vector<double> dq(static_cast<size_t>(n_tokens * q_width)), dk(static_cast<size_t>(n_tokens * kv_width)),
      dv(dk.size()), p;
  for (int64_t t = 0; t < n_tokens; ++t)
    for (int h = 0; h < n_heads; ++h) {
      const int64_t begin = inputs[3].i32()[t], q_at = t * q_width + h * head_dim;
      probabilities(heads, inputs, t, h, begin, p);
      double delta = 0;
      for (int d = 0; d < head_dim; ++d)
        delta += static_cast<double>(inputs[6].f32()[q_at + d]) * inputs[4].f32()[q_at + d];
      for (int64_t s = begin; s <= t; ++s) {
        const int64_t kv_at = s * kv_width + h / (n_heads / n_kv_heads) * head_dim;
        const double probability = p[static_cast<size_t>(s - begin)];
        double dp = 0;
        for (int d = 0; d < head_dim; ++d)
          dp += static_cast<double>(inputs[6].f32()[q_at + d]) * inputs[2].f32()[kv_at + d];
        const double ds = probability * (dp - delta) * softmax_scale;
        for (int d = 0; d < head_dim; ++d) {
          dq[static_cast<size_t>(q_at + d)] += ds * inputs[1].f32()[kv_at + d];
          dk[static_cast<size_t>(kv_at + d)] += ds * inputs[0].f32()[q_at + d];
          dv[static_cast<size_t>(kv_at + d)] += probability * inputs[6].f32()[q_at + d];
        }
      }
    }
  std::copy(dq.begin(), dq.end(), outputs[0].f32());
  std::copy(dk.begin(), dk.end(), outputs[1].f32());
  std::copy(dv.begin(), dv.end(), outputs[2].f32());
}

Result<std::vector<Value>> AttentionBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}
Sharding AttentionBackward::sharding(Types) const {
  return heads_sharding(n_kv_heads, 7, 3, 3);
}

std::shared_ptr<const Op> AttentionBackward::shard(std::string_view, int, int n, Types) const {
  return std::make_shared<AttentionBackward>(n_heads / n, n_kv_heads / n, head_dim, softmax_scale);
}

Cost AttentionBackward::cost(Types inputs, Types outputs) const {
  return attention_cost(10, {n_heads, n_kv_heads, head_dim, softmax_scale}, inputs, outputs);
}

// The saved operands must be consistent, so each sample runs the forward reference first.
std::vector<Sample> AttentionBackward::samples() {
  std::vector<Sample> out;
  for (Sample& forward : Attention::samples()) {
    auto op = std::static_pointer_cast<const Attention>(forward.op);
    std::vector<TensorView> inputs;
    for (const Tensor& tensor : forward.inputs) inputs.push_back(tensor.view());
    const int64_t n_tokens = inputs[0].dim(0);
    Tensor result(inputs[0].type), lse(TensorType{Dtype::f32, {n_tokens, op->n_heads}});
    const TensorView outputs[] = {result.view(), lse.view()};
    op->reference(inputs, outputs);
    Sample sample = make_sample(
        forward.name, std::make_shared<AttentionBackward>(op->n_heads, op->n_kv_heads, op->head_dim, op->softmax_scale),
        {});
    sample.inputs = std::move(forward.inputs);
    sample.inputs.push_back(std::move(result));
    sample.inputs.push_back(std::move(lse));
    sample.inputs.push_back(random_tensor(inputs[0].shape(), 5));
    sample.tolerance = 2e-5;
    out.push_back(std::move(sample));
  }
  return out;
}

}  // namespace hearth
