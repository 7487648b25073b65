// Logits for `hearth logits`, the golden tests and the trainer's parity check.
#include "inference/logits.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "hwdetect/cpu_features.h"

namespace hearth {
namespace {

constexpr int64_t kActivationBytes = int64_t{64} << 30;  // address space only

Result<void> check_ids(const ModelConfig& config, std::span<const int32_t> ids) {
  if (ids.empty()) return error(Code::invalid_argument, "no token ids were given");
  const int most = std::min(kMaxLogitTokens, config.max_seq_len);
  if (static_cast<int64_t>(ids.size()) > most)
    return error(Code::invalid_argument, "at most {} token ids, got {}", most, ids.size());
  for (int32_t id : ids)
    if (id < 0 || id >= config.vocab_size)
      return error(Code::invalid_argument, "token id {} is outside the model's vocabulary of {}", id,
                   config.vocab_size);
  return {};
}

}  // namespace

Result<Tensor> whole_logits(const LoadedModel& model, std::span<const int32_t> ids, int n_threads) {
  TRY(check_ids(model.config, ids));
  auto dtype_of = [&](const ParameterSpec& spec) { return model.weights.at(spec.role).type.dtype; };
  Graph graph = TRY(build_logits_graph(model.config, dtype_of, static_cast<int>(ids.size()), {}));
  Plan plan = TRY(make_plan(std::move(graph), cpu_features()));
  Team team(n_threads > 0 ? n_threads : Team::default_threads());
  Arena arena = TRY(Arena::reserve(kActivationBytes));
  Bindings bindings;
  for (const auto& [role, view] : model.weights) bindings.emplace(role, view);
  Executor executor = TRY(Executor::create(std::move(plan), team, arena, bindings));
  std::copy(ids.begin(), ids.end(), executor.input("tokens").i32());
  int32_t* positions = executor.input("positions").i32();
  std::iota(positions, positions + ids.size(), 0);
  int32_t* segments = executor.input("segment_begin").i32();
  std::fill(segments, segments + ids.size(), 0);
  executor.run();
  return to_f32(executor.output(0));
}

Result<Tensor> served_logits(std::shared_ptr<const LoadedModel> model, std::span<const int32_t> ids, int chunk,
                             int n_decoded, Dtype cache_dtype, int n_threads) {
  TRY(check_ids(model->config, ids));
  if (chunk < 1 || n_decoded < 0)
    return error(Code::invalid_argument, "the chunk must be positive and n_decoded not negative");
  const int n = static_cast<int>(ids.size()), n_prefill = std::max(0, n - n_decoded);
  const int64_t vocab = model->config.vocab_size;
  StepOptions options;
  options.n_threads = n_threads;
  options.n_slots = 1;
  options.cache_dtype = cache_dtype;
  const std::unique_ptr<StepRunner> runner = TRY(StepRunner::create(std::move(model), options));
  Tensor out(TensorType{Dtype::f32, {n, vocab}});
  for (int begin = 0; begin < n;) {
    const int end = begin < n_prefill ? std::min(begin + chunk, n_prefill) : begin + 1;
    std::vector<StepToken> tokens;
    for (int i = begin; i < end; ++i) tokens.push_back({ids[static_cast<size_t>(i)], i, 0, true});
    const TensorView logits = TRY(runner->run(tokens));
    std::memcpy(out.f32() + begin * vocab, logits.data, static_cast<size_t>((end - begin) * vocab) * 4);
    begin = end;
  }
  return out;
}

}  // namespace hearth
