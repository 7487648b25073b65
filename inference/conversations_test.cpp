// Conversations: what a turn finds in the cache of earlier ones, of each kind of state, and that it answers as if it
// had read all of it.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "inference/generator.h"
#include "model_store/formats/load.h"

namespace hearth::conversations_test {
namespace {

using Tokens = std::vector<int32_t>;

constexpr int kPage = 8;

LoadedModel load(const std::string& name) {
  auto result = load_model(std::filesystem::path(HEARTH_SOURCE_DIR) / "tests/golden" / name);
  if (!result) ADD_FAILURE() << result.error().to_string();
  return std::move(*result);
}

// Some goldens have no tokenizer of their own; these tests speak in tokens.
std::shared_ptr<const LoadedModel> model_named(const std::string& name) {
  LoadedModel model = load(name);
  if (!model.tokenizer) model.tokenizer = load("sharded_tokenizer_bf16").tokenizer;
  return std::make_shared<const LoadedModel>(std::move(model));
}

// Full and windowed attention, latent attention, one layer in four a recurrence and most of them.
class Conversations : public testing::TestWithParam<const char*> {
 protected:
  static StepOptions step_options(int n_slots) {
    return {.n_threads = 2, .n_slots = n_slots, .page_size = kPage, .cache_dtype = Dtype::f32};
  }
  std::unique_ptr<Generator> generator(int n_slots = 2, int prefill_chunk = 256, int n_pages = 0) const {
    GeneratorOptions options{.step = step_options(n_slots), .prefill_chunk = prefill_chunk};
    options.step.n_pages = n_pages;
    auto created = Generator::create(model_, options);
    EXPECT_TRUE(created) << created.error().to_string();
    return std::move(*created);
  }
  std::unique_ptr<StepRunner> runner(int n_slots = 2) const {
    return *StepRunner::create(model_, step_options(n_slots));
  }
  bool has_recurrences() const { return runner()->has_recurrences(); }

  Tokens tokens(int n, int seed) const {
    Tokens out;
    for (int i = 0; i < n; ++i) out.push_back((seed * 131 + i * i * 7 + i * 31 + 3) % 60);
    return out;
  }
  static Tokens joined(Tokens a, const Tokens& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }
  static Tokens first(const Tokens& a, int n) { return Tokens(a.begin(), a.begin() + n); }

