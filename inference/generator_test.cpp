// Generator on a golden checkpoint: batching, prefix reuse, stopping, cancelling and limits change nothing about the
// text.
#include "inference/generator.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "inference/golden_models.h"
#include "model_store/formats/load.h"

namespace hearth::generator_test {
namespace {

std::shared_ptr<const LoadedModel> model() {
  static const std::shared_ptr<const LoadedModel> loaded = load_golden("sharded_tokenizer_bf16");
  return loaded;
}
// Most of its layers are recurrences, whose state cannot go back.
std::shared_ptr<const LoadedModel> recurrent_model() {
  static const std::shared_ptr<const LoadedModel> loaded = load_golden("qwen3_5_bf16");
  return loaded;
}

std::unique_ptr<Generator> generator(int n_slots = 4, int prefill_chunk = 256, int max_seq_len = 0,
                                     std::shared_ptr<const LoadedModel> of = model(), const char* device = "cpu") {
  GeneratorOptions options;
  options.step.device = device;
  options.step.n_threads = 2;
  options.step.n_slots = n_slots;
  options.step.max_seq_len = max_seq_len;
  options.step.cache_dtype = Dtype::f32;
  options.prefill_chunk = prefill_chunk;
  auto created = Generator::create(std::move(of), options);
  EXPECT_TRUE(created) << created.error().to_string();
  return std::move(*created);
}

GenerationRequest request(std::string_view prompt, int max_tokens = 24) {
  GenerationRequest out;
  out.prompt = *model()->tokenizer->encode(prompt);
  out.max_tokens = max_tokens;
  out.ignore_eos = true;
  return out;
}

GenerationSummary run(Generator& g, const GenerationRequest& r) {
  std::string streamed;
  auto summary = g.generate(r,
                            [&](std::string_view text) {
                              streamed += text;
                              return true;
                            },
                            {});
  EXPECT_TRUE(summary) << summary.error().to_string();
  EXPECT_EQ(streamed, summary->text);
  return *summary;
}

TEST(Generator, ChunksOfAnySizeGiveTheSameTokens) {
  const GenerationSummary whole =
      run(*generator(), request("The quick brown fox jumps over the lazy dog, again and again."));
  EXPECT_EQ(whole.n_completion_tokens, 24);
  EXPECT_EQ(whole.finish, FinishReason::length);
  for (int chunk : {1, 3, 7})
    EXPECT_EQ(
        run(*generator(1, chunk), request("The quick brown fox jumps over the lazy dog, again and again.")).tokens,
        whole.tokens);
}

// What an engine tries before it listens is nobody's request.
TEST(Generator, ForgetsWhatItCounted) {
  auto g = generator();
  run(*g, request("one", 3));
  const GeneratorStats before = g->stats();
  ASSERT_EQ(before.n_requests, 1u);
  ASSERT_GT(before.n_completion_tokens, 0u);
  g->forget_counts();
  const GeneratorStats after = g->stats();
  EXPECT_EQ(after.n_requests + after.n_prompt_tokens + after.n_read_tokens + after.n_completion_tokens + after.n_steps,
            0u);
  EXPECT_EQ(after.busy_s, 0);
  EXPECT_EQ(after.n_graphs_built, before.n_graphs_built) << "those are there";
  run(*g, request("one", 3));
  EXPECT_EQ(g->stats().n_requests, 1u);
}

TEST(Generator, NeighboursInTheBatchChangeNothing) {
  const std::vector<std::string> prompts{
      "One", "Two plus two is", "A much longer prompt that needs several chunks to be read.", "x", "y z", "The end"};
  auto together = generator(3, 5);
  std::vector<std::vector<int32_t>> got(prompts.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < prompts.size(); ++i)
    threads.emplace_back([&, i] { got[i] = run(*together, request(prompts[i])).tokens; });
  for (std::thread& t : threads) t.join();
  for (size_t i = 0; i < prompts.size(); ++i)
    EXPECT_EQ(got[i], run(*generator(1), request(prompts[i])).tokens) << prompts[i];
  EXPECT_EQ(together->stats().n_requests, prompts.size());
  EXPECT_EQ(together->stats().n_running, 0);
}

TEST(Generator, NeighboursChangeNothingInARecurrentModel) {
  const std::vector<std::string> prompts{"One", "A much longer prompt that needs several chunks to be read.", "x"};
  auto together = generator(3, 5, 0, recurrent_model());
  std::vector<std::vector<int32_t>> got(prompts.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < prompts.size(); ++i)
    threads.emplace_back([&, i] { got[i] = run(*together, request(prompts[i])).tokens; });
  for (std::thread& t : threads) t.join();
  for (size_t i = 0; i < prompts.size(); ++i)
    EXPECT_EQ(got[i], run(*generator(1, 256, 0, recurrent_model()), request(prompts[i])).tokens) << prompts[i];
}

TEST(Generator, StopStringsCutAndAreNotShown) {
  const GenerationSummary free = run(*generator(), request("Hello"));
  ASSERT_GT(free.text.size(), 6u);
  GenerationRequest stopped = request("Hello");
  stopped.stop = {free.text.substr(3, 2)};
  const GenerationSummary cut = run(*generator(), stopped);
  EXPECT_EQ(cut.finish, FinishReason::stop);
  EXPECT_EQ(cut.text, free.text.substr(0, free.text.find(stopped.stop[0])));
}

TEST(Generator, AStopIdEndsTheAnswer) {
  const GenerationSummary free = run(*generator(), request("Hello"));
  GenerationRequest stopped = request("Hello");
  stopped.ignore_eos = false;
  stopped.stop_ids = {free.tokens[4]};
  EXPECT_EQ(run(*generator(), stopped).finish, FinishReason::stop);
}

TEST(Generator, NoEndBeforeTheLeastNumberOfTokens) {
  const GenerationSummary free = run(*generator(), request("Hello"));
  GenerationRequest r = request("Hello");
  r.stop_ids = {free.tokens[4]};
  const auto first = std::find(free.tokens.begin(), free.tokens.end(), r.stop_ids[0]) - free.tokens.begin();
  EXPECT_EQ(run(*generator(), r).n_completion_tokens, first + 1)
      << "a request's own stop tokens end it even when the model's do not";
  r.min_tokens = 12;
  const GenerationSummary longer = run(*generator(), r);
  ASSERT_GE(longer.tokens.size(), 12u);
  EXPECT_EQ(std::count(longer.tokens.begin(), longer.tokens.begin() + 12, r.stop_ids[0]), 0);
  r.stop_ids = {-1};
  EXPECT_EQ(generator()->check(r).error().code, Code::invalid_argument);
}

TEST(Generator, SeedsDecideSampledAnswers) {
  GenerationRequest r = request("Hello");
  r.sampling.temperature = 1.5f;
  r.sampling.seed = 5;
  auto g = generator();
  const std::vector<int32_t> first = run(*g, r).tokens;
  EXPECT_EQ(run(*g, r).tokens, first);
  r.sampling.seed = 6;
  EXPECT_NE(run(*g, r).tokens, first);
}

// Where the logits are on a device, tokens are drawn there, but for what more than the logits decides.
TEST(Generator, ADeviceDrawsWhatTheHostDraws) {
  auto host = generator(2), device = generator(2, 256, 0, model(), "emulated");
  const SamplingParams all[] = {{},
                                {.temperature = 1.5f, .seed = 3},
                                {.temperature = 2, .top_k = 20, .seed = 4},
                                {.temperature = 1.5f, .top_p = 0.8f, .seed = 5},
                                {.temperature = 1, .top_k = 50, .top_p = 0.95f, .min_p = 0.02f, .seed = 6},
                                {.temperature = 1, .repetition_penalty = 1.3f, .seed = 7}};
  for (const SamplingParams& params : all) {
    GenerationRequest r = request("Two plus two is", 12);
    r.sampling = params;
    EXPECT_EQ(run(*device, r).tokens, run(*host, r).tokens) << "seed " << params.seed;
  }
  GenerationRequest r = request("Two plus two is", 12);
  r.ignore_eos = false, r.stop_ids = {run(*host, r).tokens[2]}, r.min_tokens = 6;
  EXPECT_EQ(run(*device, r).tokens, run(*host, r).tokens) << "the host sees to the least number of tokens";
}

TEST(Generator, CancellingFromTheCallbackOrTheStopToken) {
  auto g = generator();
  int n_calls = 0;
  std::string shown;
  auto refuse = [&](std::string_view text) {
    ++n_calls;
    shown += text;
    return false;
  };
  auto summary = g->generate(request("Hello", 200), refuse, {});
  ASSERT_TRUE(summary) << summary.error().to_string();
  EXPECT_EQ(summary->finish, FinishReason::cancelled);
  EXPECT_EQ(summary->text, shown);
  EXPECT_EQ(n_calls, 1);

  std::stop_source stop;
  stop.request_stop();
  const uint64_t n_steps = g->stats().n_steps;
  for (int i = 0; i < 20; ++i) {
    summary = g->generate(request("Hello", 200), {}, stop.get_token());
    ASSERT_TRUE(summary) << summary.error().to_string();
    EXPECT_EQ(summary->finish, FinishReason::cancelled);
    EXPECT_EQ(summary->n_completion_tokens, 0);
  }
  EXPECT_LE(g->stats().n_steps, n_steps + 1);  // one: the first answer's last step may still be on its way
}

TEST(Generator, WrongRequestsAreNamed) {
  auto g = generator(1, 256, 32);
  auto expect_error = [&](const GenerationRequest& r, std::string_view text) {
    auto result = g->generate(r, {}, {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::invalid_argument);
    EXPECT_NE(result.error().message.find(text), std::string::npos) << result.error().message;
  };
  expect_error({}, "prompt is empty");
  GenerationRequest long_prompt = request("x");
  long_prompt.prompt.assign(32, 5);
  expect_error(long_prompt, "the prompt has 32 tokens");
  GenerationRequest outside = request("x");
  outside.prompt[0] = 1 << 30;
  expect_error(outside, "outside the model's vocabulary");
  GenerationRequest hot = request("x");
  hot.sampling.temperature = -1;
  expect_error(hot, "temperature");
}

TEST(Generator, TheContextEndsTheAnswer) {
  auto g = generator(1, 256, 32);
  const GenerationSummary summary = run(*g, request("Hello", 0));
  EXPECT_EQ(summary.finish, FinishReason::length);
  EXPECT_EQ(summary.n_prompt_tokens + summary.n_completion_tokens, 32);
}

// The first token comes of reading the prompt: its time is not in decode_s, so it is not in the speed either.
TEST(GenerationSummary, SpeedCountsDecodeSteps) {
  auto speed = [](int n_tokens, double decode_s) {
    GenerationSummary out;
    out.n_completion_tokens = n_tokens, out.decode_s = decode_s;
    return out.decode_tokens_per_s();
  };
  EXPECT_EQ(speed(11, 2), 5);
  EXPECT_EQ(speed(1, 1e-6), 0);
  EXPECT_EQ(speed(0, 0), 0);
  EXPECT_EQ(speed(5, 0), 0);
}

}  // namespace
}  // namespace hearth::generator_test
