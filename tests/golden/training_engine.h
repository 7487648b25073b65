// Golden checkpoints on the emulated GPU: which of them, in which order of threads, and a step of training of one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/tensor/tensor.h"
#include "tests/golden/golden_engine.h"

namespace hearth::golden {

// All, and under AddressSanitizer, which makes the emulator several times slower, one of each kind.
std::vector<fs::path> tested_cases();
std::string device_of(const fs::path& path);  // "emulated:seed", each case its own

// What a step of training writes, by name: the loss, gradients ("the gradient of w"), the next versions of the
// parameters and of their means, and which experts were chosen ("experts of route 0"). Weights are widened to f32;
// activations are the device's.
using Step = std::map<std::string, Tensor>;
Result<Step> train_on(const std::string& device, const LoadedModel& model);
// The same by the ops' references, without what became of states.
Result<Step> train_by_reference(const LoadedModel& model, Dtype activations);
// What may be compared with one another: "gradients", each of the two means ".m" and ".v", "experts"; the loss and a
// parameter only with itself.
std::string kind_of(const std::string& name);

double largest_of(const Tensor& t);
double largest_difference(const Tensor& a, const Tensor& b);  // infinite where a value is no number

}  // namespace hearth::golden