  std::shared_ptr<const LoadedModel> model_ = model_named(GetParam());
};

// One turn, and how many tokens of its prompt were found and how many were run.
struct Turn {
  Tokens answer;
  int n_found = 0, n_read = 0;
};

Turn turn(Generator& g, const Tokens& prompt, int n_lasting = 0, int max_tokens = 12) {
  GenerationRequest request{.prompt = prompt, .n_lasting = n_lasting, .max_tokens = max_tokens, .ignore_eos = true};
  const uint64_t before = g.stats().n_read_tokens;
  auto summary = g.generate(request, {}, {});
  EXPECT_TRUE(summary) << summary.error().to_string();
  while (g.stats().n_running > 0) std::this_thread::yield();  // its last step is counted
  return {summary->tokens, summary->n_cached_tokens, static_cast<int>(g.stats().n_read_tokens - before)};
}

TEST_P(Conversations, TheSecondTurnReadsOnlyItsNewTokens) {
  const auto g = generator();
  const Tokens prompt = tokens(27, 1), more = tokens(5, 2);
  const Turn first_turn = turn(*g, prompt);
  EXPECT_EQ(first_turn.n_read, 27);
  const Tokens second = joined(joined(prompt, first_turn.answer), more);
  const Turn second_turn = turn(*g, second);
  // The answer's last token was never run.
  EXPECT_EQ(second_turn.n_read, 5 + 1);
  EXPECT_EQ(second_turn.n_found, static_cast<int>(second.size()) - 6);
  EXPECT_EQ(second_turn.answer, turn(*generator(), second).answer);
  const Tokens third = joined(joined(second, second_turn.answer), more);
  const Turn third_turn = turn(*g, third);
  EXPECT_EQ(third_turn.n_read, 5 + 1);
  EXPECT_EQ(third_turn.answer, turn(*generator(), third).answer);
}

// The template leaves out what the answer thought, and what asked for it.
TEST_P(Conversations, AnAnswerThatIsRewrittenIsReadAnewAndNothingBefore) {
  const auto g = generator();
  const Tokens history = tokens(27, 1), rewritten = tokens(6, 3);
  turn(*g, joined(history, {7, 8, 9}), 27);
  const Tokens second = joined(joined(history, rewritten), tokens(4, 4));
  const Turn second_turn = turn(*g, second);
  EXPECT_EQ(second_turn.n_found, 27);
  EXPECT_EQ(second_turn.n_read, 10);
  EXPECT_EQ(second_turn.answer, turn(*generator(), second).answer);
}

// The same without knowing where: then a recurrence goes on after the last whole page.
TEST_P(Conversations, WhereTheTurnsPartIsSeldomFarBack) {
  const auto g = generator();
  const Tokens history = tokens(27, 1);
  turn(*g, joined(history, {7, 8, 9}));
  const Tokens second = joined(history, tokens(10, 3));
  const Turn second_turn = turn(*g, second);
  EXPECT_EQ(second_turn.n_found, has_recurrences() ? 16 : 27);
  EXPECT_EQ(second_turn.n_read, 37 - second_turn.n_found);
  EXPECT_EQ(second_turn.answer, turn(*generator(), second).answer);
}

TEST_P(Conversations, TheSamePromptAgainRunsItsLastToken) {
  const auto g = generator();
  const Tokens prompt = tokens(26, 1);
  const Turn once = turn(*g, prompt);
  const Turn again = turn(*g, prompt);
  EXPECT_EQ(again.n_read, has_recurrences() ? 26 - 16 : 1);
  EXPECT_EQ(again.answer, once.answer);
  const Tokens one_token{5};
  EXPECT_EQ(turn(*g, one_token).answer, turn(*generator(), one_token).answer);
}

TEST_P(Conversations, AnEditInTheMiddleReadsFromThere) {
  const auto g = generator();
  const Tokens prompt = tokens(40, 1);
  turn(*g, prompt);
  Tokens edited = prompt;
  edited[21] = (edited[21] + 1) % 60;
  const Turn after = turn(*g, edited);
  EXPECT_EQ(after.n_found, has_recurrences() ? 0 : 21);
  EXPECT_EQ(after.answer, turn(*generator(), edited).answer);
  Tokens other = prompt;  // the place where two parted is one where a third may
  other[21] = (other[21] + 2) % 60;
  EXPECT_EQ(turn(*g, other, 0, 1).n_found, 21);
  EXPECT_EQ(turn(*g, other).answer, turn(*generator(), other).answer);
  EXPECT_EQ(turn(*g, prompt).answer, turn(*generator(), prompt).answer);
}

// To the bit: steps of the same sizes, one in a sequence of its own, one after a beginning that another read.
TEST_P(Conversations, WhatAnotherReadIsWorthWhatOneReadsOneself) {
  const Tokens system = tokens(21, 1), a = tokens(9, 2), b = tokens(9, 3);
  const auto run = [](StepRunner& runner, int slot, int at, const Tokens& ids) {
    std::vector<StepToken> step;
    for (size_t i = 0; i < ids.size(); ++i) step.push_back({ids[i], at + static_cast<int>(i), slot, true});
    const TensorView logits = *runner.run(step);
    return std::vector<float>(logits.f32(), logits.f32() + logits.shape().n_elements());
  };
  const auto alone = [&](const Tokens& mine) {
    const auto r = runner();
    run(*r, 0, 0, system);
    return run(*r, 0, 21, mine);
  };
  const auto r = runner();
  run(*r, 0, 0, system);
  r->keep(0);
  const int n_pages = r->n_pages_in_use();
  EXPECT_EQ(r->begin(1, joined(system, b)).n_reused, 21);
  EXPECT_EQ(r->n_pages_in_use(), n_pages + 1) << "shared, but for a copy of the page that is not full";
  std::vector<float> of_a, of_b;
  for (int i = 0; i < 9; ++i) {  // in turn, so that each could spoil the other's page
    const std::vector<float> x = run(*r, 0, 21 + i, {a[static_cast<size_t>(i)]});
    const std::vector<float> y = run(*r, 1, 21 + i, {b[static_cast<size_t>(i)]});
    of_a.insert(of_a.end(), x.begin(), x.end()), of_b.insert(of_b.end(), y.begin(), y.end());
  }
  const auto one_by_one = [&](const Tokens& mine) {
    const auto own = runner();
    run(*own, 0, 0, system);
    std::vector<float> out;
    for (int i = 0; i < 9; ++i) {
      const std::vector<float> x = run(*own, 0, 21 + i, {mine[static_cast<size_t>(i)]});
      out.insert(out.end(), x.begin(), x.end());
    }
    return out;
  };
  EXPECT_EQ(of_a, one_by_one(a));
  EXPECT_EQ(of_b, one_by_one(b));
  EXPECT_EQ(r->begin(1, system).n_reused, 21) << "what was kept is as it was";
  EXPECT_EQ(run(*r, 1, 21, b), alone(b));
}

TEST_P(Conversations, ManyAtOnceThatBeginAlikeDisturbNobody) {
  const auto g = generator(3, 5);
  const Tokens system = tokens(19, 1);
  turn(*g, system);
  std::vector<Tokens> answers(6);
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([&, i] {
      const Tokens prompt = joined(system, tokens(3 + i * 3, 10 + i));
      answers[static_cast<size_t>(i)] =
          g->generate({.prompt = prompt, .max_tokens = 20, .ignore_eos = true}, {}, {})->tokens;
    });
  for (std::thread& t : threads) t.join();
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(answers[static_cast<size_t>(i)],
              turn(*generator(), joined(system, tokens(3 + i * 3, 10 + i)), 0, 20).answer)
        << i;
  // Kept states are few, and those of the others may have taken the place of the one after `system` for the last.
  EXPECT_GE(g->stats().n_reused_tokens, (has_recurrences() ? 3u : 6u) * 19u);
}

// How much of the prompt was read when it was cancelled; 0: it was read whole before the scheduler heard of it.
int read_until_cancelled(Generator& g, const Tokens& prompt) {
  const uint64_t before = g.stats().n_read_tokens;
  std::stop_source stop;
  std::thread canceller([&] {
    while (g.stats().n_read_tokens < before + 10) std::this_thread::yield();
    stop.request_stop();
  });
  const auto summary = g.generate({.prompt = prompt, .max_tokens = 1, .ignore_eos = true}, {}, stop.get_token());
  canceller.join();
  EXPECT_TRUE(summary) << summary.error().to_string();
  while (g.stats().n_running > 0) std::this_thread::yield();
  return summary->finish == FinishReason::cancelled ? static_cast<int>(g.stats().n_read_tokens - before) : 0;
}

TEST_P(Conversations, CancelledInTheMiddleOfAPromptItGoesOnFromThere) {
  const auto g = generator(1, 1);
  int n_read = 0, seed = 0;
  Tokens prompt;
  while (n_read == 0 && seed < 500) n_read = read_until_cancelled(*g, prompt = tokens(100, ++seed));
  ASSERT_GE(n_read, 10);
  EXPECT_EQ(g->stats().n_pages_in_use, 0);
  const Turn again = turn(*g, prompt);
  EXPECT_GE(again.n_found, n_read);
  EXPECT_EQ(again.n_read, 100 - again.n_found);
  EXPECT_EQ(again.answer, turn(*generator(), prompt).answer);
}

// Four sequences that together need twice the pages there are: all are answered, as if alone.
TEST_P(Conversations, WithoutPagesForAllTheLastWait) {
  const int n_pages = model_->config.max_seq_len / kPage + 1;
  const auto g = generator(4, 16, n_pages);
  const int n_tokens = n_pages * kPage / 2 - 20;
  std::vector<Tokens> answers(4);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      auto summary =
          g->generate({.prompt = tokens(17 + i, 20 + i), .max_tokens = n_tokens, .ignore_eos = true}, {}, {});
      ASSERT_TRUE(summary) << summary.error().to_string();
      EXPECT_EQ(summary->n_completion_tokens, n_tokens);
      answers[static_cast<size_t>(i)] = summary->tokens;
    });
  for (std::thread& t : threads) t.join();
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(answers[static_cast<size_t>(i)], turn(*generator(1), tokens(17 + i, 20 + i), 0, n_tokens).answer) << i;
  while (g->stats().n_running > 0) std::this_thread::yield();
  EXPECT_EQ(g->stats().n_pages, n_pages);
  EXPECT_EQ(g->stats().n_pages_in_use, 0);
  EXPECT_GT(g->stats().n_pages_kept, n_pages / 2);
}

