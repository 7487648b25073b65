// See estimate.h.
#include "trainer/estimate.h"

#include <algorithm>
#include <chrono>

#include "trainer/data/loader.h"
#include "trainer/data/training_data.h"
#include "trainer/optim/course.h"
#include "trainer/result.h"
#include "trainer/setup.h"

namespace hearth::train {
namespace {

using Clock = std::chrono::steady_clock;
constexpr uint64_t kSampledBytes = 8'000'000;  // of a large file; the rest is extrapolated
constexpr int kProbeLayers = 2;                // of the model, in the speed test
constexpr int kProbeTokens = 512;
constexpr size_t kLossAndNorm = 2;  // what is read of a step
constexpr double kProbeSeconds = 0.8;
// Data handling, optimizer and evaluations beside the graph's own work, as seen on small models.
constexpr double kOverhead = 1.08;

struct DataSize {
  int64_t n_rows = 0, n_tokens = 0;
  DataFigures figures;
  std::vector<UnusedKey> unused_keys;
};

Result<DataSize> size_of_data(const Recipe& recipe, const LoadedModel& base) {
  const auto seed = static_cast<uint64_t>(recipe.data.seed.value_or(recipe.seed));
  TrainingData data = TRY(read_training_data(recipe.data, base, {.seed = seed, .sample_bytes = kSampledBytes}));
  int64_t n_answers = 0, n_tokens = 0;
  for (const Document& d : *data.train) n_answers += d.n_learned(), n_tokens += static_cast<int64_t>(d.ids.size());
  const double factor =
      static_cast<double>(data.figures.n_train_answer_tokens) / static_cast<double>(std::max<int64_t>(1, n_answers));
  Loader loader(std::move(data.train),
                {.max_seq_len = recipe.data.max_seq_len, .pack = recipe.data.pack, .seed = seed});
  if (loader.n_rows() == 0)
    return error(Code::invalid_argument, "{} holds nothing that could be learned", recipe.data.path);
  const auto scaled = [&](int64_t n) {
    return data.figures.is_sample ? static_cast<int64_t>(factor * static_cast<double>(n)) : n;
  };
  return DataSize{scaled(loader.n_rows()), scaled(n_tokens), data.figures, std::move(data.unused_keys)};
}

// What is trained, without allocating it.
struct Shapes {
  DtypeOf dtype_of;
  LoraConfig lora;
  std::vector<Trained> trained;
  int64_t weights_bytes = 0, optimizer_bytes = 0, gradient_bytes = 0;
};

Result<Shapes> shapes_of(const Recipe& recipe, const Beginning& base, const ModelConfig& config) {
  Shapes out;
  const auto specs = TRY(find_architecture(config.family))->parameters(config);
  const bool lora = recipe.method.type == "lora";
  out.dtype_of = [lora, &base](const ParameterSpec& spec) {
    const auto it = base.weights.find(spec.role);
    const bool small = is_vector(spec.kind);
    return !lora || small || it == base.weights.end() ? Dtype::f32 : it->second.type.dtype;
  };
  for (const ParameterSpec& spec : specs) {
    out.weights_bytes += TensorType{out.dtype_of(spec), spec.shape}.bytes();
    if (!lora && spec.kind != ParameterKind::constant) out.trained.push_back({spec.role});
  }
  out.gradient_bytes = out.weights_bytes;
  if (lora) {
    out.lora = base.lora_of(recipe);
    out.gradient_bytes = 0;
    const Graph graph = TRY(build_logits_graph(config, out.dtype_of, 1, out.lora));
    for (const ValueInfo& info : graph.values())
      if (info.kind == ValueKind::parameter && (info.name.ends_with(".lora_a") || info.name.ends_with(".lora_b"))) {
        out.trained.push_back({info.name});
        out.gradient_bytes += info.type.bytes();
      }
    out.weights_bytes += out.gradient_bytes;
  }
  out.optimizer_bytes = 2 * out.gradient_bytes;
  return out;
}

// FLOP/s of this box on a few layers of this very model, with zeros for weights.
Result<double> measure_rate(const Recipe& recipe, const Beginning& base, Backend& device) {
  const ModelConfig config = base.config.with_layers(kProbeLayers);
  const Shapes shapes = TRY(shapes_of(recipe, base, config));
  const int n_tokens = std::min(kProbeTokens, recipe.batch.rows * recipe.data.max_seq_len);
  const StepperOptions options{.n_tokens = n_tokens, .recompute = recipe.batch.recompute};
  TrainingPlan plan = TRY(plan_training(config, shapes.dtype_of, shapes.lora, shapes.trained, options, device));
  Bindings bindings;
  std::vector<PlacedTensor> zeros;
  for (const ValueInfo& info : plan.micro.graph.values()) {
    if (info.kind != ValueKind::parameter && info.kind != ValueKind::state) continue;
    TRY(zeros.emplace_back(Tensor(info.type)).move_to(device));
    bindings[info.name] = zeros.back().view();
  }
  const double flops = plan.micro.cost.flops;
  Arena arena(device);
  Executor executor = TRY(Executor::create(std::move(plan.micro), arena, bindings, kLossAndNorm));
  for (int t = 0; t < n_tokens; ++t) {
    executor.input("tokens").i32()[t] = executor.input("positions").i32()[t] = executor.input("targets").i32()[t] = 0;
    executor.input("segment_begin").i32()[t] = t / recipe.data.max_seq_len * recipe.data.max_seq_len;
    executor.input("loss_weights").f32()[t] = 1.0f / static_cast<float>(n_tokens);
  }
  executor.input("dloss").f32()[0] = 1;
  std::ranges::fill(std::span(executor.input("rates").f32(), 3), 0.0f);  // nothing is learned
  TRY(executor.run());                                                   // touches memory, wakes threads
  const auto start = Clock::now();
  int n = 0;
  double seconds = 0;
  do {
    TRY(executor.run());
    ++n;
    seconds = std::chrono::duration<double>(Clock::now() - start).count();
  } while (seconds < kProbeSeconds && n < 100);
  return flops * n / seconds;
}

std::string explain(const Recipe& r, const Estimate& e, const DataSize& data, const Shapes& shapes,
                    int64_t arena_bytes) {
  const auto mib = [](double bytes) { return bytes / (1024.0 * 1024.0); };
  return fmt::format(
             "{} The data make {} rows of {} tokens ({} tokens); {} rows a step give {} steps{}. One step computes "
             "{:.1f} "
             "GFLOP; "
             "a short test on {} "
             "layers of this model reached {:.1f} GFLOP/s on {}, so a step takes {:.2f} s. Memory: {:.0f} MiB weights, "
             "{:.0f} "
             "MiB optimizer state, "
             "{:.0f} MiB activations and gradients{}.",
             in_words(data.figures), data.n_rows, r.data.max_seq_len, data.n_tokens,
             r.batch.rows * r.batch.gradient_accumulation, e.n_steps,
             r.schedule.n_steps > 0 ? "" : fmt::format(" in {:g} epochs", r.schedule.n_epochs), e.flops_per_step / 1e9,
             kProbeLayers, e.flops_per_s / 1e9, is_host_device(e.device) ? "the CPU" : e.device,
             e.seconds / static_cast<double>(std::max<int64_t>(1, e.n_steps)),
             mib(static_cast<double>(shapes.weights_bytes)), mib(static_cast<double>(shapes.optimizer_bytes)),
             mib(static_cast<double>(arena_bytes)), r.batch.recompute ? " (activations are recomputed)" : "") +
         (e.device_reason.empty() ? "" : fmt::format(" No GPU is used: {}.", e.device_reason));
}

// The step's plans on a device that has the room for them, and its speed.
struct Predicted {
  int64_t arena_bytes = 0, all_bytes = 0;
  double flops_per_step = 0, flops_per_s = 0;
};

Result<Predicted> predict_on(const std::string& name, const Recipe& recipe, const Beginning& base,
                             const Shapes& shapes) {
  const std::unique_ptr<Backend> device = TRY(open_for_training(name, recipe, base));
  const bool accumulates = recipe.batch.gradient_accumulation > 1;
  TrainingPlan plan = TRY(plan_training(base.config, shapes.dtype_of, shapes.lora, shapes.trained,
                                        {.n_tokens = recipe.batch.rows * recipe.data.max_seq_len,
                                         .recompute = recipe.batch.recompute,
                                         .accumulates = accumulates},
                                        *device));
  const Plan evaluation = TRY(make_plan(std::move(plan.forward), *device));
  Predicted out;
  out.arena_bytes = std::max(plan.micro.arena_bytes, evaluation.arena_bytes);
  out.all_bytes =
      out.arena_bytes + shapes.weights_bytes + shapes.optimizer_bytes + (accumulates ? shapes.gradient_bytes : 0);
  if (!device->is_host_memory()) TRY(device->allocate(out.all_bytes));  // given back at once
  out.flops_per_step = plan.micro.cost.flops * recipe.batch.gradient_accumulation;
  out.flops_per_s = TRY_WITH(measure_rate(recipe, base, *device), "while measuring the speed of {}", name);
  return out;
}

}  // namespace

Result<Estimate> estimate_training(const Recipe& recipe, const std::filesystem::path& model_path) {
  TRY(validate(recipe));
  const Beginning base = TRY(load_base(recipe, model_path));
  TRY(check_can_write(recipe, base));
  const DataSize data = TRY_WITH(size_of_data(recipe, base), "while measuring the data");
  const Shapes shapes = TRY(shapes_of(recipe, base, base.config));
  Predicted predicted;
  const Device device = TRY(choose_device(recipe.device, [&](const std::string& name) -> Result<void> {
    predicted = TRY(predict_on(name, recipe, base, shapes));
    return {};
  }));
  Estimate out;
  out.n_steps = count_steps(recipe, data.n_rows);
  out.n_tokens = data.n_tokens;
  out.data = data.figures;
  out.unused_keys = data.unused_keys;
  out.device = device.name;
  out.device_reason = device.reason;
  out.flops_per_step = predicted.flops_per_step;
  out.flops_per_s = predicted.flops_per_s;
  out.seconds = kOverhead * static_cast<double>(out.n_steps) * out.flops_per_step / std::max(1.0, out.flops_per_s);
  out.peak_memory_bytes = static_cast<uint64_t>(predicted.all_bytes);
  out.explanation = explain(recipe, out, data, shapes, predicted.arena_bytes);
  return out;
}

}  // namespace hearth::train
