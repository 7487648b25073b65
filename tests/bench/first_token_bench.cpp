// first_token_bench: what a request waits for before its first token. After one prompt for each size of step, 500
// prompts of random lengths must find every plan made; prompts that are padded to the same size must take the same
// time; and a second turn must take the time of its new tokens.
//
//   first_token_bench MODEL [--json] [--threads N] [--prompts 500] [--repeats 15]
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <random>

#include "base/json.h"
#include "inference/step_runner.h"
#include "runtime/architectures/weight_traffic.h"
#include "tests/bench/machine_limits.h"

using namespace hearth;

namespace {

constexpr int kLongest = 256, kTurn = 40;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::vector<int32_t> prompt_of(const StepRunner& runner, int n, uint32_t seed) {
  std::mt19937 rng(seed);
  std::vector<int32_t> out;
  for (int i = 0; i < n; ++i) out.push_back(static_cast<int32_t>(rng() % static_cast<uint32_t>(runner.vocab_size())));
  return out;
}

// Seconds until the logits after the prompt's last token are there.
Result<double> first_token(StepRunner& runner, const std::vector<int32_t>& prompt) {
  const auto begin = std::chrono::steady_clock::now();
  const int n = static_cast<int>(prompt.size());
  std::vector<StepToken> step;
  for (int p = runner.begin(0, std::span(prompt).first(prompt.size() - 1)).n_reused; p < n; ++p)
    step.push_back({prompt[static_cast<size_t>(p)], p, 0, p + 1 == n});
  TRY(runner.run(step));
  runner.keep(0);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Result<uint64_t> graphs_built_by_random_prompts(StepRunner& runner, int n_prompts) {
  uint32_t seed = 1;
  for (int n = 1; n <= kLongest; n = padded_tokens(n) + 1) TRY(first_token(runner, prompt_of(runner, n, ++seed)));
  const uint64_t warm = runner.n_graphs_built();
  std::mt19937 rng(7);
  for (int i = 0; i < n_prompts; ++i)
    TRY(first_token(runner, prompt_of(runner, 1 + static_cast<int>(rng() % kLongest), ++seed)));
  return runner.n_graphs_built() - warm;
}

// In turn, so that what else the machine does meets all of them.
Result<std::map<int, double>> times_by_length(StepRunner& runner, std::initializer_list<int> lengths, int n_repeats) {
  std::map<int, std::vector<double>> seconds;
  uint32_t seed = 100000;
  for (int i = 0; i < n_repeats; ++i)
    for (const int n : lengths) seconds[n].push_back(TRY(first_token(runner, prompt_of(runner, n, ++seed))));
  std::map<int, double> out;
  for (const auto& [n, all] : seconds) out[n] = median(all);
  return out;
}

// kTurn tokens after kLongest others: of a conversation, and all of it anew.
Result<std::pair<double, double>> second_turn(StepRunner& runner, int n_repeats) {
  std::vector<double> warm, cold;
  uint32_t seed = 200000;
  for (int i = 0; i < n_repeats; ++i) {
    std::vector<int32_t> prompt = prompt_of(runner, kLongest - kTurn, ++seed);
    TRY(first_token(runner, prompt));
    const std::vector<int32_t> more = prompt_of(runner, kTurn, ++seed);
    prompt.insert(prompt.end(), more.begin(), more.end());
    warm.push_back(TRY(first_token(runner, prompt)));
    cold.push_back(TRY(first_token(runner, prompt_of(runner, kLongest, ++seed))));
  }
  return std::pair(median(warm), median(cold));
}

Result<void> run(const std::string& path, int n_threads, int n_prompts, int n_repeats, bool json) {
  auto model = std::make_shared<const LoadedModel>(TRY(load_model(path)));
  const int longest = std::min(kLongest, model->config.max_seq_len);
  if (longest < kLongest) return error(Code::invalid_argument, "the model's context is below {} tokens", kLongest);
  auto runner = TRY(StepRunner::create(model, {.n_threads = n_threads, .max_seq_len = longest, .n_slots = 1}));
  const uint64_t n_built = TRY(graphs_built_by_random_prompts(*runner, n_prompts));
  const std::map<int, double> times = TRY(times_by_length(*runner, {9, 12, 33, 37, 40, 41}, n_repeats));
  const auto [warm, cold] = TRY(second_turn(*runner, n_repeats));
  Team team(n_threads > 0 ? n_threads : Team::default_threads());
  const double limit = bench::measure_limits(team, bench::Clock::wall).flops_per_s;
  double flops = 0;
  for (const ParameterSpec& spec : model->parameters)
    if (spec.kind == ParameterKind::matrix && spec.role != "lm_head")
      flops += 2.0 * 40 * read_share(spec, model->config) * static_cast<double>(spec.shape.n_elements());
  if (json) {
    Json out{
        {"graphs_built", n_built}, {"second_turn_s", warm}, {"all_anew_s", cold}, {"limit_of_40_s", flops / limit}};
    for (const auto& [n, s] : times) out[fmt::format("first_token_of_{}_s", n)] = s;
    fmt::print("{}\n", out.dump());
    return {};
  }
  fmt::print("{} prompts of 1 to {} tokens after one of each size: {} plans made\n", n_prompts, kLongest, n_built);
  for (const auto& [n, s] : times) fmt::print("first token of {} tokens: {:.1f} ms\n", n, s * 1e3);
  fmt::print("limit of 40 tokens, by {:.0f} GFLOP/s: {:.1f} ms\n", limit / 1e9, flops / limit * 1e3);
  fmt::print("second turn of {} tokens after {}: {:.1f} ms; all {} anew: {:.1f} ms\n", kTurn, kLongest - kTurn,
             warm * 1e3, kLongest, cold * 1e3);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  std::string path;
  int n_threads = 0, n_prompts = 500, n_repeats = 15;
  bool json = false;
  CLI::App app("What a request waits for before its first token.", "first_token_bench");
  app.add_option("model", path, "model folder or .gguf file")->required();
  app.add_option("--threads", n_threads, "default: all cores");
  app.add_option("--prompts", n_prompts, "of random lengths")->check(CLI::Range(1, 100000));
  app.add_option("--repeats", n_repeats, "of each length; the median counts")->check(CLI::Range(1, 1000));
  app.add_flag("--json", json, "figures as JSON");
  CLI11_PARSE(app, argc, argv);
  if (auto result = run(path, n_threads, n_prompts, n_repeats, json); !result) {
    std::fprintf(stderr, "error: %s\n", result.error().to_string().c_str());
    return 1;
  }
  return 0;
}
