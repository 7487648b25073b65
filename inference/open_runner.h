// Which device runs a model: tried, compared with the CPU, and said in words.
#pragma once

#include "inference/step_runner.h"

namespace hearth {

struct OpenedRunner {
  std::unique_ptr<StepRunner> runner;
  Device device;
};

// Given the options for a device before it is opened, options.device among them: sizes what depends on its memory, or
// refuses it.
using FitToDevice = std::function<Result<void>(StepOptions& options)>;

// options.device "auto": the first accelerator that has the room and the kernels and whose logits are the host's; else
// the host, with the reason. A device by name is used, or refused with what was wrong. Room it has where all but the
// matrices fits: those that do not are copied in every step, and the device's note says so.
Result<OpenedRunner> open_runner(const std::shared_ptr<const LoadedModel>& model, const StepOptions& options,
                                 const FitToDevice& fit = {});

// token_difference() of a few tokens' logits from those that the host computes; infinite where one is not finite. No
// slot of the runner may be in use.
Result<double> difference_from_host(const std::shared_ptr<const LoadedModel>& model, StepRunner& runner);

}  // namespace hearth
