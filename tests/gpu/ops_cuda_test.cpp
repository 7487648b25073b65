// Every op's samples on the GPU against the plain reference: the CUDA half of runtime/ops/ops_test.cpp. What CUDA does
// not compute is a list here: a kernel that declines anything else fails, and so does one that claims what is listed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/backend/cuda/cuda_backend.h"
#include "runtime/exec/devices.h"
#include "runtime/exec/executor.h"
#include "runtime/graph/builder.h"
#include "runtime/ops/all_ops.h"
#include "runtime/ops/cuda_kernels.h"

namespace hearth {
namespace {

std::vector<Sample>& samples() {
  static std::vector<Sample> all = all_samples();
  return all;
}

std::vector<TensorType> types_of(const std::vector<Tensor>& tensors) {
  std::vector<TensorType> out;
  for (const Tensor& tensor : tensors) out.push_back(tensor.type());
  return out;
}

// What the op wrote: outputs, then mutated inputs.
std::vector<Tensor> run_reference(const Sample& sample) {
  std::vector<Tensor> inputs, out;
  std::vector<TensorView> in_views, out_views;
  for (const Tensor& original : sample.inputs) {
    Tensor copy(original.type());
    std::memcpy(copy.view().data, original.view().data, static_cast<size_t>(original.type().bytes()));
    inputs.push_back(std::move(copy));
    in_views.push_back(inputs.back().view());
  }
  for (const TensorType& type : *sample.op->infer(types_of(inputs))) out.emplace_back(type);
  for (const Tensor& tensor : out) out_views.push_back(tensor.view());
  sample.op->reference(in_views, out_views);
  for (int i : sample.op->mutated_inputs()) out.push_back(std::move(inputs[static_cast<size_t>(i)]));
  return out;
}

// The sample as a graph of one node: mutated inputs are states, the rest inputs.
std::vector<Tensor> run_on(Backend& backend, const Sample& sample) {
  Builder b;
  std::vector<Value> values;
  std::vector<std::string> names;
  Bindings states;
  const std::vector<int> mutated = sample.op->mutated_inputs();
  for (size_t i = 0; i < sample.inputs.size(); ++i) {
    const TensorView view = sample.inputs[i].view();
    names.push_back("x" + std::to_string(i));
    const bool is_state = std::find(mutated.begin(), mutated.end(), static_cast<int>(i)) != mutated.end();
    values.push_back(is_state ? b.state(names.back(), view.type, StateKind::per_position)
                              : b.input(names.back(), view.type));
    if (is_state) states[names.back()] = view;
  }
  for (Value v : b.apply_all(sample.op, values)) b.output(v);
  std::vector<Buffer> keep;
  const Bindings bindings = *place_on(backend, states, keep);
  Arena arena(backend);
  auto executor = Executor::create(*make_plan(*b.finish(), backend), arena, bindings);
  EXPECT_TRUE(executor) << executor.error().to_string();
  for (size_t i = 0; i < sample.inputs.size(); ++i)
    if (!bindings.contains(names[i]))
      std::memcpy(executor->input(names[i]).data, sample.inputs[i].view().data,
                  static_cast<size_t>(sample.inputs[i].type().bytes()));
  for (int run = 0; run < 2; ++run) {  // the second time as a captured graph
    const auto ran = executor->run();
    EXPECT_TRUE(ran) << ran.error().to_string();
  }
  std::vector<Tensor> out;
  for (size_t i = 0; i < executor->plan().graph.outputs().size(); ++i) {
    const TensorView view = executor->output(i);
    out.emplace_back(view.type);
    std::memcpy(out.back().view().data, view.data, static_cast<size_t>(view.type.bytes()));
  }
  for (int i : mutated) {
    const TensorView& state = bindings.at(names[static_cast<size_t>(i)]);
    out.emplace_back(state.type);
    EXPECT_TRUE(backend.read(out.back().view().data, state.as<std::byte>(), state.type.bytes()));
  }
  return out;
}

double relative_error(const Tensor& got, const Tensor& expected) {
  const Tensor a = to_f32(got.view()), b = to_f32(expected.view());
  double difference = 0, largest = 1e-30;
  for (int64_t i = 0; i < a.type().shape.n_elements(); ++i) {
    if (!std::isfinite(a.f32()[i])) return INFINITY;
    difference = std::max(difference, std::fabs(static_cast<double>(a.f32()[i]) - b.f32()[i]));
    largest = std::max(largest, std::fabs(static_cast<double>(b.f32()[i])));
  }
  return difference / largest;
}

// Their grids are tables of the host (codecs/grids.h).
constexpr Dtype kDeclinedDtypes[] = {Dtype::iq1_s, Dtype::iq1_m,   Dtype::iq2_xxs, Dtype::iq2_xs,
                                     Dtype::iq2_s, Dtype::iq3_xxs, Dtype::iq3_s};

// Serving rounds activations on the CPU only.
bool is_integer_product(const Sample& sample) {
  const bool is_product = sample.op->name() == "matmul" || sample.op->name() == "grouped_matmul";
  return is_product && sample.inputs[0].type().dtype != Dtype::f32;
}

bool must_be_claimed(const Sample& sample) {
  if (is_integer_product(sample)) return false;
  return std::ranges::none_of(sample.inputs, [](const Tensor& input) {
    return std::ranges::find(kDeclinedDtypes, input.type().dtype) != std::end(kDeclinedDtypes);
  });
}

// Needs no GPU.
TEST(CudaKernels, ClaimAllButWhatIsListed) {
  const KernelTable kernels = cuda_kernels();
  size_t n_declined = 0;
  for (const Sample& sample : samples()) {
    const bool is_claimed = kernels.find(*sample.op, types_of(sample.inputs)).run != nullptr;
    EXPECT_EQ(is_claimed, must_be_claimed(sample)) << sample.op->name() << " " << sample.name;
    n_declined += is_claimed ? 0 : 1;
  }
  EXPECT_GT(n_declined, 0u) << "nothing is declined any more: the list can go";
}

class EveryOpOnTheGpu : public testing::TestWithParam<size_t> {};

TEST_P(EveryOpOnTheGpu, EqualsReference) {
  const Sample& sample = samples()[GetParam()];
  if (n_cuda_devices() == 0) GTEST_SKIP() << "no GPU is visible here";
  const std::unique_ptr<Backend> gpu = *open_device("cuda", 0);
  if (!must_be_claimed(sample)) {
    Builder b;
    std::vector<Value> values;
    for (const Tensor& input : sample.inputs)
      values.push_back(b.input("x" + std::to_string(values.size()), input.type()));
    b.output(b.apply_all(sample.op, values)[0]);
    const auto plan = make_plan(*b.finish(), *gpu);
    ASSERT_FALSE(plan) << "a plan of an op without a kernel";
    EXPECT_EQ(plan.error().code, Code::unimplemented);
    return;
  }
  const std::vector<Tensor> expected = run_reference(sample), got = run_on(*gpu, sample);
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    const Dtype dtype = expected[i].type().dtype;
    const double slack = dtype == Dtype::f16 ? 1e-3 : dtype == Dtype::bf16 ? 8e-3 : 2 * sample.tolerance;
    EXPECT_LE(relative_error(got[i], expected[i]), slack) << "output " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Ops, EveryOpOnTheGpu, testing::Range<size_t>(0, samples().size()),
                         [](const testing::TestParamInfo<size_t>& info) {
                           const Sample& sample = samples()[info.param];
                           return std::string(sample.op->name()) + "_" + sample.name;
                         });

}  // namespace
}  // namespace hearth
