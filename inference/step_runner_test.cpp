// StepRunner: what a sequence's logits owe to the sequences that are run beside it.
#include "inference/step_runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "base/sanitizers.h"
#include "inference/golden_models.h"

namespace hearth::step_runner_test {
namespace {

// n sequences of different lengths, whose next tokens are decoded in one step, or one after the other.
class Neighbours {
 public:
  Neighbours(const char* name, int n, std::string device = "cpu")
      : model_(load_golden(name)), n_(n), device_(std::move(device)) {}

  std::vector<float> decode(bool is_together, bool exact = false) const {
    const StepOptions options{
        .device = device_, .n_threads = 2, .max_seq_len = 32, .n_slots = n_, .cache_dtype = Dtype::f32, .exact = exact};
    auto runner = *StepRunner::create(model_, options);
    for (int slot = 0; slot < n_; ++slot) {
      std::vector<StepToken> prompt;
      for (int p = 0; p < length(slot); ++p) prompt.push_back({id(slot, p), p, slot, false});
      EXPECT_TRUE(runner->run(prompt));
    }
    std::vector<StepToken> next;
    for (int slot = 0; slot < n_; ++slot) next.push_back({id(slot, length(slot)), length(slot), slot, true});
    std::vector<float> out;
    const size_t n_at_once = is_together ? next.size() : 1;
    for (size_t i = 0; i < next.size(); i += n_at_once) {
      const TensorView logits = *runner->run(std::span(next).subspan(i, n_at_once));
      out.insert(out.end(), logits.f32(), logits.f32() + logits.shape().n_elements());
    }
    return out;
  }
  size_t vocab_size() const { return static_cast<size_t>(model_->config.vocab_size); }

 private:
  int length(int slot) const { return 2 + slot * 5 % 7; }
  int32_t id(int slot, int position) const { return (slot * 31 + position * 17 + 5) % model_->config.vocab_size; }

