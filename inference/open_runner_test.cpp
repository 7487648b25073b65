// A device is taken when it computes what the host computes, and refused by name else.
#include "inference/open_runner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "inference/golden_models.h"
#include "inference/host_difference.h"
#include "inference/logits.h"

namespace hearth::open_runner_test {
namespace {

StepOptions on(const char* device) {
  return {.device = device, .n_threads = 1, .max_seq_len = 16, .n_slots = 1};
}

TEST(OpenRunner, AnyDeviceEndsOnTheHostWithAReasonWhereThereIsAnother) {
  std::string reason;
  if (!devices_to_try(reason).empty()) GTEST_SKIP() << "this box has an accelerator";
  const auto opened = open_runner(load_golden("gqa_untied_fp32"), on("auto"));
  ASSERT_TRUE(opened) << opened.error().to_string();
  EXPECT_EQ(opened->device.name, kHostDevice);
  EXPECT_EQ(opened->device.reason, reason);
}

TEST(OpenRunner, ADeviceByNameIsNeverAnother) {
  const auto model = load_golden("gqa_untied_fp32");
  EXPECT_EQ(open_runner(model, on("gpu")).error().code, Code::invalid_argument);
  EXPECT_EQ(open_runner(model, on("cpu:1")).error().code, Code::invalid_argument);
  const auto absent = open_runner(model, on("cuda:99"));
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Code::failed_precondition) << absent.error().to_string();
}

// What depends on a device's memory is sized for the one that is tried.
TEST(OpenRunner, IsFittedToTheDeviceThatIsTried) {
  const auto model = load_golden("gqa_untied_fp32");
  for (const char* name : {"cpu", "emulated"}) {
    std::string asked;
    const auto opened = open_runner(model, on(name), [&](StepOptions& options) -> Result<void> {
      asked = options.device;
      options.max_seq_len = 8;
      return {};
    });
    ASSERT_TRUE(opened) << opened.error().to_string();
    EXPECT_EQ(asked, name);
    EXPECT_EQ(opened->runner->max_seq_len(), 8);
    const auto refused = open_runner(model, on(name), [](StepOptions&) -> Result<void> {
      return error(Code::resource_exhausted, "it does not fit");
    });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::resource_exhausted);
  }
}

TEST(OpenRunner, TellsADeviceThatComputesSomethingElse) {
  const auto model = load_golden("gqa_untied_fp32"), other = load_golden("qwen3_5_bf16");
  auto runner = *StepRunner::create(model, on("cpu"));
  EXPECT_LT(*difference_from_host(model, *runner), 1e-5);
  EXPECT_GT(*difference_from_host(other, *runner), 0.05);
}

// One device for sequences of any length, as perplexity and evaluation use it.
TEST(SequenceLogits, AreTheHostsOnADevice) {
  const auto model = load_golden("gqa_untied_fp32");
  auto host = SequenceLogits::create(*model, {1, "cpu"}), device = SequenceLogits::create(*model, {1, "emulated"});
  ASSERT_TRUE(device) << device.error().to_string();
  EXPECT_EQ(device->device().name, "emulated");
  for (const std::vector<int32_t>& ids : {std::vector<int32_t>{1, 5, 9}, {7, 2, 9}, {3}}) {
    const Tensor got = *device->of(ids), want = *host->of(ids);
    ASSERT_EQ(got.type(), want.type());
    const auto n = static_cast<size_t>(want.type().shape.n_elements());
    EXPECT_LT(relative_difference({got.f32(), n}, {want.f32(), n}), 1e-4);
  }
  EXPECT_EQ(device->of({}).error().code, Code::invalid_argument);
  EXPECT_EQ(SequenceLogits::create(*model, {1, "gpu"}).error().code, Code::invalid_argument);
  EXPECT_EQ(SequenceLogits::create(*model, {1, "cuda:99"}).error().code, Code::failed_precondition);
}

TEST(HostDifference, IsRelativeAndInfiniteWhereNothingCanBeCompared) {
  const std::vector<float> want = {1, -4, 2}, off = {1, -3, 2}, broken = {1, NAN, 2};
  EXPECT_EQ(relative_difference(want, want), 0);
  EXPECT_NEAR(relative_difference(off, want), 1 / std::sqrt(21.0), 1e-12);
  EXPECT_EQ(relative_difference(broken, want), INFINITY);
  EXPECT_EQ(relative_difference(std::span(want).first(2), want), INFINITY);
}

TEST(HostDifference, OfTokensIsTheMiddleOne) {
  const std::vector<float> want = {1, 0, 0, 1, 2, 0}, one_off = {1, 0, 5, 1, 2, 0}, two_off = {1, 0, 1, 1, 2, 0.5f};
  EXPECT_EQ(token_difference(one_off, want, 2), 0);
  EXPECT_EQ(token_difference(two_off, want, 2), 0.25);
  EXPECT_EQ(token_difference(std::span(want).first(2), want, 2), INFINITY);
  EXPECT_EQ(token_difference({}, {}, 2), INFINITY);
  const std::vector<float> one_broken = {1, 0, 0, 1, 2, NAN};
  EXPECT_EQ(token_difference(one_broken, want, 2), INFINITY);
}

// Rounding decides between experts in some of these, which were drawn without regard to bf16.
TEST(OpenRunner, TakesADeviceOfBf16ActivationsAndNoWrongOne) {
  for (const char* name : {"glm4_moe_fp32", "qwen3_next_fp32", "gpt_oss_fp32", "qwen3_5_bf16"}) {
    const auto opened = open_runner(load_golden(name), on("emulated:1:bf16"));
    EXPECT_TRUE(opened) << name << ": " << opened.error().to_string();
  }
}

}  // namespace
}  // namespace hearth::open_runner_test
