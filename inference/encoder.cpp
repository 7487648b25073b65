// Encoder: packs texts into one graph, pools, normalises.
#include "inference/encoder.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "inference/host_difference.h"
#include "runtime/architectures/model_graphs.h"

namespace hearth {
namespace {

constexpr int kTokensPerRun = 1024;  // a run goes on beyond it for one long text only
constexpr int kTokenStep = 32;       // sizes of graphs, so that few plans are made
constexpr size_t kMaxTextClasses = 32;

int rounded(int n, int step) {
  return (n + step - 1) / step * step;
}

std::vector<float> normalised(std::vector<float> v) {
  double squares = 0;
  for (const float x : v) squares += static_cast<double>(x) * x;
  const auto factor = static_cast<float>(1 / std::max(std::sqrt(squares), 1e-12));
  for (float& x : v) x *= factor;
  return v;
}

std::vector<float> pooled(const TensorView& rows, Pooling pooling) {
  const int64_t n_rows = pooling == Pooling::first ? 1 : rows.dim(0), n = rows.dim(1);
  std::vector<double> sum(static_cast<size_t>(n), 0);
  for (int64_t t = 0; t < n_rows; ++t)
    for (int64_t c = 0; c < n; ++c) sum[static_cast<size_t>(c)] += rows.f32()[t * n + c];
  std::vector<float> out;
  for (const double x : sum) out.push_back(static_cast<float>(x / static_cast<double>(n_rows)));
  return out;
}

}  // namespace

Result<std::unique_ptr<Encoder>> Encoder::create(const std::shared_ptr<const LoadedModel>& model, int n_threads,
                                                 const std::string& device) {
  const ModelTask task = TRY(find_architecture(model->config.family))->task();
  if (task == ModelTask::generate)
    return error(Code::failed_precondition, "models of the family {} write; they neither embed nor rerank",
                 model->config.family);
  std::unique_ptr<Encoder> encoder;
  Device chosen = TRY(choose_device(device, [&](const std::string& name) -> Result<void> {
    auto opened = TRY(open(model, task, n_threads, name));
    if (!is_host_device(name)) TRY(opened->compare_with_host(n_threads));
    encoder = std::move(opened);
    return {};
  }));
  encoder->chosen_ = std::move(chosen);
  return encoder;
}

Result<std::unique_ptr<Encoder>> Encoder::open(const std::shared_ptr<const LoadedModel>& model, ModelTask task,
                                               int n_threads, const std::string& device) {
  std::unique_ptr<Backend> backend = TRY(open_device(device, n_threads));
  std::unique_ptr<Encoder> encoder(new Encoder(model, task, std::move(backend)));
  const auto& weights = encoder->model_->weights;
  encoder->bindings_ = TRY(place_on(*encoder->device_, Bindings(weights.begin(), weights.end()), encoder->weights_));
  return encoder;
}

Result<void> Encoder::compare_with_host(int n_threads) {
  const std::unique_ptr<Encoder> host = TRY(open(model_, task_, n_threads, std::string(kHostDevice)));
  const double difference = relative_difference(TRY(rows_of_few_tokens()), TRY(host->rows_of_few_tokens()));
  if (difference <= kDeviceTolerance) return {};
  return error(Code::internal, "what it computes differs from the CPU's by {:.2g} of its length, {} is allowed",
               difference, kDeviceTolerance);
}

Result<std::vector<float>> Encoder::rows_of_few_tokens() {
  const EncoderText text{few_tokens(model_->config.vocab_size, max_seq_len()), {}};
  std::vector<float> out;
  TRY(run_some({&text, 1},
               [&](size_t, TensorView rows) { out.assign(rows.f32(), rows.f32() + rows.shape().n_elements()); }));
  return out;
}

Encoder::Encoder(std::shared_ptr<const LoadedModel> model, ModelTask task, std::unique_ptr<Backend> device)
    : model_(std::move(model)), task_(task), device_(std::move(device)), activations_(*device_) {}

Result<EncoderText> Encoder::text(std::string_view text) const {
  if (!model_->tokenizer) return *model_->tokenizer_problem;
  EncoderText out{TRY(model_->tokenizer->encode(text, {.add_special = true, .parse_special = false})), {}};
  if (static_cast<int>(out.ids.size()) > max_seq_len())
    return error(Code::invalid_argument, "a text has {} tokens, this model reads {} at most; split it", out.ids.size(),
                 max_seq_len());
  out.types.assign(out.ids.size(), 0);
  return out;
}

Result<EncoderText> Encoder::pair(std::string_view first, std::string_view second) const {
  EncoderText out = TRY(text(first));
  std::vector<int32_t> more = TRY(model_->tokenizer->encode(second, {.add_special = true, .parse_special = false}));
  if (!more.empty()) more.erase(more.begin());  // its own first token: the pair has one
  const size_t room = static_cast<size_t>(max_seq_len()) - out.ids.size();
  if (more.size() > room) {
    if (room < 2)
      return error(Code::invalid_argument, "the query leaves no room for a document: it has {} tokens of {}",
                   out.ids.size(), max_seq_len());
    more[room - 1] = more.back();  // the closing token stays
    more.resize(room);
  }
  out.ids.insert(out.ids.end(), more.begin(), more.end());
  out.types.resize(out.ids.size(), std::min(1, model_->config.encoder.n_token_types - 1));
  return out;
}

Result<void> Encoder::check(std::span<const EncoderText> texts, ModelTask wanted) const {
  if (task_ != wanted)
    return error(Code::failed_precondition, "this model {}",
                 task_ == ModelTask::embed ? "makes vectors of texts; it does not score pairs"
                                           : "scores pairs of texts; it does not make vectors");
  if (texts.empty() || texts.size() > kMaxTexts)
    return error(Code::invalid_argument, "1 to {} texts can be sent at once, got {}", kMaxTexts, texts.size());
  const ModelConfig& config = model_->config;
  for (const EncoderText& text : texts) {
    if (text.ids.empty() || static_cast<int>(text.ids.size()) > config.max_seq_len)
      return error(Code::invalid_argument, "a text must have 1 to {} tokens, got {}", config.max_seq_len,
                   text.ids.size());
    for (const int32_t id : text.ids)
      if (id < 0 || id >= config.vocab_size)
        return error(Code::invalid_argument, "token id {} is outside the model's vocabulary of {}", id,
                     config.vocab_size);
    for (const int32_t type : text.types)
      if (type < 0 || type >= config.encoder.n_token_types)
        return error(Code::invalid_argument, "token type {} is outside the model's {}", type,
                     config.encoder.n_token_types);
  }
  return {};
}

Result<Executor*> Encoder::executor_for(int n_tokens, int n_texts) {
  auto known = std::find_if(classes_.begin(), classes_.end(),
                            [&](const ShapeClass& c) { return c.n_tokens == n_tokens && c.n_texts == n_texts; });
  if (known != classes_.end()) {
    classes_.splice(classes_.begin(), classes_, known);
    return &classes_.front().executor;
  }
  auto dtype_of = [&](const ParameterSpec& spec) { return model_->weights.at(spec.role).type.dtype; };
  Graph graph = TRY(build_encoder_graph(model_->config, dtype_of, n_tokens, n_texts));
  Plan plan = TRY(make_plan(std::move(graph), *device_));
  Executor executor = TRY(Executor::create(std::move(plan), activations_, bindings_));
  if (classes_.size() >= kMaxTextClasses) classes_.pop_back();
  classes_.push_front({n_tokens, n_texts, std::move(executor)});
  return &classes_.front().executor;
}

Result<size_t> Encoder::run_some(std::span<const EncoderText> texts,
                                 const std::function<void(size_t, TensorView)>& use) {
  size_t n_texts = 0;
  int n_tokens = 0;
  for (const EncoderText& text : texts) {
    const auto n = static_cast<int>(text.ids.size());
    if (n_texts > 0 && n_tokens + n > kTokensPerRun) break;
    n_tokens += n;
    ++n_texts;
  }
  // Rows beyond the last text are a text of their own, which nobody reads.
  const int n_rows = task_ == ModelTask::rerank ? rounded(static_cast<int>(n_texts), 8) : 1;
  const int padded = rounded(n_tokens, kTokenStep);
  Executor& executor = *TRY(executor_for(padded, n_rows));
  auto input = [&](const char* name) { return executor.has_input(name) ? executor.input(name).i32() : nullptr; };
  int32_t *tokens = input("tokens"), *positions = input("positions"), *types = input("token_types"),
          *segments = input("segment_begin"), *rows = input("rows");
  std::vector<int> begins;
  int at = 0;
  for (size_t i = 0; i < n_texts; ++i) {
    begins.push_back(at);
    for (size_t t = 0; t < texts[i].ids.size(); ++t) {
      tokens[at + static_cast<int>(t)] = texts[i].ids[t];
      positions[at + static_cast<int>(t)] = static_cast<int32_t>(t);
      if (types) types[at + static_cast<int>(t)] = t < texts[i].types.size() ? texts[i].types[t] : 0;
      segments[at + static_cast<int>(t)] = at;
    }
    at += static_cast<int>(texts[i].ids.size());
  }
  for (int t = at; t < padded; ++t) {
    tokens[t] = positions[t] = 0;
    if (types) types[t] = 0;
    segments[t] = at;
  }
  for (int i = 0; rows && i < n_rows; ++i)
    rows[i] = i < static_cast<int>(begins.size()) ? begins[static_cast<size_t>(i)] : 0;
  TRY(executor.run());
  const TensorView out = executor.output(0);
  for (size_t i = 0; i < n_texts; ++i) {
    const int64_t first = task_ == ModelTask::rerank ? static_cast<int64_t>(i) : begins[i];
    const int64_t n = task_ == ModelTask::rerank ? 1 : static_cast<int64_t>(texts[i].ids.size());
    use(i, {{Dtype::f32, {n, out.dim(1)}}, out.row(first)});
  }
  return n_texts;
}

Result<std::vector<Tensor>> Encoder::hidden(std::span<const EncoderText> texts) {
  TRY(check(texts, ModelTask::embed));
  const std::lock_guard lock(mutex_);
  std::vector<Tensor> out;
  for (size_t done = 0; done < texts.size();)
    done += TRY(run_some(texts.subspan(done), [&](size_t, TensorView rows) { out.push_back(to_f32(rows)); }));
  return out;
}

Result<std::vector<std::vector<float>>> Encoder::embed(std::span<const EncoderText> texts) {
  TRY(check(texts, ModelTask::embed));
  const std::lock_guard lock(mutex_);
  const Pooling pooling = model_->config.encoder.pooling;
  std::vector<std::vector<float>> out;
  for (size_t done = 0; done < texts.size();)
    done += TRY(run_some(texts.subspan(done),
                         [&](size_t, TensorView rows) { out.push_back(normalised(pooled(rows, pooling))); }));
  return out;
}

Result<std::vector<float>> Encoder::score(std::span<const EncoderText> pairs) {
  TRY(check(pairs, ModelTask::rerank));
  const std::lock_guard lock(mutex_);
  std::vector<float> out;
  for (size_t done = 0; done < pairs.size();)
    done += TRY(run_some(pairs.subspan(done), [&](size_t, TensorView rows) { out.push_back(rows.f32()[0]); }));
  return out;
}

}  // namespace hearth