  std::shared_ptr<const LoadedModel> model_;
  int n_;
  std::string device_;
};

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double out = 0;
  for (size_t i = 0; i < a.size(); ++i) out = std::max(out, std::fabs(static_cast<double>(a[i]) - b[i]));
  return out;
}

// Attention with and without groups, latent attention, recurrences, experts; f32 and bf16 weights.
constexpr const char* kModels[] = {"gqa_untied_fp32", "sharded_tokenizer_bf16", "deepseek_v3_bf16",  "qwen3_5_bf16",
                                   "gpt_oss_bf16",    "mixtral_fp32",           "gpt_oss_mxfp4_fp32"};

size_t largest_of(const std::vector<float>& logits, size_t row, size_t n) {
  const auto begin = logits.begin() + static_cast<std::ptrdiff_t>(row * n);
  return static_cast<size_t>(std::max_element(begin, begin + static_cast<std::ptrdiff_t>(n)) - begin);
}

TEST(Neighbours, UpToEightChangeNoBit) {
  for (const char* name : kModels)
    for (int n : {2, 5, 8}) {
      const Neighbours neighbours(name, n);
      const std::vector<float> together = neighbours.decode(true), alone = neighbours.decode(false);
      EXPECT_EQ(std::memcmp(together.data(), alone.data(), together.size() * 4), 0) << name << " " << n;
    }
}

// Activations beside 4-bit experts are rounded, by default, and nowhere else.
TEST(Rounding, MovesLogitsOfCoarseWeightsOnlyAndALittle) {
  const Neighbours coarse("gpt_oss_mxfp4_fp32", 2), fine("gpt_oss_bf16", 2);
  const std::vector<float> exact = coarse.decode(true, true);
  const double moved = largest_difference(coarse.decode(true), exact);
  const double largest = largest_difference(exact, std::vector<float>(exact.size(), 0));
  EXPECT_GT(moved, 1e-5 * largest);
  EXPECT_LT(moved, 0.05 * largest);
  EXPECT_EQ(fine.decode(true), fine.decode(true, true));
}

// From nine rows on, products are summed in another order (kernels/gemm.h in place of dot_rows.h), but on the
// deterministic CPU: the last bits differ, by less than this share of the largest logit, and a tie that near may fall
// the other way.
constexpr double kOtherOrder = 2e-6;

TEST(Neighbours, NineAndMoreChangeTheLastBitsOnly) {
  for (const char* name : kModels)
    for (int n : {9, 12, 33}) {
      const Neighbours neighbours(name, n);
      const std::vector<float> together = neighbours.decode(true), alone = neighbours.decode(false);
      const double largest = largest_difference(alone, std::vector<float>(alone.size()));
      EXPECT_LE(largest_difference(together, alone), kOtherOrder * largest) << name << " " << n;
      for (size_t row = 0; row < static_cast<size_t>(n); ++row)
        EXPECT_EQ(largest_of(together, row, neighbours.vocab_size()), largest_of(alone, row, neighbours.vocab_size()))
            << name << " " << n << " row " << row;
    }
}

TEST(Neighbours, ChangeNoBitOnTheDeterministicCpu) {
  for (const char* name : kModels)
    for (int n : {9, 33, 40}) {
      const Neighbours neighbours(name, n, std::string(kDeterministicHost));
      const std::vector<float> together = neighbours.decode(true), alone = neighbours.decode(false);
      EXPECT_EQ(std::memcmp(together.data(), alone.data(), together.size() * 4), 0) << name << " " << n;
    }
}

// A prompt is read in pieces of what room others leave in a step. Clang, with which builds with AddressSanitizer are
// made, fuses products and sums otherwise in a tile of one row: there the last bits differ.
TEST(Neighbours, PiecesOfAPromptChangeNoBitOnTheDeterministicCpu) {
  for (const char* name : kModels) {
    const auto model = load_golden(name);
    const StepOptions options{
        .device = std::string(kDeterministicHost), .n_threads = 2, .max_seq_len = 128, .n_slots = 1};
    std::vector<std::vector<float>> logits;
    for (int piece : {100, 64, 9, 1}) {
      auto runner = *StepRunner::create(model, options);
      std::vector<StepToken> tokens;
      for (int p = 0; p < 100; ++p) tokens.push_back({(p * 17 + 3) % model->config.vocab_size, p, 0, p == 99});
      for (size_t at = 0; at < tokens.size(); at += static_cast<size_t>(piece)) {
        auto got = runner->run(std::span(tokens).subspan(at, std::min(tokens.size() - at, static_cast<size_t>(piece))));
        ASSERT_TRUE(got) << got.error().to_string();
        if (at + static_cast<size_t>(piece) >= tokens.size())
          logits.emplace_back(got->f32(), got->f32() + got->shape().n_elements());
      }
      const double largest = largest_difference(logits[0], std::vector<float>(logits[0].size()));
      EXPECT_LE(largest_difference(logits.back(), logits[0]), HEARTH_HAS_ASAN ? kOtherOrder * largest : 0)
          << name << " " << piece;
    }
  }
}

TEST(Draws, LeaveTheLogitsOnTheDeviceUnlessTheyAreAskedFor) {
  const auto model = load_golden("gqa_untied_fp32");
  EXPECT_FALSE((*StepRunner::create(model, {.max_seq_len = 16}))->draws_tokens());
  auto runner = *StepRunner::create(model, {.device = "emulated", .max_seq_len = 16, .n_slots = 2});
  ASSERT_TRUE(runner->draws_tokens());
  std::vector<StepToken> tokens{{5, 0, 0, true, DrawChoice{}}, {9, 0, 1, true}};
  const TensorView logits = *runner->run(tokens);
  ASSERT_EQ(logits.dim(0), 2);
  const std::vector<float> row(logits.f32(), logits.f32() + logits.dim(1));
  EXPECT_EQ(static_cast<size_t>(runner->drawn()[0]), largest_of(row, 0, row.size()));
  tokens = {{5, 0, 0, true, DrawChoice{}}, {9, 0, 1, true, DrawChoice{.temperature = 1, .top_k = 1, .uniform = 0.9f}}};
  EXPECT_EQ(runner->run(tokens)->data, nullptr);
  EXPECT_EQ(static_cast<size_t>(runner->drawn()[0]), largest_of(row, 0, row.size()));
}

// One request of each size, and then prompts of any length find their plan made.
TEST(ShapeClasses, AfterAWarmUpNoGraphIsBuilt) {
  constexpr int kLongest = 256;
  const auto model = load_golden("gqa_untied_fp32");
  StepOptions options{.n_threads = 2, .max_seq_len = std::min(kLongest, model->config.max_seq_len), .n_slots = 1};
  auto runner = *StepRunner::create(model, options);
  const auto run = [&](int n) {
    std::vector<StepToken> prompt;
    for (int p = 0; p < n; ++p) prompt.push_back({(p * 17 + n) % runner->vocab_size(), p, 0, p + 1 == n});
    auto logits = runner->run(prompt);
    ASSERT_TRUE(logits) << logits.error().to_string();
    EXPECT_EQ(logits->dim(0), 1);
  };
  for (int n = 1; n <= options.max_seq_len; n = padded_tokens(n) + 1) run(padded_tokens(n));
  const uint64_t n_built = runner->n_graphs_built();
  EXPECT_LE(n_built, 26u);
  uint32_t random = 7;
  for (int i = 0; i < 500; ++i) {
    random = random * 1664525 + 1013904223;
    run(1 + static_cast<int>(random >> 8) % options.max_seq_len);
  }
  EXPECT_EQ(runner->n_graphs_built(), n_built);
}

// Nine tokens beside three of padding are the nine tokens beside three of another sequence, in every kind of layer.
TEST(ShapeClasses, PaddingChangesNoBit) {
  for (const char* name :
       {"gqa_untied_fp32", "deepseek_v3_bf16", "qwen3_5_bf16", "gpt_oss_bf16", "granitemoehybrid_bf16"}) {
    const auto model = load_golden(name);
    std::vector<float> rows[2];
    for (int n_others : {0, 3}) {
      auto runner = *StepRunner::create(model, {.n_threads = 2, .max_seq_len = 32, .n_slots = 2});
      std::vector<StepToken> tokens;
      for (int p = 0; p < 9; ++p) tokens.push_back({p * 7 % runner->vocab_size(), p, 0, p == 8});
      for (int p = 0; p < n_others; ++p) tokens.push_back({p * 5 % runner->vocab_size(), p, 1, false});
      std::vector<float>& out = rows[n_others / 3];
      for (int step = 0; step < 2; ++step) {  // the second finds what the first left in the states
        const TensorView logits = *runner->run(tokens);
        out.insert(out.end(), logits.f32(), logits.f32() + logits.shape().n_elements());
        for (StepToken& token : tokens) token.position += token.slot == 0 ? 9 : 3;
      }
    }
    ASSERT_EQ(rows[0].size(), 2 * static_cast<size_t>(model->config.vocab_size)) << name;
    EXPECT_EQ(std::memcmp(rows[0].data(), rows[1].data(), rows[0].size() * 4), 0) << name;
  }
}

TEST(ShapeClasses, PaddingIsAtMostAQuarterAndNeverLess) {
  for (int n = 1; n <= 4096; ++n) {
    EXPECT_GE(padded_tokens(n), n);
    EXPECT_LE(padded_tokens(n), n <= 8 ? n : std::max(n + 3, n * 5 / 4));
    EXPECT_EQ(padded_tokens(padded_tokens(n)), padded_tokens(n));
    EXPECT_GE(padded_logit_rows(n), n);
    EXPECT_EQ(padded_logit_rows(padded_logit_rows(n)), padded_logit_rows(n));
  }
  EXPECT_EQ(padded_logit_rows(0), 1);
  EXPECT_EQ(padded_tokens(37), padded_tokens(40));
}

}  // namespace
}  // namespace hearth::step_runner_test
