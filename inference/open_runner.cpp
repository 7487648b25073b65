// See open_runner.h.
#include "inference/open_runner.h"

#include <algorithm>

#include "inference/host_difference.h"
#include "runtime/architectures/weight_traffic.h"

namespace hearth {
namespace {

constexpr int kMostTokens = 64;  // of the host's own context, for the few that are compared

// Of a few tokens.
Result<std::vector<float>> logits_of(StepRunner& runner) {
  std::vector<StepToken> tokens;
  for (const int32_t id : few_tokens(runner.vocab_size(), runner.max_seq_len()))
    tokens.push_back({id, static_cast<int>(tokens.size()), 0, true});
  const TensorView logits = TRY(runner.run(tokens));
  runner.end(0);
  return std::vector<float>(logits.f32(), logits.f32() + logits.shape().n_elements());
}

Result<std::unique_ptr<StepRunner>> open_accelerator(const std::shared_ptr<const LoadedModel>& model,
                                                     const StepOptions& options) {
  std::unique_ptr<StepRunner> runner = TRY(StepRunner::create(model, options));
  const double difference = TRY(difference_from_host(model, *runner));
  if (!(difference <= kDeviceTolerance))
    return error(Code::internal, "its logits differ from the CPU's by {:.2g} of their length, {} is allowed",
                 difference, kDeviceTolerance);
  return runner;
}

// Nobody asked for this device: it is none where a step copies more than the host reads for a token.
Result<void> check_fetches(const LoadedModel& model, const Residency& residency) {
  const double read = TRY(read_share(model.config, 1)) * static_cast<double>(residency.parameter_bytes);
  if (static_cast<double>(residency.fetched_bytes) <= read) return {};
  return error(Code::resource_exhausted, "every step would copy more than the CPU reads for a token: {}",
               residency.words());
}

}  // namespace

Result<double> difference_from_host(const std::shared_ptr<const LoadedModel>& model, StepRunner& runner) {
  const std::vector<float> got = TRY(logits_of(runner));
  StepOptions options{.max_seq_len = std::min(runner.max_seq_len(), kMostTokens), .n_slots = 1, .exact = true};
  const std::unique_ptr<StepRunner> host = TRY(StepRunner::create(model, options));
  return token_difference(got, TRY(logits_of(*host)), static_cast<size_t>(runner.vocab_size()));
}

Result<OpenedRunner> open_runner(const std::shared_ptr<const LoadedModel>& model, const StepOptions& wanted,
                                 const FitToDevice& fit) {
  OpenedRunner out;
  out.device = TRY(choose_device(wanted.device, [&](const std::string& name) -> Result<void> {
    StepOptions options = wanted;
    options.device = name;
    if (fit) TRY(fit(options));
    out.runner = TRY(is_host_device(name) ? StepRunner::create(model, options) : open_accelerator(model, options));
    if (wanted.device == kAnyDevice) TRY(check_fetches(*model, out.runner->residency()));
    return {};
  }));
  out.device.note = out.runner->residency().words();
  return out;
}

}  // namespace hearth
