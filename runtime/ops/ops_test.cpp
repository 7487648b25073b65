// One engine for every op: each sample is run as kernel against reference (per instruction set and thread count), as
// gradient against finite differences. An op gets all of it by having samples; sharding_test.cpp runs them on parts.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/sanitizers.h"
#include "hwdetect/cpu_features.h"
#include "runtime/backend/cpu/team.h"
#include "runtime/exec/devices.h"
#include "runtime/exec/interpreter.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/all_ops.h"
#include "runtime/ops/cpu_kernels.h"
#include "runtime/ops/matmul/matmul.h"
#include "runtime/ops/rules.h"
#include "runtime/ops/sample_runs.h"

namespace hearth::ops_test {
namespace {

Written run_kernel(const Op& op, const Kernel& kernel, const std::vector<Tensor>& originals, Team& team) {
  std::vector<Tensor> inputs = copies_of(originals), outputs = new_outputs(op, inputs);
  for (Tensor& output : outputs)
    if (output.type().bytes() > 0)
      std::memset(output.view().data, 0xff, static_cast<size_t>(output.type().bytes()));  // NaN
  Tensor scratch(TensorType{Dtype::f32, {static_cast<int64_t>((kernel.scratch_bytes + 3) / 4)}});
  if (kernel.scratch_bytes > 0) std::memset(scratch.view().data, 0xff, kernel.scratch_bytes);
  const std::vector<TensorView> in = views_of(inputs), out = views_of(outputs);
  const KernelArgs args{&op, in, out, kernel.scratch_bytes > 0 ? scratch.view().as<std::byte>() : nullptr};
  team.run([&](const Worker& worker) { kernel.run(args, worker); });
  return written(op, std::move(inputs), std::move(outputs));
}

class EveryOp : public testing::TestWithParam<size_t> {
 protected:
  const Sample& sample() const { return every_sample()[GetParam()]; }
  const Op& op() const { return *sample().op; }
};

// What a machine with fewer instructions would see.
std::vector<std::pair<const char*, CpuFeatures>> feature_sets() {
  const CpuFeatures all = cpu_features();
  CpuFeatures no_avx512 = all;
  no_avx512.avx512f = no_avx512.avx512bw = no_avx512.avx512vl = no_avx512.avx512vnni = no_avx512.avx512bf16 = false;
  CpuFeatures portable;
  return {{"this machine", all}, {"without AVX-512", no_avx512}, {"portable", portable}};
}

TEST_P(EveryOp, KernelEqualsReference) {
  const Written expected = run_reference(op(), sample().inputs);
  Team one(1), three(3);
  for (const auto& [name, features] : feature_sets()) {
    SCOPED_TRACE(name);
    const std::vector<TensorType> types = types_of(sample().inputs);
    const Kernel kernel = cpu_kernels(features).find(op(), types),
                 fixed = cpu_kernels(features, true).find(op(), types);
    ASSERT_NE(kernel.run, nullptr) << "declined: the executor would run the reference, on one thread";
    const Written alone = run_kernel(op(), kernel, sample().inputs, one);
    expect_close(alone, expected, sample().tolerance);
    EXPECT_TRUE(same_bits(run_kernel(op(), kernel, sample().inputs, three), alone))
        << "the result depends on the number of threads";
    if (fixed.run == kernel.run) continue;
    const Written in_fixed_order = run_kernel(op(), fixed, sample().inputs, one);
    expect_close(in_fixed_order, expected, sample().tolerance);
    EXPECT_TRUE(same_bits(run_kernel(op(), fixed, sample().inputs, three), in_fixed_order)) << "in fixed order";
  }
}

// y projected on fixed pseudo-random coefficients, in double.
double projection_coefficient(int64_t i) {
  return std::sin(1.0 + 3.7 * static_cast<double>(i));
}

double projected(const Op& op, const std::vector<Tensor>& inputs) {
  const Written out = run_reference(op, inputs);
  double sum = 0;
  for (int64_t i = 0; i < out[0].type().shape.n_elements(); ++i) sum += projection_coefficient(i) * out[0].f32()[i];
  return sum;
}

// The gradients of the projection by the op's own rule.
std::vector<Tensor> gradients_by_rule(const Sample& sample) {
  Builder b;
  std::vector<Value> inputs, wrt;
  std::map<std::string, TensorView, std::less<>> bindings;
  for (size_t i = 0; i < sample.inputs.size(); ++i) {
    inputs.push_back(b.input("x" + std::to_string(i), sample.inputs[i].type()));
    bindings["x" + std::to_string(i)] = sample.inputs[i].view();
  }
  for (int i : sample.check_gradient_of) wrt.push_back(inputs[static_cast<size_t>(i)]);
  const Value y = b.apply_all(sample.op, inputs)[0];
  const int64_t n = b.type(y).shape.n_elements();
  Tensor coefficients(TensorType{Dtype::f32, {n, 1}}), one(TensorType{Dtype::f32, {1}});
  for (int64_t i = 0; i < n; ++i) coefficients.f32()[i] = static_cast<float>(projection_coefficient(i));
  one.f32()[0] = 1;
  bindings["projection"] = coefficients.view();
  bindings["dloss"] = one.view();
  Value row = y;
  while (b.type(row).shape.rank() > 1) row = b.merge(row, 0);
  const Value projection = b.input("projection", coefficients.type());
  const Value loss = b.merge(b.matmul(b.split(row, 0, n), projection, false, false), 0);
  b.output(loss);
  auto graph = b.finish();
  if (!graph) ADD_FAILURE() << graph.error().to_string();
  auto with_grads = differentiate(*graph, loss, wrt);
  if (!with_grads) ADD_FAILURE() << with_grads.error().to_string();
  auto outputs = interpret(with_grads->graph, bindings);
  if (!outputs) ADD_FAILURE() << outputs.error().to_string();
  outputs->erase(outputs->begin());
  return std::move(*outputs);
}

class EveryGradient : public EveryOp {};

TEST_P(EveryGradient, EqualsFiniteDifference) {
  const std::vector<Tensor> gradients = gradients_by_rule(sample());
  for (size_t k = 0; k < gradients.size(); ++k) {
    const auto which = static_cast<size_t>(sample().check_gradient_of[k]);
    std::vector<Tensor> inputs = copies_of(sample().inputs);
    double largest = 1e-3;
    for (int64_t i = 0; i < gradients[k].type().shape.n_elements(); ++i)
      largest = std::max(largest, std::fabs(static_cast<double>(gradients[k].f32()[i])));
    for (int64_t i = 0; i < gradients[k].type().shape.n_elements(); i += HEARTH_HAS_ASAN ? 7 : 1) {
      constexpr float kStep = 1.0f / 256;
      float& x = inputs[which].f32()[i];
      const float original = x;
      x = original + kStep;
      const double above = projected(op(), inputs);
      x = original - kStep;
      const double below = projected(op(), inputs);
      x = original;
      EXPECT_NEAR(gradients[k].f32()[i], (above - below) / (2 * kStep), 2e-3 * largest)
          << "input " << which << " element " << i;
    }
  }
}

TEST_P(EveryOp, CostCountsEveryOutputByte) {
  std::vector<TensorType> outputs = *op().infer(types_of(sample().inputs));
  const Cost cost = op().cost(types_of(sample().inputs), outputs);
  EXPECT_GE(cost.flops, 0);
  if (op().name() == "split_axis" || op().name() == "merge_axes") return;  // views
  double bytes = 0;
  for (const TensorType& type : outputs) bytes += static_cast<double>(type.bytes());
  EXPECT_GE(cost.bytes_written, bytes);
}

std::string name_of_sample(const testing::TestParamInfo<size_t>& info) {
  return name_of(every_sample()[info.param]);
}

// Other samples are of a size at which only kernels differ.
std::vector<size_t> samples_with_gradient() {
  std::vector<size_t> out;
  for (size_t i = 0; i < every_sample().size(); ++i)
    if (!every_sample()[i].check_gradient_of.empty()) out.push_back(i);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Ops, EveryOp, testing::Range<size_t>(0, every_sample().size()), name_of_sample);
INSTANTIATE_TEST_SUITE_P(Ops, EveryGradient, testing::ValuesIn(samples_with_gradient()), name_of_sample);

// A diverged loss must show as one, and not as a bound.
TEST(Clamp, KeepsWhatIsNoNumber) {
  int n_clamps = 0;
  for (const Sample& sample : every_sample()) {
    if (sample.op->name() != "clamp") continue;
    Sample broken = copy_of(sample);
    const int64_t n = broken.inputs[0].type().shape.n_elements();
    for (int64_t i = 0; i < n; i += 3) broken.inputs[0].f32()[i] = NAN;
    const auto got = run_on(*open_cpu(2), broken, 1);
    ASSERT_TRUE(got) << got.error().to_string();
    for (int64_t i = 0; i < n; ++i) EXPECT_EQ(std::isnan((*got)[0].f32()[i]), i % 3 == 0) << sample.name << " " << i;
    ++n_clamps;
  }
  EXPECT_GE(n_clamps, 1);
}

TEST(Ops, WrongOperandsAreNamed) {
  const TensorType a{Dtype::f32, {2, 3}}, b{Dtype::f32, {4, 5}};
  const TensorType types[] = {a, b};
  const auto result = Matmul(false, true).infer(types);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("matmul: b must be of inner size 3"), std::string::npos)
      << result.error().message;
}

}  // namespace
}  // namespace hearth::ops_test
