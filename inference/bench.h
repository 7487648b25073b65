// Speed of a model on this machine, beside the machine's own limit.
#pragma once

#include "base/describe.h"
#include "inference/step_runner.h"

namespace hearth {

struct BenchOptions {
  int n_prefill = 512, n_decode = 128, depth = 0, n_threads = 0, n_repeats = 3;
  std::string isa;             // the kernels' instruction set; empty: the best of this machine
  std::string device = "cpu";  // as open_runner() takes it
  bool exact = false;          // StepOptions::exact
};

struct BenchLimits {
  double read_bytes_per_s = 0, flops_per_s = 0;
  static constexpr auto kFields = std::tuple{
      field("read_bytes_per_s", &BenchLimits::read_bytes_per_s, "measured memory read bandwidth of the same threads"),
      field("flops_per_s", &BenchLimits::flops_per_s, "measured fp32 FMA peak of the same threads"),
  };
};

struct BenchResult {
  double prefill_tokens_per_s = 0, decode_tokens_per_s = 0, decode_bytes_per_s = 0, prefill_flops_per_s = 0;
  int n_prefill = 0, n_decode = 0, depth = 0, n_threads = 0, n_repeats = 0;
  std::string isa, device, device_reason, device_note;
  uint64_t weights_bytes = 0;
  BenchLimits limits;
  static constexpr auto kFields = std::tuple{
      field("prefill_tokens_per_s", &BenchResult::prefill_tokens_per_s, "median of the repeats"),
      field("decode_tokens_per_s", &BenchResult::decode_tokens_per_s, "median of the repeats, one sequence"),
      field("decode_bytes_per_s", &BenchResult::decode_bytes_per_s, "weights and cache read per second of decoding"),
      field("prefill_flops_per_s", &BenchResult::prefill_flops_per_s, "useful arithmetic per second of prefill"),
      field("n_prefill", &BenchResult::n_prefill, "prompt tokens"),
      field("n_decode", &BenchResult::n_decode, "generated tokens"),
      field("depth", &BenchResult::depth, "tokens in the cache before measuring"),
      field("n_threads", &BenchResult::n_threads, "threads"),
      field("n_repeats", &BenchResult::n_repeats, "repeats"),
      field("isa", &BenchResult::isa, "instruction set of the kernels and of the limits: portable | avx2 | avx512"),
      field("device", &BenchResult::device, "what computed: cpu, cuda:0"),
      field("device_reason", &BenchResult::device_reason, "why it was no GPU, where this box has one; else empty"),
      field("device_note", &BenchResult::device_note, "which weights its memory had no room for; else empty"),
      field("weights_bytes", &BenchResult::weights_bytes, "bytes of weights read per decoded token"),
      field("limits", &BenchResult::limits, "of this machine, measured now"),
  };
};

// With options.isa set, this process keeps that instruction set afterwards. Weights that were copied are let go.
Result<BenchResult> bench_model(const std::shared_ptr<LoadedModel>& model, const BenchOptions& options);

}  // namespace hearth
