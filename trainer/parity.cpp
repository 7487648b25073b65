// See parity.h.
#include "trainer/parity.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/log.h"
#include "inference/host_difference.h"
#include "inference/step_runner.h"
#include "runtime/plan/plan.h"

namespace hearth::train {
namespace {

constexpr int kSequences = 4;  // documents compared
constexpr int kTokens = 96;    // of each, at most
constexpr int kChunk = 29;     // prefill chunk: odd, so that chunks and cache pages do not line up
constexpr int kDecoded = 8;    // last tokens, one at a time
constexpr const char* kDoesNotSurviveRounding =
    ". Weights that training moved too far are others when they are rounded: lower optimizer.learning_rate, or set "
    "output.dtype = \"f32\"";

// The first documents of the data, as they stand in the trainer's rows.
std::vector<std::vector<int32_t>> sequences_of(Loader& data) {
  std::vector<std::vector<int32_t>> out;
  Batch batch;
  for (int64_t row = 0; row < data.n_rows() && out.size() < kSequences; ++row) {
    data.rows_at(row, row + 1, 1, batch);
    std::vector<int32_t> ids;
    for (size_t t = 0; t < batch.tokens.size() && batch.segment_begin[t] == 0 && ids.size() < kTokens; ++t)
      ids.push_back(batch.tokens[t]);
    if (ids.size() > 1) out.push_back(std::move(ids));
  }
  return out;
}

Result<std::vector<float>> trainer_logits(const ModelInTraining& model, std::span<const int32_t> ids, Backend& device) {
  const auto n = static_cast<int>(ids.size());
  Plan plan = TRY(
      make_plan(TRY(build_logits_graph(model.config, model.dtype_of(), n, model.lora, device.activations())), device));
  Arena arena(device);
  Executor executor = TRY(Executor::create(std::move(plan), arena, model.bindings()));
  for (int t = 0; t < n; ++t) {
    executor.input("tokens").i32()[t] = ids[static_cast<size_t>(t)];
    executor.input("positions").i32()[t] = t;
    executor.input("segment_begin").i32()[t] = 0;
  }
  TRY(executor.run());
  const TensorView logits = executor.output(0);
  return std::vector<float>(logits.f32(), logits.f32() + logits.shape().n_elements());
}

Result<std::vector<float>> serving_logits(StepRunner& runner, std::span<const int32_t> ids, int slot) {
  std::vector<float> out;
  const int n = static_cast<int>(ids.size()), n_prefill = std::max(1, n - kDecoded);
  for (int begin = 0; begin < n;) {
    const int end = begin < n_prefill ? std::min(n_prefill, begin + kChunk) : begin + 1;
    std::vector<StepToken> tokens;
    for (int t = begin; t < end; ++t) tokens.push_back({ids[static_cast<size_t>(t)], t, slot, true});
    const TensorView logits = TRY(runner.run(tokens));
    out.insert(out.end(), logits.f32(), logits.f32() + logits.shape().n_elements());
    begin = end;
  }
  return out;
}

// On the device that trained; where it has no room for a second model beside what training holds, on the host.
Result<std::unique_ptr<StepRunner>> open_server(const std::shared_ptr<const LoadedModel>& result, StepOptions options,
                                                const Backend& device) {
  options.device = device.name();
  auto runner = StepRunner::create(result, options);
  const bool has_no_room = runner ? !(*runner)->residency().fetched.empty()
                                  : runner.error().code == Code::resource_exhausted && !device.is_host_memory();
  if (!has_no_room) return runner;
  spdlog::warn("the result is served on the CPU to be compared: {}",
               runner ? (*runner)->residency().words() : runner.error().to_string());
  if (runner) runner->reset();
  options.device = kHostDevice;
  return StepRunner::create(result, options);
}

double difference_of(const std::vector<float>& trained, const std::vector<float>& served) {
  double largest = 1, difference = 0;
  for (size_t i = 0; i < trained.size(); ++i) {
    const double d = std::abs(static_cast<double>(trained[i]) - served[i]);
    if (!(d <= difference)) difference = d;  // NaN sticks
    largest = std::max(largest, std::abs(static_cast<double>(trained[i])));
  }
  return difference / largest;
}

// What may differ, and how far. Activations in bf16 round otherwise in training and in serving.
Result<double> difference_on(const Backend& device, const std::vector<float>& trained, const std::vector<float>& served,
                             int vocab_size) {
  if (trained.size() != served.size())
    return error(Code::internal, "parity check: {} trainer logits, {} server logits", trained.size(), served.size());
  if (device.activations() == Dtype::f32) return difference_of(trained, served);
  // The decoded tokens by themselves: few enough that the middle one of all says nothing of them.
  const auto n = static_cast<size_t>(vocab_size), decoded = std::min(trained.size(), kDecoded * n);
  const std::span t = trained, s = served;
  const double read =
      decoded == t.size() ? 0 : token_difference(s.first(s.size() - decoded), t.first(t.size() - decoded), n);
  return std::max(read, token_difference(s.last(decoded), t.last(decoded), n));
}

// Whatever training ended answers with ends them when served. Of a GGUF file the reader adds tokens that are ends by
// their spelling, as other programs do.
bool stops_as_trained(const LoadedModel& base, const LoadedModel& result) {
  const std::vector<int32_t>&wanted = base.generation.eos_ids, &has = result.generation.eos_ids;
  return wanted == has ||
         (result.path.extension() == ".gguf" && std::includes(has.begin(), has.end(), wanted.begin(), wanted.end()));
}

Result<void> check_text_side(const LoadedModel& base, const LoadedModel& result, std::span<const Question> questions) {
  if (!result.tokenizer) return error(Code::internal, "the result has no usable tokenizer: it cannot be served");
  if (!stops_as_trained(base, result))
    return error(Code::internal, "the result's stop tokens are [{}], training used [{}]",
                 fmt::join(result.generation.eos_ids, ", "), fmt::join(base.generation.eos_ids, ", "));
  for (const Question& question : questions)
    if (TRY(prompt_ids(base, question)) != TRY(prompt_ids(result, question)))
      return error(Code::internal,
                   "the served result tokenizes a held-out prompt differently from training: its template or tokenizer "
                   "is not the same");
  return {};
}

}  // namespace

double parity_tolerance(Dtype result_dtype) {
  switch (result_dtype) {
    case Dtype::f32:
      return 5e-3;
    case Dtype::f16:
      return 1e-2;
    case Dtype::bf16:
      return 3e-2;
    default:
      return 6e-2;
  }
}

Result<double> check_parity(const ModelInTraining& model, const LoadedModel& base,
                            const std::filesystem::path& result_path, double tolerance, Loader& data,
                            std::span<const Question> questions, int n_threads, Backend& device) {
  auto result =
      std::make_shared<LoadedModel>(TRY_WITH(load_model(result_path), "while loading the result as the server does"));
  TRY(check_text_side(base, *result, questions));
  const std::vector<std::vector<int32_t>> sequences = sequences_of(data);
  StepOptions options;
  options.n_threads = n_threads;
  options.n_slots = kSequences;
  options.max_seq_len = std::min(result->config.max_seq_len, 2 * kTokens);
  auto runner = TRY(open_server(result, options, device));
  if (device.activations() != Dtype::f32) tolerance = std::max(tolerance, kDeviceTolerance);
  double worst = 0;
  for (size_t i = 0; i < sequences.size(); ++i) {
    const std::vector<float> trained = TRY(trainer_logits(model, sequences[i], device));
    const std::vector<float> served = TRY(serving_logits(*runner, sequences[i], static_cast<int>(i)));
    const double difference = TRY(difference_on(device, trained, served, runner->vocab_size()));
    if (!(difference <= worst)) worst = difference;
    if (!(difference <= tolerance))
      return error(
          Code::internal,
          "the result, served, does not answer as it did in training: its logits differ by {:.2e}, relative to "
          "themselves; {:.0e} is allowed; the result is not deployable{}",
          difference, tolerance, tolerance > parity_tolerance(Dtype::f32) ? kDoesNotSurviveRounding : "");
  }
  return worst;
}

}  // namespace hearth::train
