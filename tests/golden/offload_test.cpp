// Models on a device that has room for a third of their weights: the others stay on the host, and not one bit of the
// logits changes.
#include <gtest/gtest.h>

#include <cstring>

#include "inference/open_runner.h"
#include "tests/golden/golden_engine.h"

namespace hearth::golden::offload_test {
namespace {

constexpr int kTokens = 12;

std::string emulated(int seed, int64_t memory_kib) {
  return fmt::format("emulated:{}:{}KiB", seed, memory_kib);
}

StepOptions on(const std::string& device) {
  return {.device = device, .n_threads = 1, .max_seq_len = 64, .n_slots = 1};
}

std::vector<int32_t> tokens_of(const LoadedModel& model) {
  std::vector<int32_t> out;
  for (int t = 0; t < kTokens; ++t) out.push_back((t * 7 + 3) % model.config.vocab_size);
  return out;
}

// A prompt of all tokens but three, and those one by one.
std::vector<float> logits_on(StepRunner& runner, const std::vector<int32_t>& ids) {
  std::vector<float> out;
  for (int begin = 0; begin < kTokens;) {
    const int end = begin == 0 ? kTokens - 3 : begin + 1;
    std::vector<StepToken> tokens;
    for (int t = begin; t < end; ++t) tokens.push_back({ids[static_cast<size_t>(t)], t, 0, t + 1 == end});
    const auto logits = runner.run(tokens);
    EXPECT_TRUE(logits) << logits.error().to_string();
    if (!logits) return out;
    out.insert(out.end(), logits->f32(), logits->f32() + logits->shape().n_elements());
    begin = end;
  }
  return out;
}

// The least memory with which all weights are on the device.
int64_t kib_for_all(const std::shared_ptr<const LoadedModel>& model, StepOptions options) {
  int64_t too_few = 0, enough = 1 << 20;
  while (enough - too_few > 1) {
    const int64_t middle = (too_few + enough) / 2;
    options.device = emulated(0, middle);
    const auto runner = StepRunner::create(model, options);
    (runner && (*runner)->residency().fetched.empty() ? enough : too_few) = middle;
  }
  return enough;
}

int64_t weight_kib(const LoadedModel& model) {
  int64_t bytes = 0;
  for (const auto& [role, weight] : model.weights) bytes += weight.type.bytes();
  return bytes / 1024;
}

class Offloaded : public testing::TestWithParam<const char*> {};

TEST_P(Offloaded, LogitsAreTheSameBits) {
  const auto model = load(fs::path(HEARTH_SOURCE_DIR) / "tests/golden" / GetParam());
  ASSERT_TRUE(model);
  const std::vector<int32_t> ids = tokens_of(*model);
  const int64_t all = kib_for_all(model, on("")), third = all - weight_kib(*model) * 2 / 3;
  const std::vector<float> want = logits_on(**StepRunner::create(model, on("emulated")), ids);
  ASSERT_FALSE(want.empty());
  for (int seed : {0, 1, 2}) {  // copies early, late, and at any time
    const auto opened = open_runner(model, on(emulated(seed, third)));
    ASSERT_TRUE(opened) << opened.error().to_string();
    const Residency& residency = opened->runner->residency();
    EXPECT_GE(residency.fetched_bytes, residency.parameter_bytes / 2);
    EXPECT_EQ(opened->device.note, residency.words());
    EXPECT_NE(opened->device.note.find("stay in the host's memory"), std::string::npos) << opened->device.note;
    const std::vector<float> got = logits_on(*opened->runner, ids);
    ASSERT_EQ(got.size(), want.size());
    EXPECT_EQ(std::memcmp(got.data(), want.data(), want.size() * sizeof(float)), 0) << "seed " << seed;
    if (seed == 0) std::printf("    %s\n", opened->device.note.c_str());
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Offloaded,
                         testing::Values("gqa_untied_fp32", "qwen3_tied_fp32", "qwen3_moe_fp32", "gpt_oss_fp32",
                                         "qwen3_5_bf16", "granitemoehybrid_moe_fp32"),
                         [](const testing::TestParamInfo<const char*>& info) { return info.param; });

// What does not fit even so is told, with the next step; and a step that takes more than was thought of makes room.
TEST(Offload, EndsWhereNothingFits) {
  const auto model = load(fs::path(HEARTH_SOURCE_DIR) / "tests/golden/gqa_untied_fp32");
  const auto refused = open_runner(model, on(emulated(0, 64)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::resource_exhausted);
  EXPECT_NE(refused.error().to_string().find("choose a shorter context"), std::string::npos)
      << refused.error().to_string();
}

TEST(Offload, ALongStepMakesRoom) {
  const auto model = load(fs::path(HEARTH_SOURCE_DIR) / "tests/golden/gqa_untied_fp32");
  StepOptions options = on("emulated");
  options.max_seq_len = 96, options.n_slots = 4;
  std::vector<StepToken> tokens;  // more than the 256 that a step is thought to have
  for (int slot = 0; slot < 4; ++slot)
    for (int t = 0; t < 80; ++t) tokens.push_back({(t * 5 + slot) % model->config.vocab_size, t, slot, t == 79});
  const auto logits_of = [&](StepRunner& runner) {
    const auto logits = runner.run(tokens);
    EXPECT_TRUE(logits) << logits.error().to_string();
    return logits ? std::vector<float>(logits->f32(), logits->f32() + logits->shape().n_elements())
                  : std::vector<float>();
  };
  const std::vector<float> want = logits_of(**StepRunner::create(model, options));
  options.device = emulated(0, kib_for_all(model, options));  // for steps of 256
  const auto runner = *StepRunner::create(model, options);
  EXPECT_TRUE(runner->residency().fetched.empty());
  EXPECT_EQ(logits_of(*runner), want);
  EXPECT_FALSE(runner->residency().fetched.empty());
  EXPECT_EQ(logits_of(*runner), want) << "and goes on";
}

}  // namespace
}  // namespace hearth::golden::offload_test
