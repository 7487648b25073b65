// Runs one serving step: any mix of new tokens of any sequences through the model and its states (KV cache,
// recurrences), whatever states its graph declares. Knows shapes and memory, nothing of requests or text; which page
// and which row holds what is SequenceStates' knowledge.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "inference/sequence_states.h"
#include "inference/shape_class.h"
#include "model_store/formats/load.h"
#include "runtime/architectures/model_graphs.h"
#include "runtime/exec/devices.h"
#include "runtime/exec/executor.h"
#include "runtime/memory/residency.h"
#include "runtime/ops/sample_tokens/sample_tokens.h"

namespace hearth {

struct StepOptions {
  std::string device = "cpu";  // as open_device() takes it
  int n_threads = 0;           // of the CPU; 0: Team::default_threads()
  int max_seq_len = 0;         // positions of one sequence; 0: the model's own
  int n_slots = 4;             // sequences that run at once
  int page_size = 64;          // positions of a page of the cache
  int n_pages = 0;             // 0: enough for all slots, each with the whole context; else at least for one
  int n_kept = 2;              // states of recurrences kept for later, for each slot; of models that have them
  Dtype cache_dtype = Dtype::f16;
  bool exact = false;  // f32 activations beside quantised weights too
  // Told of each weight that was copied as the kernels read it: the runner does not read the model's own any more.
  std::function<void(const std::string& role)> on_laid_out = {};
};

struct StepToken {
  int32_t id = 0;
  int position = 0;
  int slot = 0;  // which sequence
  bool wants_logits = false;
  std::optional<DrawChoice> draw = {};  // of one that wants logits, where they are drawn from: draws_tokens()
};

// Not for several threads at once. A slot gets pages of the cache as its positions are first used, and gives them back
// when its sequence ends; memory is touched when a page is first used.
class StepRunner {
 public:
  static Result<std::unique_ptr<StepRunner>> create(std::shared_ptr<const LoadedModel> model,
                                                    const StepOptions& options);

  // Begins a sequence in the slot with as much as is there of its first tokens; the next to run is `n_reused`.
  struct Beginning {
    int n_reused = 0;
    int n_known = 0;  // what other sequences began with: more than n_reused where no state of recurrences was kept
  };
  Beginning begin(int slot, std::span<const int32_t> tokens);
  // Pages for the slot's first n_tokens; run() does it too. resource_exhausted: the running sequences have them all.
  Result<void> reserve(int slot, int n_tokens);
  // Keeps what recurrences made of the slot's tokens so far, so that a sequence that begins so can go on from here.
  void keep(int slot);
  // The slot is free. What it held stays for who begins alike, until its room is needed.
  void end(int slot);

  // logits [number of tokens that want them, V], in token order; valid until the next run, may be written to.
  // Tokens of one slot must come in rising position order, without gaps after what it has. Position 0 begins anew.
  // Where all that want logits have a draw, those stay on the device, and the view has no data.
  Result<TensorView> run(std::span<const StepToken> tokens);
  // Whether tokens may have a draw: on a device with memory of its own. drawn(): what the last run drew, a token for
  // each that wanted logits (of those without a draw, of no meaning); -1 where the largest logit is no number.
  bool draws_tokens() const { return draws_tokens_; }
  std::span<const int32_t> drawn() const { return drawn_; }

  int max_seq_len() const { return options_.max_seq_len; }
  int n_slots() const { return options_.n_slots; }
  int vocab_size() const { return model_->config.vocab_size; }
  int page_size() const { return options_.page_size; }
  // Then a sequence goes on only from where its state was kept.
  bool has_recurrences() const { return sequences_.has_recurrences(); }
  int n_pages() const { return sequences_.tree().n_pages(); }
  int n_pages_in_use() const { return sequences_.tree().n_pinned(); }
  int n_pages_kept() const { return sequences_.tree().n_kept(); }
  // Plans made so far. Once every class of steps has come once there are no more, unless there are steps of more than
  // 256 tokens: then the one that was not used for longest goes, and is made again when it comes again.
  uint64_t n_graphs_built() const { return n_graphs_built_; }
  // Which weights the device has no room for. Where a step needs more memory than any before it, there are more.
  const Residency& residency() const { return residency_; }
  // All states: pages and rows of recurrences, those that are kept included. options.max_seq_len is not 0.
  static Result<uint64_t> cache_bytes(const ModelConfig& config, const StepOptions& options);
  // What one more position of a sequence adds to that.
  static Result<double> bytes_per_position(const ModelConfig& config, const StepOptions& options);

 private:
  // Plans are made once per shape class and the most recent kept.
  struct Ready {
    ShapeClass shape;
    Executor executor;
  };
  StepRunner(std::shared_ptr<const LoadedModel> model, const StepOptions& options, const CacheConfig& cache,
             bool has_recurrences, std::unique_ptr<Backend> device);
  Result<Graph> build_graph(const ShapeClass& shape) const;
  Result<TensorView> read_logits(std::span<const StepToken> tokens, const Executor& executor);
  Result<Executor*> executor_for(const ShapeClass& shape);
  Result<Executor> make_executor(const ShapeClass& shape);
  Result<void> prepare(std::span<const StepToken> tokens);
  void fill_inputs(std::span<const StepToken> tokens, const ShapeClass& shape, Executor& executor) const;
  Result<void> bind_weights(const ShapeClass& widest);
  Result<void> lay_out_weights();
  Result<void> make_room(const ShapeClass& shape);
  Result<void> bind_states(const Graph& graph);
  Result<void> make_copier(const Graph& graph);
  void copy(const SequenceStates::Copies& copies);

  std::shared_ptr<const LoadedModel> model_;
  StepOptions options_;
  CacheConfig cache_config_;
  SequenceStates sequences_;
  std::unique_ptr<Backend> device_;
  Residency residency_;
  Buffer states_;
  std::vector<Buffer> weights_;  // where the device has memory of its own, or wants them to lie in another way
  bool lays_out_ = false;        // they lie as `layouts` says
  const bool draws_tokens_;
  std::vector<int32_t> drawn_;
  HostView logits_;             // of the last run, where they had to be read
  Arena activations_, copies_;  // of steps; of copier_, which may run while a step's logits are read
  Bindings bindings_;
  std::list<Ready> ready_;  // most recently used first
  std::optional<Executor> copier_;
  std::optional<Error> broken_;  // a copy failed: states are not what they are said to be, and run() says so
  uint64_t n_graphs_built_ = 0;
};

}  // namespace hearth
