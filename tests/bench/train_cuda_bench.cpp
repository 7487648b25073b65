// A step of training on a GPU beside the same step on the CPU: tokens per second, losses, and where the time goes.
//
//   train_cuda_bench [--json] [--device NAME] [--steps N]
//
// A Llama of 15 million parameters, 4 rows of 256 tokens, all weights and LoRA; the limit beside it is the CPU's speed.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iterator>

#include "base/json.h"
#include "trainer/initialise.h"
#include "trainer/setup.h"

namespace hearth::train {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kRows = 4, kRow = 256, kTokens = kRows * kRow;

struct Arguments {
  std::string device = "cuda";
  int n_steps = 20;
  bool json = false;
};

// Weights as a checkpoint would have them.
struct Model {
  Beginning base;
  std::map<std::string, Tensor> tensors;
  Model() {
    ModelConfig& c = base.config;
    c.n_layers = 8, c.d_model = 384, c.n_heads = 6, c.n_kv_heads = 6, c.head_dim = 64, c.d_ff = 1024;
    c.vocab_size = 4096, c.max_seq_len = kRow, c.tied_embeddings = true;
    base.parameters = (*find_architecture("llama"))->parameters(c);
    for (const ParameterSpec& spec : base.parameters) {
      Tensor& t = tensors[spec.role] = Tensor({Dtype::f32, spec.shape});
      initialise(spec, c, 5, t.view());
      base.weights[spec.role] = t.view();
    }
  }
};

Batch batch_of(int vocab_size) {
  Batch out;
  for (int t = 0; t < kTokens; ++t) {
    out.tokens.push_back((t * 7 + 3) % vocab_size);
    out.targets.push_back((t * 7 + 10) % vocab_size);
    out.positions.push_back(t % kRow);
    out.segment_begin.push_back(t / kRow * kRow);
  }
  out.n_tokens = out.n_learned = kTokens;
  return out;
}

struct Measured {
  double tokens_per_s = 0, last_loss = 0;
  std::vector<OpTiming> profile;
};

Result<Measured> measure(const Model& model, const Recipe& recipe, const std::string& name, int n_steps) {
  const std::unique_ptr<Backend> device = TRY(open_device(name, 0));
  ModelInTraining trained = TRY(make_model(recipe, model.base));
  TRY(trained.place_on(*device));
  Stepper stepper = TRY(Stepper::create(trained, {.n_tokens = kTokens}, *device));
  const Batch batch = batch_of(model.base.config.vocab_size);
  Measured out;
  std::vector<double> seconds;
  for (int n = 1; n <= n_steps; ++n) {
    const auto begin = Clock::now();
    out.last_loss = TRY(stepper.step({&batch, 1}, 1e-4, n)).loss;
    if (n > 2) seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());  // a GPU captures first
  }
  std::sort(seconds.begin(), seconds.end());
  out.tokens_per_s = kTokens / seconds[seconds.size() / 2];
  out.profile = TRY(stepper.profile());
  return out;
}

Json to_json(const std::string& method, const std::string& device, const Measured& there, const Measured& cpu) {
  Json ops = Json::array();
  for (const OpTiming& t : there.profile)
    ops.push_back({{"op", t.op}, {"n_calls", t.n_calls}, {"seconds", t.seconds}, {"flops_per_s", t.flops / t.seconds}});
  return {{"method", method},
          {"device", device},
          {"tokens_per_s", there.tokens_per_s},
          {"cpu_tokens_per_s", cpu.tokens_per_s},
          {"loss", there.last_loss},
          {"cpu_loss", cpu.last_loss},
          {"ops", std::move(ops)}};
}

Result<Json> run(const Arguments& a) {
  const Model model;
  Json out = Json::array();
  for (const char* method : {"full", "lora"}) {
    Recipe recipe;
    recipe.method.type = method;
    const Measured cpu = TRY(measure(model, recipe, "cpu", std::min(a.n_steps, 6)));
    const Measured there = TRY(measure(model, recipe, a.device, a.n_steps));
    const Measured same = a.n_steps <= 6 ? there : TRY(measure(model, recipe, a.device, 6));
    Json entry = to_json(method, a.device, there, cpu);
    entry["loss"] = same.last_loss;  // after as many steps as the CPU's
    if (!a.json)
      fmt::print("{:4} {}: {:.0f} tokens/s, the CPU {:.0f}; loss {:.5f}, the CPU's {:.5f}\n", method, a.device,
                 there.tokens_per_s, cpu.tokens_per_s, same.last_loss, cpu.last_loss);
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace
}  // namespace hearth::train

int main(int argc, char** argv) {
  hearth::train::Arguments a;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--json") == 0) a.json = true;
    if (std::strcmp(argv[i], "--device") == 0 && i + 1 < argc) a.device = argv[++i];
    if (std::strcmp(argv[i], "--steps") == 0 && i + 1 < argc) a.n_steps = std::clamp(std::atoi(argv[++i]), 3, 1000);
  }
  const auto result = hearth::train::run(a);
  if (!result) {
    fmt::print(stderr, "error: {}\n", result.error().to_string());
    return 1;
  }
  if (a.json) fmt::print("{}\n", hearth::dump_json(*result));
  return 0;
}
