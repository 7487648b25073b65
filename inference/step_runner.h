// Runs one serving step: any mix of new tokens of any sequences through the model and its states (KV cache,
// recurrences), whatever states its graph declares. Knows shapes and memory, nothing of requests or text.
#pragma once

#include <list>
#include <memory>
#include <span>
#include <vector>

#include "inference/shape_class.h"
#include "model_store/formats/load.h"
#include "runtime/architectures/model_graphs.h"
#include "runtime/exec/devices.h"
#include "runtime/exec/executor.h"

namespace hearth {

struct StepOptions {
  std::string device = "cpu";  // as open_device() takes it
  int n_threads = 0;           // of the CPU; 0: Team::default_threads()
  int max_seq_len = 0;         // positions of one sequence; 0: the model's own
  int n_slots = 4;             // sequences that have a place in the cache
  Dtype cache_dtype = Dtype::f16;
  bool exact = false;  // f32 activations beside quantised weights too
};

struct StepToken {
  int32_t id = 0;
  int position = 0;
  int slot = 0;  // which sequence
  bool wants_logits = false;
};

// Not for several threads at once. Slot s owns its own run of cache pages and its row of every recurrence; memory is
// touched when positions are first used.
class StepRunner {
 public:
  static Result<std::unique_ptr<StepRunner>> create(std::shared_ptr<const LoadedModel> model,
                                                    const StepOptions& options);

  // logits [number of tokens that want them, V], in token order; valid until the next run, may be written to.
  // Tokens of one slot must come in rising position order, without gaps after what is cached. Position 0 begins anew.
  Result<TensorView> run(std::span<const StepToken> tokens);

  int max_seq_len() const { return options_.max_seq_len; }
  int n_slots() const { return options_.n_slots; }
  int vocab_size() const { return model_->config.vocab_size; }
  // False: the model has recurrences, so a slot can only go on after its last token, or begin anew.
  bool can_go_back() const { return can_go_back_; }
  // Plans made so far. Once every class of steps has come once there are no more, unless there are steps of more than
  // 256 tokens: then the one that was not used for longest goes, and is made again when it comes again.
  uint64_t n_graphs_built() const { return n_graphs_built_; }
  static Result<uint64_t> cache_bytes(const ModelConfig& config, int max_seq_len, int n_slots, Dtype dtype);
  // What one more position of a sequence adds to that.
  static Result<double> bytes_per_position(const ModelConfig& config, Dtype dtype);

 private:
  // Plans are made once per shape class and the most recent kept.
  struct Ready {
    ShapeClass shape;
    Executor executor;
  };
  StepRunner(std::shared_ptr<const LoadedModel> model, const StepOptions& options, std::unique_ptr<Backend> device);
  Result<Graph> build_graph(const ShapeClass& shape) const;
  Result<Executor*> executor_for(const ShapeClass& shape);
  Result<void> fill_inputs(std::span<const StepToken> tokens, const ShapeClass& shape, Executor& executor) const;
  Result<void> bind_weights();
  Result<void> bind_states();

  std::shared_ptr<const LoadedModel> model_;
  StepOptions options_;
  CacheConfig cache_config_;
  std::unique_ptr<Backend> device_;
  Buffer states_;
  std::vector<Buffer> weights_;  // where the device has memory of its own
  Arena activations_;
  bool can_go_back_ = true;
  Bindings bindings_;
  std::list<Ready> ready_;  // most recently used first
  uint64_t n_graphs_built_ = 0;
};

}  // namespace hearth
