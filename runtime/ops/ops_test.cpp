// One engine for every op: each sample is run as kernel against reference (per instruction set and thread count), as
// gradient against finite differences, and sharded against unsharded. An op gets all of it by having samples.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "base/sanitizers.h"
#include "hwdetect/cpu_features.h"
#include "runtime/backend/cpu/team.h"
#include "runtime/exec/interpreter.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/all_ops.h"
#include "runtime/ops/cpu_kernels.h"
#include "runtime/ops/grouped_matmul/grouped_matmul.h"
#include "runtime/ops/matmul/matmul.h"
#include "runtime/ops/rules.h"
#include "runtime/ops/sample_runs.h"

namespace hearth {
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

int axis_index(const std::vector<std::string>& axes, const std::string& axis) {
  for (size_t i = 0; i < axes.size(); ++i)
    if (axes[i] == axis) return static_cast<int>(i);
  return -1;
}

// Bytes [outer][axis][inner]: copies the part of shard `index` out of (or, with `join`, into) a whole tensor.
void move_part(const TensorView& whole, const TensorView& part, int axis, int index, bool join) {
  int64_t outer = 1, inner = 1;
  for (int i = 0; i < axis; ++i) outer *= whole.dim(i);
  for (int i = axis + 1; i < whole.shape().rank(); ++i) inner *= whole.dim(i);
  const int64_t part_bytes = dtype_bytes(whole.type.dtype, part.dim(axis) * inner),
                whole_bytes = dtype_bytes(whole.type.dtype, whole.dim(axis) * inner);
  for (int64_t o = 0; o < outer; ++o) {
    std::byte* in_whole = whole.as<std::byte>() + o * whole_bytes + index * part_bytes;
    std::byte* in_part = part.as<std::byte>() + o * part_bytes;
    std::memcpy(join ? in_whole : in_part, join ? in_part : in_whole, static_cast<size_t>(part_bytes));
  }
}

Tensor part_of(const Tensor& whole, int axis, int index, int n) {
  TensorType type = whole.type();
  type.shape[axis] /= n;
  Tensor part(type);
  move_part(whole.view(), part.view(), axis, index, false);
  return part;
}

Written run_sharded(const Sample& sample, const std::string& axis, int n) {
  const Sharding rule = sample.op->sharding(types_of(sample.inputs));
  Written whole;
  for (int index = 0; index < n; ++index) {
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < sample.inputs.size(); ++i) {
      const int at = axis_index(rule.inputs[i], axis);
      inputs.push_back(at < 0 ? copy_of(sample.inputs[i].view()) : part_of(sample.inputs[i], at, index, n));
    }
    std::shared_ptr<const Op> op = sample.op->shard(axis, index, n, types_of(sample.inputs));
    if (!op) op = sample.op;
    std::vector<Tensor> outputs = new_outputs(*op, inputs);
    run_reference(*op, views_of(inputs), views_of(outputs));
    std::vector<std::vector<std::string>> axes = rule.outputs;
    for (int i : op->mutated_inputs()) axes.push_back(rule.inputs[static_cast<size_t>(i)]);
    const Written part = written(*op, std::move(inputs), std::move(outputs));
    for (size_t i = 0; i < part.size(); ++i) {
      const int at = axis_index(axes[i], axis);
      if (index == 0) {
        TensorType type = part[i].type();
        if (at >= 0) type.shape[at] *= n;
        whole.emplace_back(type);
      }
      if (at >= 0) {
        move_part(whole[i].view(), part[i].view(), at, index, true);
      } else {
        for (int64_t e = 0; e < part[i].type().shape.n_elements(); ++e) whole[i].f32()[e] += part[i].f32()[e];
      }
    }
  }
  return whole;
}

// Whether the axis can be cut into n: sizes divide (blocks of quantised rows stay whole) and each part is an instance
// of the op, as its shape rule sees it (heads stay whole).
bool can_be_cut(const Sample& sample, const Sharding& rule, const std::string& axis, int n) {
  std::vector<TensorType> types = types_of(sample.inputs);
  for (size_t i = 0; i < types.size(); ++i) {
    const int at = axis_index(rule.inputs[i], axis);
    if (at < 0) continue;
    const bool is_last = at == types[i].shape.rank() - 1;
    if (types[i].shape[at] % (n * (is_last ? dtype_info(types[i].dtype).block_elements : 1)) != 0) return false;
    types[i].shape[at] /= n;
  }
  const std::shared_ptr<const Op> part = sample.op->shard(axis, 0, n, types_of(sample.inputs));
  return (part ? *part : *sample.op).infer(types).has_value();
}

constexpr int kParts[] = {2, 3, 4};

