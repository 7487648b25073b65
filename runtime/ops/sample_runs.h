// How tests run an op's samples: by the reference, on a backend, and how results are compared. One engine for all
// devices.
#pragma once

#include <vector>

#include "runtime/backend/backend.h"
#include "runtime/ops/op.h"

namespace hearth {

// All ops' samples, made once.
std::vector<Sample>& every_sample();
std::string name_of(const Sample& sample);  // for gtest
Sample copy_of(const Sample& sample);
// Whether the op takes bf16 activations, and the sample with its own rounded to them.
bool has_activations(const Sample& sample);
Sample in_bf16(const Sample& sample);

std::vector<TensorType> types_of(const std::vector<Tensor>& tensors);
std::vector<TensorView> views_of(const std::vector<Tensor>& tensors);
Tensor copy_of(const TensorView& view);
std::vector<Tensor> copies_of(const std::vector<Tensor>& tensors);
std::vector<Tensor> new_outputs(const Op& op, const std::vector<Tensor>& inputs);

// Everything that an op wrote: outputs, then mutated inputs.
using Written = std::vector<Tensor>;
Written written(const Op& op, std::vector<Tensor> inputs, std::vector<Tensor> outputs);
Written run_reference(const Op& op, const std::vector<Tensor>& inputs);
// The sample as a graph of one node, whose mutated inputs are states, n_runs times from the same states.
Result<Written> run_on(Backend& backend, const Sample& sample, int n_runs);

// Largest difference, relative to the largest expected magnitude. Indices are right or wrong.
double relative_error(const Tensor& got, const Tensor& expected);
void expect_close(const Written& got, const Written& expected, double tolerance);
bool same_bits(const Written& a, const Written& b);

}  // namespace hearth
