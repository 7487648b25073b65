// slice_heads and pad_heads: rules.
#include "runtime/ops/slice_heads/slice_heads.h"

#include <algorithm>

#include "runtime/ops/rules.h"

namespace hearth {
namespace {

std::string to_text(int head_dim, int begin, int n) {
  return fmt::format("head_dim={} begin={} n={}", head_dim, begin, n);
}

// The output type; `from` and `to` are the widths of a head before and after.
Result<std::vector<TensorType>> infer_heads(const Op& op, Types inputs, int head_dim, int begin, int n, int from,
                                            int to) {
  TRY(check_operands(op, inputs, {{"x", Accept::f32, 0}}));
  if (n < 1 || begin < 0 || begin + n > head_dim)
    return shape_error(op.name(), "the slice", "within the head", to_text(head_dim, begin, n));
  if (inputs[0].shape.last() != from)
    return shape_error(op.name(), "x", fmt::format("heads of {} columns", from), inputs[0].to_string());
  TensorType out = inputs[0];
  out.shape[out.shape.rank() - 1] = to;
  return std::vector{out};
}

Sharding heads_sharding(Types inputs) {
  Sharding rule = elementwise_sharding(inputs, 1);
  rule.inputs[0].back() = rule.outputs[0].back() = "";
  rule.shardable.pop_back();
  return rule;
}

}  // namespace

std::string_view SliceHeads::name() const {
  return "slice_heads";
}
std::string SliceHeads::attributes() const {
  return to_text(head_dim, begin, n);
}
Result<std::vector<TensorType>> SliceHeads::infer(Types inputs) const {
  return infer_heads(*this, inputs, head_dim, begin, n, head_dim, n);
}

void SliceHeads::reference(Views inputs, Views outputs) const {
  const int64_t n_heads = inputs[0].shape().n_elements() / head_dim;  // of all tokens
  for (int64_t h = 0; h < n_heads; ++h)
    for (int i = 0; i < n; ++i) outputs[0].f32()[h * n + i] = inputs[0].f32()[h * head_dim + begin + i];
}

Result<std::vector<Value>> SliceHeads::gradient(GradientBuilder& g) const {
  return std::vector{g.b.apply(std::make_shared<PadHeads>(head_dim, begin, n), {g.grad()})};
}
Sharding SliceHeads::sharding(Types inputs) const {
  return heads_sharding(inputs);
}
std::shared_ptr<const Op> SliceHeads::shard(std::string_view, int, int, Types) const {
  return nullptr;
}

Cost SliceHeads::cost(Types, Types outputs) const {
  return {0, static_cast<double>(outputs[0].bytes()), static_cast<double>(outputs[0].bytes())};
}

std::vector<Sample> SliceHeads::samples() {
  return sample_list(make_sample("middle", std::make_shared<SliceHeads>(12, 3, 5), {0}, random_tensor({4, 2, 12}, 1)),
                     make_sample("one_head", std::make_shared<SliceHeads>(40, 8, 32), {0}, random_tensor({3, 40}, 2)),
                     make_sample("cut", std::make_shared<SliceHeads>(8, 3, 4), {}, random_tensor({12, 12, 8}, 3)));
}

std::string_view PadHeads::name() const {
  return "pad_heads";
}
std::string PadHeads::attributes() const {
  return to_text(head_dim, begin, n);
}
Result<std::vector<TensorType>> PadHeads::infer(Types inputs) const {
  return infer_heads(*this, inputs, head_dim, begin, n, n, head_dim);
}

void PadHeads::reference(Views inputs, Views outputs) const {
  const int64_t n_heads = inputs[0].shape().n_elements() / n;
  std::fill(outputs[0].f32(), outputs[0].f32() + n_heads * head_dim, 0.0f);
  for (int64_t h = 0; h < n_heads; ++h)
    for (int i = 0; i < n; ++i) outputs[0].f32()[h * head_dim + begin + i] = inputs[0].f32()[h * n + i];
}

Result<std::vector<Value>> PadHeads::gradient(GradientBuilder& g) const {
  return std::vector{g.b.apply(std::make_shared<SliceHeads>(head_dim, begin, n), {g.grad()})};
}
Sharding PadHeads::sharding(Types inputs) const {
  return heads_sharding(inputs);
}
std::shared_ptr<const Op> PadHeads::shard(std::string_view, int, int, Types) const {
  return nullptr;
}

Cost PadHeads::cost(Types inputs, Types outputs) const {
  return streaming_cost(0, inputs, outputs);
}

std::vector<Sample> PadHeads::samples() {
  return sample_list(make_sample("middle", std::make_shared<PadHeads>(12, 3, 5), {0}, random_tensor({4, 2, 5}, 1)),
                     make_sample("one_head", std::make_shared<PadHeads>(40, 8, 32), {0}, random_tensor({3, 32}, 2)),
                     make_sample("cut", std::make_shared<PadHeads>(8, 3, 4), {}, random_tensor({12, 12, 4}, 3)));
}

}  // namespace hearth
