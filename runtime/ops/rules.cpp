// Operand checks and sample tensors for the rule files.
#include "runtime/ops/rules.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "runtime/tensor/scalar.h"

namespace hearth {
namespace {

bool accepts(Accept accept, Dtype dtype) {
  switch (accept) {
    case Accept::f32:
      return dtype == Dtype::f32;
    case Accept::i32:
      return dtype == Dtype::i32;
    case Accept::weight:
    case Accept::laid_out_weight:
      return dtype != Dtype::i32;
    case Accept::cache:
      return dtype == Dtype::f32 || dtype == Dtype::f16 || dtype == Dtype::bf16;
    case Accept::activations:
      return dtype == Dtype::f32 || dtype == Dtype::q8_0;
  }
  return false;
}

const char* wording(Accept accept) {
  switch (accept) {
    case Accept::f32:
      return "f32";
    case Accept::i32:
      return "i32";
    case Accept::weight:
    case Accept::laid_out_weight:
      return "a weight dtype";
    case Accept::cache:
      return "f32, f16 or bf16";
    case Accept::activations:
      return "f32 or q8_0";
  }
  return "";
}

}  // namespace

namespace {

Result<void> check_same_dtype(const Op& op, Types inputs, int a, int b) {
  const TensorType &first = inputs[static_cast<size_t>(a)], &second = inputs[static_cast<size_t>(b)];
  if (first.dtype == second.dtype) return {};
  return shape_error(op.name(), "activations", "of one dtype", first.to_string() + " and " + second.to_string());
}

}  // namespace

Error shape_error(std::string_view op, std::string_view what, std::string_view wanted, std::string_view got) {
  return error(Code::invalid_argument, "{}: {} must be {}, got {}", op, what, wanted, got);
}

Result<void> check_operands(const Op& op, Types inputs, std::initializer_list<Operand> operands) {
  if (inputs.size() != operands.size())
    return shape_error(op.name(), "operand count", std::to_string(operands.size()), std::to_string(inputs.size()));
  const std::vector<int> activations = op.activations(inputs);
  size_t i = 0;
  for (const Operand& operand : operands) {
    const bool is_activation = std::ranges::find(activations, static_cast<int>(i)) != activations.end();
    const TensorType& type = inputs[i++];
    if (!accepts(operand.accept, type.dtype) && !(is_activation && type.dtype == Dtype::bf16))
      return shape_error(op.name(), operand.name,
                         std::string(wording(operand.accept)) + (is_activation ? ", or bf16" : ""), type.to_string());
    if (type.layout != Layout::row_major && operand.accept != Accept::laid_out_weight)
      return shape_error(op.name(), operand.name, "row-major", type.to_string());
    const int rank = type.shape.rank();
    if (operand.rank == 0 ? rank < 1 : rank != operand.rank)
      return shape_error(op.name(), operand.name,
                         operand.rank == 0 ? "of rank 1 or more" : "of rank " + std::to_string(operand.rank),
                         type.to_string());
    if (type.shape.last() % dtype_info(type.dtype).block_elements != 0)
      return shape_error(op.name(), operand.name, "whole blocks along its last axis", type.to_string());
  }
  for (int other : activations) TRY(check_same_dtype(op, inputs, activations[0], other));
  return {};
}

Result<void> check_same_shape(std::string_view op, Types inputs, size_t a, size_t b) {
  if (inputs[a].shape == inputs[b].shape) return {};
  return shape_error(op, "operands", "of one shape", inputs[a].to_string() + " and " + inputs[b].to_string());
}

Tensor random_tensor(Shape shape, uint32_t seed, float magnitude) {
  Tensor out(TensorType{Dtype::f32, shape});
  std::mt19937 rng(seed);
  for (int64_t i = 0; i < shape.n_elements(); ++i)
    out.f32()[i] = magnitude * (static_cast<float>(rng() >> 8) * 0x1p-23f - 1.0f);
  return out;
}

Tensor segments_of(int64_t n_tokens, std::initializer_list<int32_t> begins) {
  Tensor out(TensorType{Dtype::i32, {n_tokens}});
  for (int32_t begin : begins) std::fill(out.i32() + begin, out.i32() + n_tokens, begin);
  return out;
}

std::span<const Dtype> weight_dtypes() {
  static const auto all = [] {
    std::vector<Dtype> out;
    for (int i = 0; i < kNumDtypes; ++i)
      if (static_cast<Dtype>(i) != Dtype::i32) out.push_back(static_cast<Dtype>(i));
    return out;
  }();
  return all;
}

namespace {

// The grid formats have no encoder: any bits are a valid block, only the half-precision scale has to be a sane number.
// It comes first in all of them but one, which has it spread over four words.
Tensor random_blocks(Dtype dtype, Shape shape, uint32_t seed, float magnitude) {
  Tensor out(TensorType{dtype, shape});
  auto* bytes = static_cast<uint8_t*>(out.view().data);
  std::mt19937 rng(seed);
  for (int64_t i = 0; i < out.type().bytes(); ++i) bytes[i] = static_cast<uint8_t>(rng());
  const uint16_t scale = float_to_f16(magnitude / 256.0f);
  for (int64_t at = 0; at < out.type().bytes(); at += dtype_info(dtype).block_bytes) {
    auto put = [&](int64_t offset, uint16_t value) { std::memcpy(bytes + at + offset, &value, 2); };
    if (dtype != Dtype::iq1_m) {
      put(0, scale);
      continue;
    }
    for (int word = 0; word < 4; ++word) {
      const int nibble = (scale >> (4 * word)) & 15;
      put(48 + word * 2, static_cast<uint16_t>((rng() & 0x0fff) | static_cast<unsigned>(nibble) << 12));
    }
  }
  return out;
}

}  // namespace

Tensor random_weights(Dtype dtype, Shape shape, uint32_t seed, float magnitude) {
  if (!dtype_info(dtype).can_encode) return random_blocks(dtype, shape, seed, magnitude);
  Tensor values = random_tensor(shape, seed, magnitude);
  Tensor out(TensorType{dtype, shape});
  from_float(dtype, values.f32(), out.view().data, shape.n_elements());
  return out;
}

Tensor random_ids(int64_t n, int64_t below, uint32_t seed) {
  Tensor out(TensorType{Dtype::i32, {n}});
  std::mt19937 rng(seed);
  for (int64_t i = 0; i < n; ++i) out.i32()[i] = static_cast<int32_t>(rng() % static_cast<uint64_t>(below));
  return out;
}

Tensor ids_tensor(std::initializer_list<int32_t> ids) {
  Tensor out(TensorType{Dtype::i32, {static_cast<int64_t>(ids.size())}});
  std::copy(ids.begin(), ids.end(), out.i32());
  return out;
}

ShardingRule elementwise_sharding(Types inputs, int n_outputs) {
  Axes axes;
  std::vector<std::string> names;
  for (int i = 0; i < inputs[0].shape.rank(); ++i) {
    names.push_back("a" + std::to_string(i));
    axes.emplace_back(names.back());
  }
  return {std::vector(inputs.size(), axes), std::vector(static_cast<size_t>(n_outputs), axes), names};
}

ShardingRule zero_keeping_sharding(Types inputs, int n_outputs) {
  ShardingRule rule = elementwise_sharding(inputs, n_outputs);
  rule.keeps_zeros = true;
  return rule;
}

ShardingRule rows_sharding(Types inputs, int n_outputs) {
  ShardingRule rule = elementwise_sharding(inputs, n_outputs);
  rule.cuts.pop_back();
  return rule;
}

void run_reference(const Op& op, Views inputs, Views outputs) {
  std::vector<TensorType> types;
  for (const TensorView& input : inputs) types.push_back(input.type);
  std::vector<TensorView> in(inputs.begin(), inputs.end()), out(outputs.begin(), outputs.end());
  std::vector<Tensor> widened;
  for (int i : op.activations(types))
    if (TensorView& view = in[static_cast<size_t>(i)]; view.type.dtype == Dtype::bf16)
      view = widened.emplace_back(to_f32(view)).view();
  for (TensorView& view : out)
    if (view.type.dtype == Dtype::bf16) view = widened.emplace_back(TensorType{Dtype::f32, view.shape()}).view();
  op.reference(in, out);
  for (size_t i = 0; i < out.size(); ++i)
    if (outputs[i].type.dtype == Dtype::bf16)
      from_float(Dtype::bf16, out[i].f32(), outputs[i].data, out[i].shape().n_elements());
}

Cost streaming_cost(double flops, Types inputs, Types outputs) {
  Cost cost{flops, 0, 0};
  for (const TensorType& type : inputs) cost.bytes_read += static_cast<double>(type.bytes());
  for (const TensorType& type : outputs) cost.bytes_written += static_cast<double>(type.bytes());
  return cost;
}

}  // namespace hearth