TEST_P(EveryOp, ShardedEqualsUnsharded) {
  const std::vector<TensorType> types = types_of(sample().inputs);
  const Sharding rule = op().sharding(types);
  ASSERT_EQ(rule.inputs.size(), types.size());
  ASSERT_EQ(rule.outputs.size(), op().infer(types)->size());
  for (size_t i = 0; i < types.size(); ++i) ASSERT_EQ(static_cast<int>(rule.inputs[i].size()), types[i].shape.rank());
  const Written expected = run_reference(op(), sample().inputs);
  for (const std::string& axis : rule.shardable)
    for (int n : kParts) {
      SCOPED_TRACE(fmt::format("axis {} in {}", axis, n));
      const auto has_axis = [&](const auto& operand) { return axis_index(operand, axis) >= 0; };
      EXPECT_TRUE(std::ranges::any_of(rule.inputs, has_axis)) << "no operand has this axis";
      if (!can_be_cut(sample(), rule, axis, n)) continue;  // another sample can: EveryAxisIsCut
      Written sharded = run_sharded(sample(), axis, n);
      for (size_t i = 0; i < sharded.size(); ++i)
        EXPECT_LE(relative_error(sharded[i], expected[i]), sample().tolerance) << "output " << i;
    }
}

// Samples of products whose files have none that every number divides.
std::vector<Sample> more_to_cut() {
  return sample_list(make_sample("cut", std::make_shared<Matmul>(false, true), {}, random_tensor({12, 24}, 1),
                                 random_tensor({36, 24}, 2)),
                     make_sample("cut", std::make_shared<GroupedMatmul>(true), {}, random_tensor({13, 12}, 3),
                                 random_tensor({4, 24, 12}, 4), ids_tensor({0, 3, 3, 12, 13})),
                     make_sample("cut", std::make_shared<GroupedOuter>(4, 0), {}, random_tensor({13, 12}, 5),
                                 random_tensor({13, 24}, 6), ids_tensor({0, 3, 3, 12, 13})));
}

TEST(Ops, MoreSamplesThatAreCut) {
  for (const Sample& sample : more_to_cut()) {
    const Sharding rule = sample.op->sharding(types_of(sample.inputs));
    const Written expected = run_reference(*sample.op, sample.inputs);
    for (const std::string& axis : rule.shardable)
      for (int n : kParts) {
        if (!can_be_cut(sample, rule, axis, n)) continue;
        const Written sharded = run_sharded(sample, axis, n);
        EXPECT_LE(relative_error(sharded[0], expected[0]), sample.tolerance)
            << sample.op->name() << " axis " << axis << " in " << n;
      }
  }
}

// Every axis of every op is cut into each number of parts by some sample: what can never be cut is not shardable.
TEST(Ops, EveryAxisIsCut) {
  std::map<std::pair<std::string, std::string>, std::set<int>> parts;  // op and axis → numbers of parts
  const auto note = [&](const Sample& sample) {
    const Sharding rule = sample.op->sharding(types_of(sample.inputs));
    for (const std::string& axis : rule.shardable) {
      std::set<int>& seen = parts[{std::string(sample.op->name()), axis}];
      for (int n : kParts)
        if (can_be_cut(sample, rule, axis, n)) seen.insert(n);
    }
  };
  for (const Sample& sample : every_sample()) note(sample);
  for (const Sample& sample : more_to_cut()) note(sample);
  for (const auto& [what, seen] : parts)
    for (int n : kParts)
      EXPECT_TRUE(seen.contains(n)) << what.first << ": no sample has an axis " << what.second << " that " << n
                                    << " divides";
}

// Samples without an axis that may be cut, by how "op sample" begins, and why.
const std::map<std::string, std::string>& never_cut() {
  static const std::string one_kv_head = "one kv head, which its query heads share", one_key_head = "one key head",
                           tiled = "value heads go round the key heads: no run of them has key heads of its own";
  static const std::map<std::string, std::string> reasons{
      {"global_norm ", "squares of parts would be summed before the root, each logical tensor once"},
      {"sort_by_expert ", "rows of different tokens share an order"},
      {"attention_cached wide_values", one_kv_head},
      {"attention_cached far", one_kv_head},
      {"linear_attention plain_skip", one_key_head},
      {"linear_attention_backward plain_skip", one_key_head},
      {"linear_attention_cached plain_", one_key_head},
      {"linear_attention delta_tiled", tiled},
      {"linear_attention_backward delta_tiled", tiled},
      {"linear_attention_cached tiled_", tiled},
  };
  return reasons;
}

TEST(Ops, WhatIsNeverCutIsListed) {
  std::set<std::string> found;
  for (const Sample& sample : every_sample()) {
    const std::string whole = std::string(sample.op->name()) + " " + sample.name;
    const auto reason = std::ranges::find_if(never_cut(), [&](const auto& r) { return whole.starts_with(r.first); });
    const bool is_listed = reason != never_cut().end();
    EXPECT_EQ(sample.op->sharding(types_of(sample.inputs)).shardable.empty(), is_listed)
        << whole << (is_listed ? " can be cut after all: " + reason->second : " can be cut on no axis: say why");
    if (is_listed) found.insert(reason->first);
  }
  EXPECT_EQ(found.size(), never_cut().size()) << "a reason without a sample";
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

TEST(Ops, WrongOperandsAreNamed) {
  const TensorType a{Dtype::f32, {2, 3}}, b{Dtype::f32, {4, 5}};
  const TensorType types[] = {a, b};
  const auto result = Matmul(false, true).infer(types);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("matmul: b must be of inner size 3"), std::string::npos)
      << result.error().message;
}

}  // namespace
}  // namespace hearth
