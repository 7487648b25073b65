// What a run computes with: model and stepper on a device that was tried, compared with the CPU, and is said in words.
#pragma once

#include "trainer/stepper.h"

namespace hearth::train {

struct Setup {
  Device device;
  std::unique_ptr<Backend> backend;
  std::unique_ptr<ModelInTraining> model;
  std::optional<Stepper> stepper;
};

// recipe.device "auto": the first accelerator that has the room and the kernels, and whose losses and gradients are the
// CPU's; else the CPU, with the reason. A device by name is used, or refused with what was wrong.
Result<Setup> open_setup(const Recipe& recipe, const Beginning& base, const StepperOptions& options);

// A device by its name; an accelerator only if difference_from_host() is small.
Result<std::unique_ptr<Backend>> open_for_training(const std::string& name, const Recipe& recipe,
                                                   const Beginning& base);

// Two steps of a few tokens on the device and on the host: the largest difference of their losses and of the first
// step's gradients, relative to their size; infinite where one is not finite. Of the first layers of the model.
Result<double> difference_from_host(const Recipe& recipe, const Beginning& base, Backend& device);

}  // namespace hearth::train
