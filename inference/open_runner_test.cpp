// A device is taken when it computes what the host computes, and refused by name else.
#include "inference/open_runner.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace hearth {
namespace {

std::shared_ptr<const LoadedModel> load(const char* name) {
  auto result = load_model(std::filesystem::path(HEARTH_SOURCE_DIR) / "tests/golden" / name);
  if (!result) ADD_FAILURE() << result.error().to_string();
  return std::make_shared<const LoadedModel>(std::move(*result));
}

StepOptions on(const char* device) {
  return {.device = device, .n_threads = 1, .max_seq_len = 16, .n_slots = 1};
}

TEST(OpenRunner, AnyDeviceEndsOnTheHostWithAReasonWhereThereIsAnother) {
  std::string reason;
  if (!devices_to_try(reason).empty()) GTEST_SKIP() << "this box has an accelerator";
  const auto opened = open_runner(load("gqa_untied_fp32"), on("auto"));
  ASSERT_TRUE(opened) << opened.error().to_string();
  EXPECT_EQ(opened->device.name, kHostDevice);
  EXPECT_EQ(opened->device.reason, reason);
}

TEST(OpenRunner, ADeviceByNameIsNeverAnother) {
  const auto model = load("gqa_untied_fp32");
  EXPECT_EQ(open_runner(model, on("gpu")).error().code, Code::invalid_argument);
  EXPECT_EQ(open_runner(model, on("cpu:1")).error().code, Code::invalid_argument);
  const auto absent = open_runner(model, on("cuda:99"));
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Code::failed_precondition) << absent.error().to_string();
}

TEST(OpenRunner, TellsADeviceThatComputesSomethingElse) {
  const auto model = load("gqa_untied_fp32"), other = load("qwen3_5_bf16");
  auto runner = *StepRunner::create(model, on("cpu"));
  EXPECT_LT(*difference_from_host(model, *runner), 1e-5);
  EXPECT_GT(*difference_from_host(other, *runner), 0.05);
}

}  // namespace
}  // namespace hearth
