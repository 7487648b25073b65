// train_parity: a 15 M-parameter model trained from scratch on real text by our trainer, and by the PyTorch twin
// (tests/golden/train_reference.py) from the same initial weights on the same batches. Prints both losses step by step
// and the largest relative difference, and both speeds with the machine's limit. Fails when the losses differ by more
// than 1 %.
//
//   train_parity [--json] [--steps 40] [--rows 4] [--threads N] [--profile] [--no-torch] [--python python3]
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "base/files.h"
#include "base/json.h"
#include "model_store/formats/save.h"
#include "tests/bench/machine_limits.h"
#include "trainer/optim/course.h"
#include "trainer/stepper.h"

using namespace hearth;
using namespace hearth::train;

namespace {

namespace fs = std::filesystem;
using Steady = std::chrono::steady_clock;

struct Arguments {
  bool json = false, profile = false, no_torch = false;
  int n_steps = 40, rows = 4, n_threads = 0, max_seq_len = 256;
  double learning_rate = 3e-4;
  std::string python = "python3", source = HEARTH_SOURCE_DIR, device = "cpu";
};

ModelConfig config_15m(int vocab_size) {
  ModelConfig c;
  c.n_layers = 8, c.d_model = 384, c.n_heads = 6, c.n_kv_heads = 6, c.head_dim = 64, c.d_ff = 1024;
  c.vocab_size = vocab_size, c.max_seq_len = 256, c.tied_embeddings = true;
  return c;
}

// Text that every Debian machine has: licences and copyright files, in order of path.
std::vector<Example> debian_text(uint64_t max_bytes) {
  std::vector<fs::path> files;
  std::error_code ec;
  for (const char* folder : {"/usr/share/common-licenses", "/usr/share/doc"})
    for (fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, ec), end;
         !ec && it != end; it.increment(ec)) {
      const std::string name = it->path().filename().string();
      const bool is_text = folder == std::string("/usr/share/common-licenses") || name == "copyright" ||
                           name.ends_with(".txt") || name.ends_with(".md");
      if (is_text && it->is_regular_file(ec) && !it->is_symlink(ec)) files.push_back(it->path());
    }
  std::sort(files.begin(), files.end());
  std::vector<Example> out;
  uint64_t bytes = 0;
  for (const fs::path& file : files) {
    auto dataset = read_dataset(file, "text", {}, "a.txt");
    if (!dataset) continue;
    for (Example& e : dataset->examples) {
      bytes += e.text.size();
      out.push_back(std::move(e));
    }
    if (bytes > max_bytes) break;
  }
  return out;
}

struct Losses {
  std::vector<double> loss, seconds;  // of each step
  double tokens_per_s(int tokens_per_step) const {
    std::vector<double> sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    return sorted.empty() ? 0 : tokens_per_step / sorted[sorted.size() / 2];
  }
};

Result<void> append_i32(const fs::path& file, const std::vector<int32_t>& values) {
  std::ofstream out(file, std::ios::app | std::ios::binary);
  out.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * 4));
  if (!out) return error(Code::internal, "cannot write {}", file.string());
  return {};
}

Result<Losses> run_ours(const Arguments& a, const Recipe& recipe, ModelInTraining& model, Loader& data,
                        const fs::path& batches, Backend& device) {
  TRY(model.place_on(device));
  Stepper stepper = TRY(Stepper::create(model, {.n_tokens = a.rows * a.max_seq_len}, device));
  const LearningRateCourse course = course_of(recipe, a.n_steps);
  Losses out;
  std::vector<Batch> batch(1);
  for (int step = 1; step <= a.n_steps; ++step) {
    data.next(a.rows, batch[0]);
    TRY(append_i32(batches / "tokens.i32", batch[0].tokens));
    TRY(append_i32(batches / "positions.i32", batch[0].positions));
    TRY(append_i32(batches / "segment_begin.i32", batch[0].segment_begin));
    TRY(append_i32(batches / "targets.i32", batch[0].targets));
    const auto start = Steady::now();
    const StepOutcome outcome = TRY(stepper.step(batch, course.at(step), step));
    out.seconds.push_back(std::chrono::duration<double>(Steady::now() - start).count());
    out.loss.push_back(outcome.loss);
    if (!outcome.is_finite) return error(Code::internal, "diverged at step {}", step);
  }
  if (a.profile)
    for (const OpTiming& t : TRY(stepper.profile()))
      fmt::print(stderr, "{:24} {:4} calls {:8.2f} ms {:7.1f} GFLOP/s {:6.1f} GB/s\n", t.op, t.n_calls, 1e3 * t.seconds,
                 t.flops / t.seconds / 1e9, t.bytes / t.seconds / 1e9);
  return out;
}

Result<Losses> run_torch(const Arguments& a, const Recipe& recipe, const fs::path& model, const fs::path& batches) {
  const std::string command = fmt::format(
      "'{}' '{}/tests/golden/train_reference.py' --model '{}' --batches '{}' --rows {} --max-seq-len {} --steps {} "
      "--learning-rate {} "
      "--warmup-steps {} --min-lr-ratio {} --weight-decay {} --grad-clip {} --threads {}",
      a.python, a.source, model.string(), batches.string(), a.rows, a.max_seq_len, a.n_steps,
      recipe.optimizer.learning_rate, recipe.schedule.warmup_steps.value_or(0), recipe.schedule.min_lr_ratio,
      recipe.optimizer.weight_decay, recipe.optimizer.grad_clip, a.n_threads);
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  if (!pipe) return error(Code::unavailable, "cannot run {}", a.python);
  Losses out;
  char line[4096];
  double before = 0;
  while (std::fgets(line, sizeof line, pipe.get())) {
    const Json json = TRY(parse_json(line));
    out.loss.push_back(TRY(json_get<double>(json, "loss")));
    const double seconds = TRY(json_get<double>(json, "seconds"));
    out.seconds.push_back(seconds - before);
    before = seconds;
  }
  if (out.loss.size() != static_cast<size_t>(a.n_steps))
    return error(Code::unavailable, "the PyTorch twin gave {} steps of {}; is PyTorch there?", out.loss.size(),
                 a.n_steps);
  return out;
}

