// Prefill and decode speed through the StepRunner, without tokenizer or sampler.
#include "inference/bench.h"

#include <algorithm>
#include <chrono>

#include "hwdetect/isa_limit.h"
#include "hwdetect/probe.h"
#include "inference/open_runner.h"
#include "runtime/architectures/weight_traffic.h"

namespace hearth {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Result<void> check(const char* name, int value, int low, int high) {
  if (value >= low && value <= high) return {};
  return error(Code::invalid_argument, "{} must be {} to {}, got {}", name, low, high, value);
}

int32_t token_at(const StepRunner& runner, int position) {
  return static_cast<int32_t>(int64_t{position} * 7919 % runner.vocab_size());
}

// Reads `n` made-up tokens from position `begin` on, in chunks; logits for the last one only, and where a device draws
// tokens, those are not read.
Result<void> feed(StepRunner& runner, int begin, int n, int chunk) {
  const std::optional<DrawChoice> draw = runner.draws_tokens() ? std::optional(DrawChoice{}) : std::nullopt;
  for (int done = 0; done < n;) {
    std::vector<StepToken> tokens;
    for (int i = done; i < std::min(n, done + chunk); ++i)
      tokens.push_back({token_at(runner, begin + i), begin + i, 0, i + 1 == n, draw});
    TRY(runner.run(tokens));
    done += static_cast<int>(tokens.size());
  }
  return {};
}

// Begins anew after the first `depth` tokens, which were read and kept.
Result<void> go_back(StepRunner& runner, int depth) {
  std::vector<int32_t> ids;
  for (int position = 0; position < depth; ++position) ids.push_back(token_at(runner, position));
  const int n_reused = runner.begin(0, ids).n_reused;
  if (n_reused == depth) return {};
  return error(Code::internal, "bench: {} of {} tokens were still in the cache", n_reused, depth);
}

uint64_t bytes_read_per_token(const LoadedModel& model) {
  double bytes = 0;
  for (const ParameterSpec& spec : model.parameters)
    bytes += read_share(spec, model.config) * static_cast<double>(model.weights.at(spec.role).type.bytes());
  return static_cast<uint64_t>(bytes);
}

double useful_flops_per_token(const LoadedModel& model) {
  double n = 0;
  for (const ParameterSpec& spec : model.parameters)
    if (spec.kind == ParameterKind::matrix && spec.role != "lm_head")
      n += 2.0 * read_share(spec, model.config) * static_cast<double>(spec.shape.n_elements());
  return n;
}

}  // namespace

Result<BenchResult> bench_model(const std::shared_ptr<LoadedModel>& model, const BenchOptions& options) {
  constexpr int kChunk = 512;
  TRY(check("prefill tokens", options.n_prefill, 1, 1 << 17));
  TRY(check("decode tokens", options.n_decode, 1, 1 << 17));
  TRY(check("depth", options.depth, 0, 1 << 20));
  TRY(check("repeats", options.n_repeats, 1, 100));
  const std::string isa = options.isa.empty() ? isa_levels().back() : options.isa;
  TRY(limit_isa(isa));
  StepOptions step;
  step.n_threads = options.n_threads > 0 ? options.n_threads : Team::default_threads();
  step.n_slots = 1;
  step.device = options.device;
  step.exact = options.exact;
  step.on_laid_out = [&](const std::string& role) { model->let_go(role); };
  step.max_seq_len = options.depth + std::max(options.n_prefill, options.n_decode + 1);
  OpenedRunner opened = TRY(open_runner(model, step));
  const std::unique_ptr<StepRunner>& runner = opened.runner;
  TRY(feed(*runner, 0, options.depth, kChunk));
  runner->keep(0);
  std::vector<double> prefill, decode;
  for (int repeat = -1; repeat < options.n_repeats; ++repeat) {  // the first is a warm-up
    TRY(go_back(*runner, options.depth));
    auto begin = Clock::now();
    TRY(feed(*runner, options.depth, options.n_prefill, kChunk));
    const double prefill_s = seconds_since(begin);
    TRY(go_back(*runner, options.depth));
    TRY(feed(*runner, options.depth, 1, 1));
    begin = Clock::now();
    for (int i = 0; i < options.n_decode; ++i) TRY(feed(*runner, options.depth + 1 + i, 1, 1));
    if (repeat < 0) continue;
    prefill.push_back(options.n_prefill / prefill_s);
    decode.push_back(options.n_decode / seconds_since(begin));
  }
  BenchResult out;
  out.prefill_tokens_per_s = median(prefill);
  out.decode_tokens_per_s = median(decode);
  out.weights_bytes = bytes_read_per_token(*model);
  const double mean_depth = options.depth + options.n_decode / 2.0;
  const double cache_bytes = TRY(StepRunner::bytes_per_position(model->config, step)) * mean_depth;
  out.decode_bytes_per_s = out.decode_tokens_per_s * (static_cast<double>(out.weights_bytes) + cache_bytes);
  out.prefill_flops_per_s = out.prefill_tokens_per_s * useful_flops_per_token(*model);
  out.n_prefill = options.n_prefill, out.n_decode = options.n_decode, out.depth = options.depth;
  out.n_threads = step.n_threads, out.n_repeats = options.n_repeats;
  out.isa = isa;
  out.device = opened.device.name, out.device_reason = opened.device.reason;
  out.device_note = opened.device.note;
  for (const BandwidthPoint& point : measure_memory_read({}))
    if (point.n_threads <= step.n_threads)
      out.limits.read_bytes_per_s =
          std::max({out.limits.read_bytes_per_s, point.huge_pages_bytes_per_s.value.value_or(0),
                    point.small_pages_bytes_per_s.value.value_or(0)});
  out.limits.flops_per_s = measure_fma({}).all_threads_flops_per_s;
  return out;
}

}  // namespace hearth
