// Logits for `hearth logits`, the golden tests and the trainer's parity check.
#include "inference/logits.h"

#include <algorithm>
#include <numeric>

#include "inference/host_difference.h"
#include "runtime/architectures/model_graphs.h"

namespace hearth {
namespace {

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

Result<SequenceLogits> SequenceLogits::open(const LoadedModel& model, const LogitsOptions& options) {
  SequenceLogits out;
  out.model_ = &model;
  out.device_ = TRY(open_device(options.device, options.n_threads));
  out.arena_ = std::make_unique<Arena>(*out.device_);
  const Bindings weights(model.weights.begin(), model.weights.end());
  out.bindings_ = TRY(place_on(*out.device_, weights, out.weights_));
  return out;
}

Result<SequenceLogits> SequenceLogits::create(const LoadedModel& model, const LogitsOptions& options) {
  std::optional<SequenceLogits> out;
  Device chosen = TRY(choose_device(options.device, [&](const std::string& name) -> Result<void> {
    SequenceLogits opened = TRY(open(model, {options.n_threads, name}));
    if (!is_host_device(name)) TRY(opened.compare_with_host(options.n_threads));
    out.emplace(std::move(opened));
    return {};
  }));
  out->chosen_ = std::move(chosen);
  return std::move(*out);
}

Result<void> SequenceLogits::compare_with_host(int n_threads) {
  const std::vector<int32_t> ids = few_tokens(model_->config.vocab_size, model_->config.max_seq_len);
  SequenceLogits host = TRY(open(*model_, {n_threads, std::string(kHostDevice)}));
  const Tensor got = TRY(of(ids)), want = TRY(host.of(ids));
  const auto n = static_cast<size_t>(want.type().shape.n_elements());
  const double difference =
      token_difference({got.f32(), n}, {want.f32(), n}, static_cast<size_t>(want.type().shape.last()));
  if (difference <= kDeviceTolerance) return {};
  return error(Code::internal, "its logits differ from the CPU's by {:.2g} of their length, {} is allowed", difference,
               kDeviceTolerance);
}

Result<Tensor> SequenceLogits::of(std::span<const int32_t> ids) {
  TRY(check_ids(model_->config, ids));
  if (!executor_ || n_ids_ != ids.size()) {
    auto dtype_of = [&](const ParameterSpec& spec) { return model_->weights.at(spec.role).type.dtype; };
    Graph graph =
        TRY(build_logits_graph(model_->config, dtype_of, static_cast<int>(ids.size()), {}, device_->activations()));
    executor_ = TRY(Executor::create(TRY(make_plan(std::move(graph), *device_)), *arena_, bindings_));
    n_ids_ = ids.size();
  }
  std::copy(ids.begin(), ids.end(), executor_->input("tokens").i32());
  int32_t* positions = executor_->input("positions").i32();
  std::iota(positions, positions + ids.size(), 0);
  int32_t* segments = executor_->input("segment_begin").i32();
  std::fill(segments, segments + ids.size(), 0);
  TRY(executor_->run());
  return to_f32(executor_->output(0));
}

Result<Tensor> whole_logits(const LoadedModel& model, std::span<const int32_t> ids, int n_threads,
                            const std::string& device) {
  TRY(check_ids(model.config, ids));
  return TRY(SequenceLogits::create(model, {n_threads, device})).of(ids);
}

}  // namespace hearth
