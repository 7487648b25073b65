// Runs encoders: texts to vectors (embedders) and pairs of texts to scores (rerankers). Several texts go through the
// model at once, laid end to end.
//
//   auto encoder = TRY(Encoder::create(model, {}));
//   EncoderText text = TRY(encoder->text("Hello"));
//   std::vector<std::vector<float>> vectors = TRY(encoder->embed({&text, 1}));
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "model_store/formats/load.h"
#include "runtime/exec/devices.h"
#include "runtime/exec/executor.h"

namespace hearth {

struct EncoderText {
  std::vector<int32_t> ids;
  std::vector<int32_t> types;  // of tokens: 0, or 1 in the second text of a pair
};

// May be called from several threads; they take turns.
class Encoder {
 public:
  static constexpr int kMaxTexts = 2048;  // of one call

  // n_threads 0: all cores. device "auto": the first accelerator that has the room and the kernels and whose rows are
  // the host's; else the host, with the reason. A device by name is used, or refused with what was wrong.
  // failed_precondition for models that write.
  static Result<std::unique_ptr<Encoder>> create(const std::shared_ptr<const LoadedModel>& model, int n_threads,
                                                 const std::string& device = "cpu");

  // With the model's own special tokens. invalid_argument: longer than max_seq_len().
  Result<EncoderText> text(std::string_view text) const;
  // A pair; the second text is cut at the end when both are too long together.
  Result<EncoderText> pair(std::string_view first, std::string_view second) const;

  // One vector of d_model for each text, of length 1.
  Result<std::vector<std::vector<float>>> embed(std::span<const EncoderText> texts);
  // One raw score (a logit) for each pair.
  Result<std::vector<float>> score(std::span<const EncoderText> pairs);
  // The rows of every token, before pooling: for tests.
  Result<std::vector<Tensor>> hidden(std::span<const EncoderText> texts);

  ModelTask task() const { return task_; }
  const Device& device() const { return chosen_; }
  int max_seq_len() const { return model_->config.max_seq_len; }
  const LoadedModel& model() const { return *model_; }

 private:
  struct ShapeClass {
    int n_tokens, n_texts;
    Executor executor;
  };
  Encoder(std::shared_ptr<const LoadedModel> model, ModelTask task, std::unique_ptr<Backend> device);
  static Result<std::unique_ptr<Encoder>> open(const std::shared_ptr<const LoadedModel>& model, ModelTask task,
                                               int n_threads, const std::string& device);
  Result<void> compare_with_host(int n_threads);
  Result<std::vector<float>> rows_of_few_tokens();
  Result<void> check(std::span<const EncoderText> texts, ModelTask wanted) const;
  Result<Executor*> executor_for(int n_tokens, int n_texts);
  // Runs some of the texts, from the first on; use(index, rows) gets what comes out. The number that were run.
  Result<size_t> run_some(std::span<const EncoderText> texts, const std::function<void(size_t, TensorView)>& use);

  std::shared_ptr<const LoadedModel> model_;
  ModelTask task_;
  std::unique_ptr<Backend> device_;
  Device chosen_;
  std::vector<Buffer> weights_;  // where the device has memory of its own
  Arena activations_;
  Bindings bindings_;
  std::mutex mutex_;
  std::list<ShapeClass> classes_;  // most recently used first
};

}  // namespace hearth
