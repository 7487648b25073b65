// Serving steps over a paged KV cache and the rows of recurrences.
#include "inference/step_runner.h"

#include <algorithm>

#include "inference/laid_out_weights.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/copy_rows/copy_rows.h"
#include "runtime/ops/sample_tokens/sample_tokens.h"

namespace hearth {
namespace {

constexpr size_t kMaxReady = 256;        // a plan of a large model is some 100 KB
constexpr int64_t kStateAlignment = 64;  // a cache line

constexpr size_t n_classes(int max_tokens) {
  size_t n = 0;
  for (int tokens = 1; tokens <= max_tokens; tokens = padded_tokens(tokens) + 1)
    for (int rows = 1; rows <= padded_tokens(tokens); rows = padded_logit_rows(rows) + 1) ++n;
  return n;
}
constexpr int kUsualMost = 256;  // tokens of a step: the usual prefill chunk, and the most slots
static_assert(n_classes(kUsualMost) <= kMaxReady);
constexpr int64_t kDriverShare = 50;  // of free memory one in so many: captured graphs, and what allocators round up

int64_t to_cache_line(int64_t bytes) {
  return (bytes + kStateAlignment - 1) / kStateAlignment * kStateAlignment;
}

int pages_per_seq(const StepOptions& options) {
  return (options.max_seq_len + options.page_size - 1) / options.page_size;
}

// Pages, and rows of recurrences. One page more than the slots can fill: a page that two sequences share in part is
// copied while both are full.
CacheConfig cache_config(const StepOptions& options) {
  const int pages = pages_per_seq(options);
  return {.n_pages = options.n_pages > 0 ? options.n_pages : pages * options.n_slots + 1,
          .page_size = options.page_size,
          .dtype = options.cache_dtype,
          .max_pages_per_seq = pages,
          .max_seqs = options.n_slots,
          .n_kept_rows = options.n_kept * options.n_slots,
          .max_seq_len = options.max_seq_len};
}

Result<void> check_between(const char* name, int value, int low, int high) {
  if (value >= low && value <= high) return {};
  return error(Code::invalid_argument, "{} must be {} to {}, got {}", name, low, high, value);
}

// The options with defaults filled in.
Result<StepOptions> checked(StepOptions options, const ModelConfig& config) {
  if (options.n_threads < 0 || options.n_threads > 256)
    return error(Code::invalid_argument, "threads must be 1 to 256, or 0 for all cores, got {}", options.n_threads);
  TRY(check_between("slots", options.n_slots, 1, 256));
  TRY(check_between("positions of a page", options.page_size, 1, 1024));
  TRY(check_between("kept states for each slot", options.n_kept, 0, 64));
  if (options.max_seq_len == 0) options.max_seq_len = config.max_seq_len;
  if (options.max_seq_len < 1 || options.max_seq_len > config.max_seq_len)
    return error(Code::invalid_argument, "the context must be 1 to {} tokens (the model's own limit), got {}",
                 config.max_seq_len, options.max_seq_len);
  if (options.n_pages != 0 && options.n_pages <= pages_per_seq(options))
    return error(
        Code::invalid_argument,
        "the cache has {} pages of {} tokens, and one sequence of {} takes {} and one to copy to; give it more "
        "pages or a shorter context",
        options.n_pages, options.page_size, options.max_seq_len, pages_per_seq(options));
  return options;
}

bool has_recurrences(const Graph& graph) {
  return std::any_of(graph.values().begin(), graph.values().end(), [](const ValueInfo& info) {
    return info.kind == ValueKind::state && info.state_kind == StateKind::per_sequence;
  });
}

// The step that takes the most memory, unless somebody asks for longer ones.
ShapeClass usual_most(const StepOptions& options) {
  const int64_t n = std::min<int64_t>(kUsualMost, int64_t{options.max_seq_len} * options.n_slots);
  return shape_class(static_cast<int>(n), options.n_slots);
}

Result<Graph> serving_graph(const LoadedModel& model, const ShapeClass& shape, const CacheConfig& cache,
                            Dtype activations) {
  auto dtype_of = [&](const ParameterSpec& spec) {
    auto weight = model.weights.find(spec.role);
    return weight == model.weights.end() ? Dtype::f32 : weight->second.type.dtype;
  };
  return build_serving_graph(model.config, dtype_of, shape.n_tokens, shape.n_logit_rows, cache, {}, activations);
}

// The tokens that are drawn from the logits are the first output, the logits the second.
Result<Graph> with_draws(Graph graph) {
  const Value logits = graph.outputs()[0];
  graph.set_outputs({});
  Builder b = Builder::continuing(std::move(graph));
  const Value choices = b.input("choices", {Dtype::f32, {b.type(logits).shape[0], kDrawNumbers}});
  b.output(b.apply(std::make_shared<SampleTokens>(), {logits, choices}));
  b.output(logits);
  return b.finish();
}

}  // namespace

Result<uint64_t> StepRunner::cache_bytes(const ModelConfig& config, const StepOptions& options) {
  const CacheConfig cache = cache_config(options);
  const StateBytes bytes = TRY(serving_state_bytes(config, cache.page_size, cache.dtype));
  return bytes.per_page * static_cast<uint64_t>(cache.n_pages) +
         bytes.per_sequence * static_cast<uint64_t>(cache.max_seqs + cache.n_kept_rows);
}

Result<double> StepRunner::bytes_per_position(const ModelConfig& config, const StepOptions& options) {
  const StateBytes bytes = TRY(serving_state_bytes(config, options.page_size, options.cache_dtype));
  return static_cast<double>(bytes.per_page) / options.page_size;
}

Result<std::unique_ptr<StepRunner>> StepRunner::create(std::shared_ptr<const LoadedModel> model,
                                                       const StepOptions& requested) {
  const StepOptions options = TRY(checked(requested, model->config));
  const CacheConfig cache = cache_config(options);
  const Graph graph = TRY(serving_graph(*model, {1, 1}, cache, Dtype::f32));
  std::unique_ptr<Backend> device = TRY(open_device(options.device, options.n_threads));
  std::unique_ptr<StepRunner> runner(
      new StepRunner(std::move(model), options, cache, hearth::has_recurrences(graph), std::move(device)));
  TRY(runner->bind_weights(usual_most(options)));
  TRY(runner->bind_states(graph));
  TRY(runner->make_copier(graph));
  return runner;
}

StepRunner::StepRunner(std::shared_ptr<const LoadedModel> model, const StepOptions& options, const CacheConfig& cache,
                       bool has_recurrences, std::unique_ptr<Backend> device)
    : model_(std::move(model)),
      options_(options),
      cache_config_(cache),
      sequences_({cache.max_seqs, cache.n_pages, cache.page_size, cache.n_kept_rows, has_recurrences}),
      device_(std::move(device)),
      draws_tokens_(!device_->is_host_memory()),
      activations_(*device_),
      copies_(*device_) {}

// Those that the device has room for beside its states and steps of that shape; the others stay on the host.
Result<void> StepRunner::bind_weights(const ShapeClass& widest) {
  ready_.clear();
  weights_.clear();
  residency_ = {};
  lays_out_ = device_->is_host_memory() && has_room_to_lay_out(weight_bytes(*model_));
  if (lays_out_) return lay_out_weights();
  if (const int64_t free = device_->free_bytes(); free > 0)
    residency_ = TRY(fit_residency(TRY(build_graph(widest)), *device_, free - free / kDriverShare + states_.bytes()));
  const Bindings host(model_->weights.begin(), model_->weights.end());
  for (auto& [name, tensor] : TRY(place_on(*device_, host, weights_, residency_.fetched))) bindings_[name] = tensor;
  return {};
}

Result<void> StepRunner::lay_out_weights() {
  const Graph graph = TRY(build_graph({1, 1}));
  bindings_ = TRY(hearth::lay_out_weights(*model_, graph, *device_, options_.n_threads, options_.on_laid_out,
                                          weights_.emplace_back()));
  return {};
}

// For a step that takes more than was thought of, after the arena gave its memory back. What cannot run leaves the
// others as they were.
Result<void> StepRunner::make_room(const ShapeClass& shape) {
  Result<void> bound = bind_weights(shape);
  if (bound) return {};
  if (auto again = bind_weights(usual_most(options_)); !again) broken_ = std::move(again).error();
  return bound;
}

// Every state that the graph declares gets its part of one buffer, whose memory is zero at first.
Result<void> StepRunner::bind_states(const Graph& graph) {
  int64_t bytes = 0;
  for (const ValueInfo& info : graph.values())
    if (info.kind == ValueKind::state) bytes += to_cache_line(info.type.bytes());
  states_ = TRY_WITH(device_->allocate(bytes), "while reserving {} MiB for the cache", bytes >> 20);
  int64_t at = 0;
  for (const ValueInfo& info : graph.values()) {
    if (info.kind != ValueKind::state) continue;
    bindings_[info.name] = {info.type, states_.data() + at};
    at += to_cache_line(info.type.bytes());
  }
  return {};
}

// One page and one row of every state, from and to.
Result<void> StepRunner::make_copier(const Graph& graph) {
  Builder b;
  const TensorType one{Dtype::i32, {1}};
  const Value from_page = b.input("from_page", one), to_page = b.input("to_page", one);
  const Value from_row = b.input("from_row", one), to_row = b.input("to_row", one);
  for (const ValueInfo& info : graph.values()) {
    if (info.kind != ValueKind::state) continue;
    const bool is_paged = info.state_kind == StateKind::per_position;
    b.apply_all(std::make_shared<CopyRows>(), {b.state(info.name, info.type, info.state_kind),
                                               is_paged ? from_page : from_row, is_paged ? to_page : to_row});
  }
  Plan plan = TRY(make_plan(TRY(b.finish()), *device_));
  copier_ = TRY(Executor::create(std::move(plan), copies_, bindings_));
  return {};
}

void StepRunner::copy(const SequenceStates::Copies& copies) {
  if (copies.to_page < 0 && copies.to_row < 0) return;
  *copier_->input("from_page").i32() = copies.from_page;
  *copier_->input("to_page").i32() = copies.to_page;
  *copier_->input("from_row").i32() = copies.from_row;
  *copier_->input("to_row").i32() = copies.to_row;
  if (auto copied = copier_->run(); !copied) broken_ = std::move(copied).error();
}

StepRunner::Beginning StepRunner::begin(int slot, std::span<const int32_t> tokens) {
  const SequenceStates::Beginning beginning = sequences_.begin(slot, tokens);
  copy(beginning.copies);
  return {beginning.n_reused, beginning.n_known};
}

Result<void> StepRunner::reserve(int slot, int n_tokens) {
  return sequences_.reserve(slot, n_tokens);
}

void StepRunner::keep(int slot) {
  if (has_recurrences()) copy(sequences_.keep(slot));
}

void StepRunner::end(int slot) {
  sequences_.end(slot);
}

Result<Graph> StepRunner::build_graph(const ShapeClass& shape) const {
  Graph graph = TRY(serving_graph(*model_, shape, cache_config_, device_->activations()));
  if (draws_tokens_) graph = TRY(with_draws(std::move(graph)));
  if (options_.exact) return offload(graph, residency_.fetched);
  Graph rounded = TRY(quantise_activations(graph));
  if (lays_out_) rounded = layouts(rounded, device_->kernels());
  return offload(has_all_kernels(rounded, *device_) ? rounded : graph, residency_.fetched);
}

Result<Executor> StepRunner::make_executor(const ShapeClass& shape) {
  constexpr size_t kHostOutputs = 1;  // the logits, or tokens that are drawn from them
  return Executor::create(TRY(make_plan(TRY(build_graph(shape)), *device_)), activations_, bindings_, kHostOutputs);
}

Result<Executor*> StepRunner::executor_for(const ShapeClass& shape) {
  auto known = std::find_if(ready_.begin(), ready_.end(), [&](const Ready& r) { return r.shape == shape; });
  if (known != ready_.end()) {
    ready_.splice(ready_.begin(), ready_, known);
    return &ready_.front().executor;
  }
  Result<Executor> executor = make_executor(shape);
  if (!executor && executor.error().code == Code::resource_exhausted && device_->free_bytes() > 0) {
    TRY(make_room(shape));
    executor = make_executor(shape);
  }
  if (!executor) return std::move(executor).error();
  ++n_graphs_built_;
  if (ready_.size() >= kMaxReady) ready_.pop_back();
  ready_.push_front({shape, std::move(*executor)});
  return &ready_.front().executor;
}

// Each token is where its slot goes on, and has a page.
Result<void> StepRunner::prepare(std::span<const StepToken> tokens) {
  if (broken_) return *broken_;
  std::vector<int> lengths(static_cast<size_t>(options_.n_slots), -1);
  for (const StepToken& token : tokens) {
    if (token.position < 0 || token.position >= options_.max_seq_len || token.slot < 0 ||
        token.slot >= options_.n_slots || token.id < 0 || token.id >= vocab_size())
      return error(Code::internal, "step: token {} at position {} of slot {} is outside the model or its cache",
                   token.id, token.position, token.slot);
    int& length = lengths[static_cast<size_t>(token.slot)];
    if (length < 0 && token.position == 0 && sequences_.length(token.slot) > 0) sequences_.end(token.slot);
    if (length < 0) length = sequences_.length(token.slot);
    if (token.position != length)
      return error(Code::internal, "step: position {} of slot {} comes after {} tokens", token.position, token.slot,
                   length);
    ++length;
  }
  for (int slot = 0; slot < options_.n_slots; ++slot) TRY(reserve(slot, lengths[static_cast<size_t>(slot)]));
  return {};
}

// Padding: token 0 at no position, rows of logits that nobody wants. Of the page table only what is looked up.
void StepRunner::fill_inputs(std::span<const StepToken> tokens, const ShapeClass& shape, Executor& executor) const {
  int32_t* ids = executor.input("tokens").i32();
  int32_t* positions = executor.input("positions").i32();
  int32_t* slots = executor.input("seq_of_token").i32();
  int32_t* rows = executor.input("logit_rows").i32();
  int32_t* table = executor.input("page_table").i32();
  std::fill(ids, ids + shape.n_tokens, 0);
  std::fill(positions, positions + shape.n_tokens, -1);
  std::fill(slots, slots + shape.n_tokens, 0);
  std::fill(rows, rows + shape.n_logit_rows, 0);
  DrawChoice* choices = draws_tokens_ ? executor.input("choices").as<DrawChoice>() : nullptr;
  if (choices != nullptr) std::fill(choices, choices + shape.n_logit_rows, DrawChoice{});
  for (size_t t = 0; t < tokens.size(); ++t) {
    const StepToken& token = tokens[t];
    ids[t] = token.id;
    positions[t] = token.position;
    slots[t] = token.slot;
    if (token.wants_logits) *rows++ = static_cast<int32_t>(t);
    if (token.wants_logits && choices != nullptr) *choices++ = token.draw.value_or(DrawChoice{});
    const std::span<const int> pages = sequences_.pages(token.slot);
    if (t == 0 || tokens[t - 1].slot != token.slot)
      std::copy(pages.begin(), pages.end(), table + token.slot * cache_config_.max_pages_per_seq);
  }
}

Result<TensorView> StepRunner::read_logits(std::span<const StepToken> tokens, const Executor& executor) {
  if (!draws_tokens_) return executor.output(0);
  const bool wants_some = std::ranges::any_of(tokens, [](const StepToken& t) { return t.wants_logits && !t.draw; });
  logits_ = wants_some ? TRY(executor.read_output(1)) : HostView{};
  return logits_.view;
}

Result<TensorView> StepRunner::run(std::span<const StepToken> tokens) {
  const auto n_wanted = std::count_if(tokens.begin(), tokens.end(), [](const StepToken& t) { return t.wants_logits; });
  const ShapeClass shape = shape_class(static_cast<int>(tokens.size()), static_cast<int>(n_wanted));
  TRY(prepare(tokens));
  Executor& executor = *TRY(executor_for(shape));
  fill_inputs(tokens, shape, executor);
  TRY(executor.run());
  for (const StepToken& token : tokens) sequences_.append(token.slot, token.id);
  if (draws_tokens_) drawn_.assign(executor.output(0).i32(), executor.output(0).i32() + n_wanted);
  TensorView logits = TRY(read_logits(tokens, executor));
  if (logits.data != nullptr) logits.type.shape[0] = std::max<int64_t>(1, n_wanted);
  return logits;
}

}  // namespace hearth
