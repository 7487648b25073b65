// Logits of every position of a token sequence, without a cache, as in training.
//
//   SequenceLogits logits = TRY(SequenceLogits::create(model, {.device = "auto"}));
//   Tensor all = TRY(logits.of(ids));  // f32 [number of ids, V]
#pragma once

#include <span>

#include "model_store/formats/load.h"
#include "runtime/exec/devices.h"
#include "runtime/exec/executor.h"

namespace hearth {

inline constexpr int kMaxLogitTokens = 8192;

struct LogitsOptions {
  int n_threads = 0;           // of the CPU; 0: all cores
  std::string device = "cpu";  // as open_device() takes it, or "auto"
};

class SequenceLogits {
 public:
  // `model` must outlive it. device "auto": the first accelerator that has the room and the kernels and whose logits of
  // a few tokens are the host's; else the host, with the reason.
  static Result<SequenceLogits> create(const LoadedModel& model, const LogitsOptions& options);

  Result<Tensor> of(std::span<const int32_t> ids);
  const Device& device() const { return chosen_; }

 private:
  static Result<SequenceLogits> open(const LoadedModel& model, const LogitsOptions& options);
  Result<void> compare_with_host(int n_threads);

  const LoadedModel* model_ = nullptr;
  Device chosen_;
  std::unique_ptr<Backend> device_;
  std::vector<Buffer> weights_;  // where the device has memory of its own
  std::unique_ptr<Arena> arena_;
  Bindings bindings_;
  std::optional<Executor> executor_;  // for as many ids as came last
  size_t n_ids_ = 0;
};

// Once.
Result<Tensor> whole_logits(const LoadedModel& model, std::span<const int32_t> ids, int n_threads = 0,
                            const std::string& device = "cpu");

}  // namespace hearth
