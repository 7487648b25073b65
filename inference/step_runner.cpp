// Serving steps over a paged KV cache and the rows of recurrences.
#include "inference/step_runner.h"

#include <algorithm>

#include "runtime/graph/rewrites.h"

namespace hearth {
namespace {

constexpr int kPageSize = 64;
constexpr size_t kMaxReady = 256;        // a plan of a large model is some 100 KB
constexpr int64_t kStateAlignment = 64;  // a cache line
constexpr int64_t kMaxStates = 1 << 14;  // 16 a layer; bounds what alignment adds

constexpr size_t n_classes(int max_tokens) {
  size_t n = 0;
  for (int tokens = 1; tokens <= max_tokens; tokens = padded_tokens(tokens) + 1)
    for (int rows = 1; rows <= padded_tokens(tokens); rows = padded_logit_rows(rows) + 1) ++n;
  return n;
}
static_assert(n_classes(256) <= kMaxReady);  // 256: the usual prefill chunk, and the most slots

int pages_per_seq(int max_seq_len) {
  return (max_seq_len + kPageSize - 1) / kPageSize;
}

}  // namespace

Result<uint64_t> StepRunner::cache_bytes(const ModelConfig& config, int max_seq_len, int n_slots, Dtype dtype) {
  const StateBytes bytes = TRY(serving_state_bytes(config, kPageSize, dtype));
  return static_cast<uint64_t>(n_slots) *
         (bytes.per_page * static_cast<uint64_t>(pages_per_seq(max_seq_len)) + bytes.per_sequence);
}

Result<double> StepRunner::bytes_per_position(const ModelConfig& config, Dtype dtype) {
  return static_cast<double>(TRY(serving_state_bytes(config, kPageSize, dtype)).per_page) / kPageSize;
}

Result<std::unique_ptr<StepRunner>> StepRunner::create(std::shared_ptr<const LoadedModel> model,
                                                       const StepOptions& requested) {
  StepOptions options = requested;
  const ModelConfig& config = model->config;
  if (options.n_threads < 0 || options.n_threads > 256)
    return error(Code::invalid_argument, "threads must be 1 to 256, or 0 for all cores, got {}", options.n_threads);
  if (options.n_slots < 1 || options.n_slots > 256)
    return error(Code::invalid_argument, "slots must be 1 to 256, got {}", options.n_slots);
  if (options.max_seq_len == 0) options.max_seq_len = config.max_seq_len;
  if (options.max_seq_len < 1 || options.max_seq_len > config.max_seq_len)
    return error(Code::invalid_argument, "the context must be 1 to {} tokens (the model's own limit), got {}",
                 config.max_seq_len, options.max_seq_len);
  std::unique_ptr<Backend> device = TRY(open_device(options.device, options.n_threads));
  std::unique_ptr<StepRunner> runner(new StepRunner(std::move(model), options, std::move(device)));
  TRY(runner->bind_weights());
  TRY(runner->bind_states());
  return runner;
}

StepRunner::StepRunner(std::shared_ptr<const LoadedModel> model, const StepOptions& options,
                       std::unique_ptr<Backend> device)
    : model_(std::move(model)), options_(options), device_(std::move(device)), activations_(*device_) {
  const int pages = pages_per_seq(options.max_seq_len);
  cache_config_ = {pages * options.n_slots, kPageSize, options.cache_dtype, pages, options.n_slots};
  cache_config_.max_seq_len = options.max_seq_len;
}

Result<void> StepRunner::bind_weights() {
  const Bindings host(model_->weights.begin(), model_->weights.end());
  bindings_ = TRY(place_on(*device_, host, weights_));
  return {};
}

// Every state that the graph declares gets its part of one buffer, whose memory is zero at first.
Result<void> StepRunner::bind_states() {
  const uint64_t bytes = TRY(cache_bytes(model_->config, options_.max_seq_len, options_.n_slots, options_.cache_dtype));
  states_ = TRY_WITH(device_->allocate(static_cast<int64_t>(bytes) + kStateAlignment * kMaxStates),
                     "while reserving {} MiB for the cache", bytes >> 20);
  const Graph graph = TRY(build_graph({1, 1}));
  int64_t at = 0;
  for (const ValueInfo& info : graph.values()) {
    if (info.kind != ValueKind::state) continue;
    if (at + info.type.bytes() > states_.bytes())
      return error(Code::internal, "the states of the model take more than the {} bytes reserved for them",
                   states_.bytes());
    bindings_[info.name] = {info.type, states_.data() + at};
    at += (info.type.bytes() + kStateAlignment - 1) / kStateAlignment * kStateAlignment;
    can_go_back_ = can_go_back_ && info.state_kind == StateKind::per_position;
  }
  return {};
}

Result<Graph> StepRunner::build_graph(const ShapeClass& shape) const {
  auto dtype_of = [&](const ParameterSpec& spec) {
    auto weight = model_->weights.find(spec.role);
    return weight == model_->weights.end() ? Dtype::f32 : weight->second.type.dtype;
  };
  Graph graph =
      TRY(build_serving_graph(model_->config, dtype_of, shape.n_tokens, shape.n_logit_rows, cache_config_, {}));
  return options_.exact ? std::move(graph) : quantise_activations(graph);
}

Result<Executor*> StepRunner::executor_for(const ShapeClass& shape) {
  auto known = std::find_if(ready_.begin(), ready_.end(), [&](const Ready& r) { return r.shape == shape; });
  if (known != ready_.end()) {
    ready_.splice(ready_.begin(), ready_, known);
    return &ready_.front().executor;
  }
  Plan plan = TRY(make_plan(TRY(build_graph(shape)), *device_));
  Executor executor = TRY(Executor::create(std::move(plan), activations_, bindings_));
  ++n_graphs_built_;
  if (ready_.size() >= kMaxReady) ready_.pop_back();
  ready_.push_front({shape, std::move(executor)});
  return &ready_.front().executor;
}

// Padding: token 0 at no position, rows of logits that nobody wants.
Result<void> StepRunner::fill_inputs(std::span<const StepToken> tokens, const ShapeClass& shape,
                                     Executor& executor) const {
  int32_t* ids = executor.input("tokens").i32();
  int32_t* positions = executor.input("positions").i32();
  int32_t* slots = executor.input("seq_of_token").i32();
  int32_t* rows = executor.input("logit_rows").i32();
  int32_t* table = executor.input("page_table").i32();
  for (int i = 0; i < cache_config_.n_pages; ++i) table[i] = i;
  std::fill(ids, ids + shape.n_tokens, 0);
  std::fill(positions, positions + shape.n_tokens, -1);
  std::fill(slots, slots + shape.n_tokens, 0);
  std::fill(rows, rows + shape.n_logit_rows, 0);
  for (size_t t = 0; t < tokens.size(); ++t) {
    const StepToken& token = tokens[t];
    if (token.position < 0 || token.position >= options_.max_seq_len || token.slot < 0 ||
        token.slot >= options_.n_slots || token.id < 0 || token.id >= vocab_size())
      return error(Code::internal, "step: token {} at position {} of slot {} is outside the model or its cache",
                   token.id, token.position, token.slot);
    ids[t] = token.id;
    positions[t] = token.position;
    slots[t] = token.slot;
    if (token.wants_logits) *rows++ = static_cast<int32_t>(t);
  }
  return {};
}

Result<TensorView> StepRunner::run(std::span<const StepToken> tokens) {
  const auto n_wanted = std::count_if(tokens.begin(), tokens.end(), [](const StepToken& t) { return t.wants_logits; });
  const ShapeClass shape = shape_class(static_cast<int>(tokens.size()), static_cast<int>(n_wanted));
  Executor& executor = *TRY(executor_for(shape));
  TRY(fill_inputs(tokens, shape, executor));
  TRY(executor.run());
  TensorView logits = executor.output(0);
  logits.type.shape[0] = std::max<int64_t>(1, n_wanted);
  return logits;
}

}  // namespace hearth