Recipe recipe_of(const Arguments& a) {
  Recipe r;
  r.model.from_scratch = "-", r.data.path = "-";
  r.optimizer = {.learning_rate = a.learning_rate, .weight_decay = 0.1};
  r.schedule.warmup_steps = std::max(1, a.n_steps / 10);
  return r;
}

Result<bool> run(Arguments a) {
  const std::unique_ptr<CpuBackend> cpu = open_cpu(a.n_threads);
  a.n_threads = cpu->team().size();
  const std::unique_ptr<Backend> device = TRY(open_device(a.device, a.n_threads));
  const TempFolder temp = TRY(TempFolder::create("train_parity"));
  const fs::path batches = temp.path() / "batches", initial = temp.path() / "initial",
                 text_side = fs::path(a.source) / "packaging/packs/hearth-mini";
  TRY(make_folders(batches));
  TRY(make_folders(initial));
  Beginning base{TRY(load_text_side(text_side)), std::nullopt};
  base.config = config_15m((base.tokenizer->vocab_size() + 63) / 64 * 64);
  base.parameters = TRY(find_architecture("llama"))->parameters(base.config);
  const Recipe recipe = recipe_of(a);
  ModelInTraining model = TRY(make_model(recipe, base));
  TRY(save_hf_folder(initial, {base.config, model.trained_weights()->by_role, base.generation, text_side}, Dtype::f32));
  const auto wanted_tokens = static_cast<int64_t>(a.n_steps) * a.rows * a.max_seq_len;
  Corpus corpus = TRY(encode_all(base, debian_text(static_cast<uint64_t>(8 * wanted_tokens)), 2 * wanted_tokens));
  Loader data(std::make_shared<std::vector<Document>>(std::move(corpus.documents)), {.max_seq_len = a.max_seq_len});
  int64_t n_params = 0;
  for (const Trainable& t : model.trainables) n_params += t.weight.type().shape.n_elements();

  const Losses ours = TRY(run_ours(a, recipe, model, data, batches, *device));
  Losses torch;
  if (!a.no_torch) torch = TRY(run_torch(a, recipe, initial, batches));
  const bench::MachineLimits limits = bench::measure_limits(cpu->team(), bench::Clock::wall);
  double worst = 0;
  for (size_t i = 0; i < torch.loss.size(); ++i)
    worst = std::max(worst, std::abs(ours.loss[i] - torch.loss[i]) / torch.loss[i]);
  const int tokens = a.rows * a.max_seq_len;
  const double ours_speed = ours.tokens_per_s(tokens), torch_speed = torch.tokens_per_s(tokens);
  const double flops_per_token = 6.0 * static_cast<double>(n_params);
  const Json json = {{"n_params", n_params},
                     {"n_steps", a.n_steps},
                     {"tokens_per_step", tokens},
                     {"n_threads", a.n_threads},
                     {"device", device->name()},
                     {"loss", ours.loss},
                     {"torch_loss", torch.loss},
                     {"largest_relative_difference", worst},
                     {"tokens_per_s", ours_speed},
                     {"torch_tokens_per_s", torch_speed},
                     {"flops_per_s", ours_speed * flops_per_token},
                     {"limits", {{"flops_per_s", limits.flops_per_s}}}};
  if (a.json) {
    fmt::print("{}\n", dump_json(json));
  } else {
    for (size_t i = 0; i < ours.loss.size(); ++i)
      fmt::print("step {:4} loss {:.5f}{}\n", i + 1, ours.loss[i],
                 i < torch.loss.size() ? fmt::format(" PyTorch {:.5f}", torch.loss[i]) : "");
    fmt::print("{} parameters: {:.0f} tokens/s = {:.1f} GFLOP/s of at most {:.1f} (weights' products only)\n", n_params,
               ours_speed, ours_speed * flops_per_token / 1e9, limits.flops_per_s / 1e9);
    if (!a.no_torch)
      fmt::print("PyTorch: {:.0f} tokens/s; ours is {:.2f} times as fast; largest relative loss difference {:.2e}\n",
                 torch_speed, ours_speed / torch_speed, worst);
  }
  return worst <= 0.01;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments a;
  CLI::App app("train_parity: our trainer beside PyTorch, loss by loss");
  app.add_flag("--json", a.json);
  app.add_flag("--profile", a.profile, "time by op, on stderr");
  app.add_flag("--no-torch", a.no_torch, "ours alone");
  app.add_option("--steps", a.n_steps)->check(CLI::Range(1, 100000));
  app.add_option("--rows", a.rows)->check(CLI::Range(1, 1024));
  app.add_option("--threads", a.n_threads)->check(CLI::Range(0, 256));
  app.add_option("--device", a.device, kDeviceHelp);
  app.add_option("--learning-rate", a.learning_rate);
  app.add_option("--python", a.python, "a Python with torch, numpy and safetensors");
  app.add_option("--source", a.source, "the checkout");
  CLI11_PARSE(app, argc, argv);
  const auto ok = run(a);
  if (!ok) {
    fmt::print(stderr, "error: {}\n", ok.error().to_string());
    return 1;
  }
  return *ok ? 0 : 1;
}
