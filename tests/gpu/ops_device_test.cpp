// Every op's samples through the CUDA kernels: on the emulator, on every machine, and on a GPU where there is one;
// those with activations a second time with bf16 ones. What CUDA does not compute is a list here: a kernel that
// declines anything else fails, and so does one that claims what is listed.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/sanitizers.h"
#include "runtime/exec/devices.h"
#include "runtime/graph/builder.h"
#include "runtime/ops/cuda_kernels.h"
#include "runtime/ops/sample_runs.h"
#include "runtime/plan/plan.h"

namespace hearth::ops_device_test {
namespace {

// Orders of threads; 0 is theirs. Odd ones fill dead memory with another NaN.
const std::vector<std::string> kEmulated = HEARTH_HAS_ASAN
                                               ? std::vector<std::string>{"emulated:1"}
                                               : std::vector<std::string>{"emulated:0", "emulated:1", "emulated:2"};

// What takes bf16 activations has a backend of those.
const std::vector<std::string> kEmulatedInBf16{"emulated:1:bf16"};

bool is_in_bf16(const Sample& sample) {
  return sample.name.ends_with("_in_bf16");
}

// Every op's samples, then those with activations in bf16.
const std::vector<Sample>& device_samples() {
  static const auto all = [] {
    std::vector<Sample> out;
    for (const Sample& sample : every_sample()) out.push_back(copy_of(sample));
    for (const Sample& sample : every_sample())
      if (has_activations(sample)) out.push_back(in_bf16(sample));
    return out;
  }();
  return all;
}

// Their grids are tables of the host (codecs/grids.h).
constexpr Dtype kDeclinedDtypes[] = {Dtype::iq1_s, Dtype::iq1_m,   Dtype::iq2_xxs, Dtype::iq2_xs,
                                     Dtype::iq2_s, Dtype::iq3_xxs, Dtype::iq3_s};

// Serving rounds activations on the CPU only.
bool is_integer_product(const Sample& sample) {
  const bool is_product = sample.op->name() == "matmul" || sample.op->name() == "grouped_matmul";
  return is_product && sample.inputs[0].type().dtype == Dtype::q8_0;
}

bool must_be_claimed(const Sample& sample) {
  if (is_integer_product(sample)) return false;
  return std::ranges::none_of(sample.inputs, [](const Tensor& input) {
    return std::ranges::find(kDeclinedDtypes, input.type().dtype) != std::end(kDeclinedDtypes);
  });
}

TEST(CudaKernels, ClaimAllButWhatIsListed) {
  const KernelTable kernels = emulated::kernels();
  size_t n_declined = 0;
  for (const Sample& sample : device_samples()) {
    const bool is_claimed = kernels.find(*sample.op, types_of(sample.inputs)).run != nullptr;
    EXPECT_EQ(is_claimed, must_be_claimed(sample)) << name_of(sample);
    n_declined += is_claimed ? 0 : 1;
  }
  EXPECT_GT(n_declined, 0u) << "nothing is declined any more: the list can go";
}

class EveryOpOnADevice : public testing::TestWithParam<size_t> {
 protected:
  const Sample& sample() const { return device_samples()[GetParam()]; }
};

// Beside bf16 activations, some f32 outputs are sums of numbers that were rounded to bf16 on the way.
double tolerance_of(const Sample& sample) {
  constexpr std::string_view kRound[] = {
      "attention_backward",             // gradients of sinks, by the rounded output
      "linear_cross_entropy",           // a loss, by rounded weights
      "linear_cross_entropy_backward",  // the same, and gradients of logits
      "token_logprobs",
      "token_logprobs_backward",
  };
  const bool widens = sample.op->attributes().ends_with(" widens");  // a product, of weights that become bf16
  const bool rounds =
      is_in_bf16(sample) && (widens || std::ranges::find(kRound, sample.op->name()) != std::end(kRound));
  return rounds ? 4e-3 : 2 * sample.tolerance;
}

// Returns what it wrote; empty where it must be, and is, declined.
Written expect_reference(const std::string& device, const Sample& sample, int n_runs) {
  SCOPED_TRACE(device);
  const std::unique_ptr<Backend> backend = *open_device(device, 1);
  Result<Written> got = run_on(*backend, sample, n_runs);
  if (!must_be_claimed(sample)) {
    EXPECT_TRUE(!got && got.error().code == Code::unimplemented) << "a plan of an op without a kernel";
    return {};
  }
  EXPECT_TRUE(got) << got.error().to_string();
  if (!got) return {};
  const Written expected = run_reference(*sample.op, sample.inputs);
  expect_close(*got, expected, tolerance_of(sample));
  if (sample.op->name() == "cast")
    EXPECT_TRUE(same_bits(*got, expected)) << "a cast rounds to the nearest, ties to even";
  return std::move(*got);
}

TEST_P(EveryOpOnADevice, EmulatedEqualsReference) {
  Written first;
  for (const std::string& device : is_in_bf16(sample()) ? kEmulatedInBf16 : kEmulated) {
    Written got = expect_reference(device, sample(), 1);
    if (first.empty())
      first = std::move(got);
    else
      EXPECT_TRUE(same_bits(first, got)) << device
                                         << ": the result depends on the order of threads, or on memory "
                                            "that nothing wrote";
  }
}

#ifdef HEARTH_HAS_CUDA
TEST_P(EveryOpOnADevice, GpuEqualsReference) {
  if (const auto gpu = open_device("cuda", 1); !gpu) GTEST_SKIP() << gpu.error().to_string();
  expect_reference("cuda", sample(), 2);  // the second time as a captured graph
}
#endif

INSTANTIATE_TEST_SUITE_P(Ops, EveryOpOnADevice, testing::Range<size_t>(0, device_samples().size()),
                         [](const testing::TestParamInfo<size_t>& info) {
                           return name_of(device_samples()[info.param]);
                         });

}  // namespace
}  // namespace hearth::ops_device_test