INSTANTIATE_TEST_SUITE_P(Models, Conversations,
                         testing::Values("sharded_tokenizer_bf16", "gemma3_bf16", "deepseek_v3_bf16", "gemma4_bf16",
                                         "qwen3_5_bf16", "qwen3_next_bf16", "granitemoehybrid_bf16"),
                         [](const auto& info) { return std::string(info.param); });

// A whole context must fit, or nothing could be answered.
TEST(Pages, FewerThanOneSequenceNeedsAreRefused) {
  auto refused = StepRunner::create(model_named("gemma3_bf16"), {.n_threads = 1, .page_size = 8, .n_pages = 16});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  EXPECT_NE(refused.error().message.find("takes 16 and one to copy to"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(StepRunner::create(model_named("gemma3_bf16"), {.n_threads = 1, .page_size = 8, .n_pages = 17}));
  EXPECT_FALSE(StepRunner::create(model_named("gemma3_bf16"), {.n_threads = 1, .page_size = 0}));
  EXPECT_FALSE(StepRunner::create(model_named("gemma3_bf16"), {.n_threads = 1, .n_kept = -1}));
}

// A page that is not full and the recurrences' rows are copied wherever the device has them.
TEST(Pages, StatesAreCopiedInTheMemoryOfTheDevice) {
  for (const char* device : {"cpu", "emulated"}) {
    auto created = StepRunner::create(
        model_named("qwen3_5_bf16"),
        {.device = device, .n_threads = 1, .max_seq_len = 24, .n_slots = 2, .page_size = 8, .cache_dtype = Dtype::f32});
    ASSERT_TRUE(created) << created.error().to_string();
    StepRunner& runner = **created;
    const Tokens prompt{3, 14, 15, 9, 26, 5, 35, 8, 9, 7, 32};
    std::vector<StepToken> step;
    for (int p = 0; p < 11; ++p) step.push_back({prompt[static_cast<size_t>(p)], p, 0, false});
    ASSERT_TRUE(runner.run(step)) << device;
    runner.keep(0);
    EXPECT_EQ(runner.begin(1, prompt).n_reused, 11);
    std::vector<float> rows[2];
    for (int slot : {0, 1}) {
      const StepToken next{38, 11, slot, true};
      auto logits = runner.run({&next, 1});
      ASSERT_TRUE(logits) << logits.error().to_string();
      rows[slot].assign(logits->f32(), logits->f32() + logits->shape().n_elements());
    }
    EXPECT_EQ(rows[0], rows[1]) << device;
  }
}

// The steps of a slot follow each other.
TEST(Pages, ATokenThatDoesNotFollowIsRefused) {
  const auto runner = *StepRunner::create(model_named("gemma3_bf16"), {.n_threads = 1});
  const StepToken first{5, 0, 0, true}, third{5, 2, 0, true};
  ASSERT_TRUE(runner->run({&first, 1}));
  const auto refused = runner->run({&third, 1});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("position 2 of slot 0 comes after 1 tokens"), std::string::npos)
      << refused.error().message;
}

}  // namespace
}  // namespace hearth::conversations_test
