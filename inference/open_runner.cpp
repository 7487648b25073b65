// See open_runner.h.
#include "inference/open_runner.h"

#include <algorithm>
#include <cmath>

#include "base/log.h"

namespace hearth {
namespace {

constexpr int kTokens = 4;
constexpr double kTolerance = 0.05;  // of the largest logit: what products in bf16 may differ by, and no wrong kernel

// Of the last of a few tokens spread over the vocabulary.
Result<std::vector<float>> logits_of(StepRunner& runner) {
  std::vector<StepToken> tokens;
  for (int t = 0; t < std::min(kTokens, runner.max_seq_len()); ++t)
    tokens.push_back({static_cast<int32_t>(int64_t{runner.vocab_size() - 1} * t / kTokens), t, 0, false});
  tokens.back().wants_logits = true;
  const TensorView logits = TRY(runner.run(tokens));
  runner.end(0);
  return std::vector<float>(logits.f32(), logits.f32() + logits.shape().n_elements());
}

Result<std::unique_ptr<StepRunner>> open_accelerator(const std::shared_ptr<const LoadedModel>& model,
                                                     const StepOptions& options) {
  std::unique_ptr<StepRunner> runner = TRY(StepRunner::create(model, options));
  const double difference = TRY(difference_from_host(model, *runner));
  if (!(difference <= kTolerance))
    return error(Code::internal, "its logits differ from the CPU's by {:.2g} of the largest, {} is allowed", difference,
                 kTolerance);
  return runner;
}

}  // namespace

Result<double> difference_from_host(const std::shared_ptr<const LoadedModel>& model, StepRunner& runner) {
  const std::vector<float> got = TRY(logits_of(runner));
  StepOptions options{.max_seq_len = std::min(kTokens, model->config.max_seq_len), .n_slots = 1, .exact = true};
  const std::unique_ptr<StepRunner> host = TRY(StepRunner::create(model, options));
  const std::vector<float> want = TRY(logits_of(*host));
  if (got.size() != want.size()) return INFINITY;
  double difference = 0, largest = 1e-30;
  for (size_t i = 0; i < want.size(); ++i) {
    if (!std::isfinite(got[i])) return INFINITY;
    difference = std::max(difference, std::fabs(static_cast<double>(got[i]) - want[i]));
    largest = std::max(largest, std::fabs(static_cast<double>(want[i])));
  }
  return difference / largest;
}

Result<OpenedRunner> open_runner(const std::shared_ptr<const LoadedModel>& model, const StepOptions& wanted) {
  StepOptions options = wanted;
  if (is_host_device(options.device))
    return OpenedRunner{TRY(StepRunner::create(model, options)), {options.device, ""}};
  if (options.device != kAnyDevice) {
    auto runner = TRY_WITH(open_accelerator(model, options), "while opening {}", options.device);
    return OpenedRunner{std::move(runner), {options.device, ""}};
  }
  std::string reason;
  for (const std::string& name : devices_to_try(reason)) {
    options.device = name;
    auto runner = open_accelerator(model, options);
    if (runner) return OpenedRunner{std::move(*runner), {name, ""}};
    reason += fmt::format("{}{}: {}", reason.empty() ? "" : "; ", name, runner.error().to_string());
  }
  options.device = kHostDevice;
  return OpenedRunner{TRY(StepRunner::create(model, options)), {options.device, reason}};
}

}  // namespace hearth
