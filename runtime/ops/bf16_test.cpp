// Ops that take bf16 activations, by their samples: types follow, the reference rounds, gradients flow, and what
// computes with f32 alone refuses them. Kernels: tests/gpu/ops_device_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/sanitizers.h"
#include "runtime/exec/devices.h"
#include "runtime/exec/interpreter.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/all_ops.h"
#include "runtime/ops/sample_runs.h"
#include "runtime/plan/plan.h"

namespace hearth::bf16_test {
namespace {

constexpr double kRounding = 1.0 / 256;  // of bf16, relative: half of its last bit

// The op, with its attributes where they decide.
std::vector<std::string> names_of(const Sample& sample) {
  const std::string name(sample.op->name());
  return {name, name + " " + sample.op->attributes()};
}

// Whose first output is f32 beside bf16 activations, and why.
const std::map<std::string, std::string>& puts_out_f32() {
  static const std::map<std::string, std::string> reasons{
      {"grouped_outer", "the gradient of experts"},
      {"head_outer", "the gradient of heads' weights"},
      {"linear_cross_entropy", "a loss"},
      {"linear_cross_entropy_backward", "a loss comes first"},
      {"matmul trans_a=false trans_b=true widens", "what f32 alone is read of"},
      {"matmul trans_a=true trans_b=false", "the gradient of a weight"},
      {"matmul trans_a=true trans_b=true", "the gradient of a weight"},
      {"scatter_add_rows", "the gradient of a table"},
      {"sum_rows", "the gradient of a bias"},
      {"token_logprobs", "what losses are made of"},
  };
  return reasons;
}

std::vector<size_t> samples_with_activations() {
  std::vector<size_t> out;
  for (size_t i = 0; i < every_sample().size(); ++i)
    if (has_activations(every_sample()[i])) out.push_back(i);
  return out;
}

class InBf16 : public testing::TestWithParam<size_t> {
 protected:
  const Sample& in_f32() const { return every_sample()[GetParam()]; }
  const Sample sample = in_bf16(in_f32());
};

TEST_P(InBf16, OutputsFollowActivations) {
  const auto outputs = sample.op->infer(types_of(sample.inputs));
  ASSERT_TRUE(outputs) << outputs.error().to_string();
  const auto puts_out = [](const std::string& name) { return puts_out_f32().contains(name); };
  const bool is_f32 = std::ranges::any_of(names_of(sample), puts_out);
  EXPECT_EQ((*outputs)[0].dtype, is_f32 ? Dtype::f32 : Dtype::bf16);
  const auto plain = sample.op->infer(types_of(in_f32().inputs));
  for (size_t i = 0; i < outputs->size(); ++i) EXPECT_EQ((*outputs)[i].shape, (*plain)[i].shape);
}

TEST_P(InBf16, ReferenceWidensAndRounds) {
  const auto is_large = [](const Tensor& tensor) { return tensor.type().shape.n_elements() > 1024; };
  if (HEARTH_HAS_ASAN && std::ranges::any_of(sample.inputs, is_large)) return;  // the small ones are enough
  Sample widened = copy_of(sample);
  for (int i : sample.op->activations(types_of(sample.inputs))) {
    Tensor& input = widened.inputs[static_cast<size_t>(i)];
    input = to_f32(input.view());
  }
  const Written expected = run_reference(*sample.op, widened.inputs), got = run_reference(*sample.op, sample.inputs);
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_LE(relative_error(got[i], expected[i]), got[i].type().dtype == Dtype::bf16 ? kRounding : 0)
        << "output " << i;
}

TEST_P(InBf16, MixedActivationsAreRefused) {
  const std::vector<int> activations = sample.op->activations(types_of(sample.inputs));
  for (size_t k = 1; k < activations.size(); ++k) {
    std::vector<TensorType> types = types_of(sample.inputs);
    types[static_cast<size_t>(activations[k])].dtype = Dtype::f32;
    if (sample.op->activations(types) != activations) continue;
    const auto mixed = sample.op->infer(types);
    ASSERT_FALSE(mixed) << "activation " << k;
    EXPECT_NE(mixed.error().message.find("of one dtype"), std::string::npos) << mixed.error().message;
  }
}

TEST_P(InBf16, WhatComputesWithF32Refuses) {
  const auto written = run_on(*open_cpu(1), sample, 1);
  if (sample.op->name() == "split_axis" || sample.op->name() == "merge_axes") return;  // views
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::unimplemented);
  EXPECT_NE(written.error().message.find("cpu computes with f32"), std::string::npos) << written.error().message;
}

// Of the sum of the first output, by the op's own rule.
std::vector<Tensor> gradients_of(const Sample& sample) {
  Builder b;
  std::vector<Value> inputs, wrt;
  std::map<std::string, TensorView, std::less<>> bindings;
  for (size_t i = 0; i < sample.inputs.size(); ++i) {
    inputs.push_back(b.input("x" + std::to_string(i), sample.inputs[i].type()));
    bindings["x" + std::to_string(i)] = sample.inputs[i].view();
  }
  for (int i : sample.check_gradient_of) wrt.push_back(inputs[static_cast<size_t>(i)]);
  const Value y = b.cast(b.apply_all(sample.op, inputs)[0], Dtype::f32);
  const int64_t n = b.type(y).shape.n_elements();
  Tensor ones(TensorType{Dtype::f32, {n, 1}}), one(TensorType{Dtype::f32, {1}});
  for (int64_t i = 0; i < n; ++i) ones.f32()[i] = i % 3 == 0 ? -1.0f : 1.0f;
  one.f32()[0] = 1;
  bindings["ones"] = ones.view();
  bindings["dloss"] = one.view();
  Value row = y;
  while (b.type(row).shape.rank() > 1) row = b.merge(row, 0);
  const Value loss = b.merge(b.matmul(b.split(row, 0, n), b.input("ones", ones.type()), false, false), 0);
  const auto graph = b.finish();
  if (!graph) ADD_FAILURE() << graph.error().to_string();
  const auto with_grads = differentiate(*graph, loss, wrt);
  if (!with_grads) ADD_FAILURE() << with_grads.error().to_string();
  if (!with_grads) return {};
  for (size_t i = 0; i < wrt.size(); ++i)
    EXPECT_EQ(with_grads->graph.type(with_grads->grads[i]), graph->type(wrt[i])) << "the gradient of input " << i;
  auto outputs = interpret(with_grads->graph, bindings);
  if (!outputs) ADD_FAILURE() << outputs.error().to_string();
  return std::move(*outputs);
}

TEST_P(InBf16, GradientsFlow) {
  if (sample.check_gradient_of.empty()) return;
  const std::vector<Tensor> got = gradients_of(sample), expected = gradients_of(in_f32());
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_LE(relative_error(got[i], expected[i]), 8 * kRounding) << "input " << i;
}

INSTANTIATE_TEST_SUITE_P(Ops, InBf16, testing::ValuesIn(samples_with_activations()),
                         [](const testing::TestParamInfo<size_t>& info) {
                           return name_of(every_sample()[info.param]);
                         });

// Close is not enough for what rounds once: the tolerance of bf16 outputs would let it truncate.
TEST(Cast, RoundsToTheNearestEvenOnTheCpu) {
  int n_cast = 0;
  for (const Sample& sample : every_sample()) {
    if (sample.op->name() != "cast") continue;
    const auto got = run_on(*open_cpu(3), sample, 1);
    ASSERT_TRUE(got) << got.error().to_string();
    EXPECT_TRUE(same_bits(*got, run_reference(*sample.op, sample.inputs))) << sample.name;
    ++n_cast;
  }
  EXPECT_GE(n_cast, 3);
}

TEST(Cast, TiesGoToEven) {
  const float values[] = {0x1.01p0f, 0x1.03p0f, 0x1.0101p0f, -0x1.01p0f, -0.0f, 3e38f};
  const uint16_t expected[] = {0x3f80, 0x3f82, 0x3f81, 0xbf80, 0x8000, 0x7f62};
  std::vector<Tensor> inputs(1);
  inputs[0] = Tensor(TensorType{Dtype::f32, {6}});
  std::copy(std::begin(values), std::end(values), inputs[0].f32());
  const Written written = run_reference(hearth::Cast(Dtype::bf16), inputs);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(written[0].view().as<uint16_t>()[i], expected[i]) << values[i];
}

TEST(InBf16List, HasNoStrangers) {
  std::set<std::string> names;
  for (size_t i : samples_with_activations())
    for (const std::string& name : names_of(every_sample()[i])) names.insert(name);
  for (const auto& [name, reason] : puts_out_f32()) EXPECT_TRUE(names.contains(name)) << name;
}

}  // namespace
}  // namespace hearth::bf16_test
