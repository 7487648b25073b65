// The parity check: the result, served, must say what the trainer's own graph says. Nothing is deployable without it.
#pragma once

#include <filesystem>
#include <span>

#include "runtime/exec/devices.h"
#include "trainer/data/loader.h"
#include "trainer/model.h"
#include "trainer/samples.h"

namespace hearth::train {

// Largest difference allowed, relative to the largest trainer logit (at least 1): what the result's dtype and the
// half-precision cache cost. Measured on healthy models it stays several times below.
double parity_tolerance(Dtype result_dtype);

// `device` is what trained, and serves too where it has the room beside it, else the host with n_threads.
// Loads the result as the server does and compares, on a few documents of `data`: logits of a chunked prefill and of
// single-token decoding through the cache, against the whole-sequence graph with the trainer's weights; then that
// prompts tokenize the same and that the stop tokens are the same. Returns the largest relative difference.
// internal, with the reason, when anything disagrees.
Result<double> check_parity(const ModelInTraining& model, const LoadedModel& base, const std::filesystem::path& result,
                            double tolerance, Loader& data, std::span<const Question> questions, int n_threads,
                            Backend& device);

}  // namespace hearth::train
