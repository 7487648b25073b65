// See golden_engine.h.
#include "tests/golden/golden_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/files.h"
#include "inference/logits.h"
#include "inference/step_runner.h"

namespace hearth::golden {
namespace {

constexpr double kF32 = 1e-4, kLibraryInBf16 = 2e-2, kDeviceInBf16 = 2.5e-2;  // of the largest logit

TensorView tensor(const TensorFile& file, const std::string& name) {
  auto found = file.require(name);
  if (!found) ADD_FAILURE() << found.error().to_string();
  const StoredTensor& stored = **found;
  TensorView view{{*stored.dtype, {}}, const_cast<std::byte*>(stored.bytes.data())};
  for (int64_t dim : stored.shape) view.type.shape.append(dim);
  return view;
}

double max_difference(const Tensor& got, const TensorView& expected) {
  EXPECT_EQ(got.type().shape, expected.type.shape);
  double worst = 0;
  for (int64_t i = 0; i < got.type().shape.n_elements(); ++i) {
    const double difference = std::fabs(static_cast<double>(got.f32()[i]) - expected.f32()[i]);
    worst = std::isfinite(difference) ? std::max(worst, difference) : INFINITY;
  }
  return worst;
}

// Logits of all prompts, each in its own slot of one engine: every step takes up to `chunk` tokens of each that is not
// done, so that lengths are unequal and steps mix long and short contexts.
Result<std::vector<Tensor>> serve(const std::shared_ptr<const LoadedModel>& model, std::span<const Prompt> prompts,
                                  int chunk, int max_seq_len, const std::string& device) {
  const auto runner = TRY(StepRunner::create(model, {.device = device,
                                                     .n_threads = 2,
                                                     .max_seq_len = max_seq_len,
                                                     .n_slots = static_cast<int>(prompts.size()),
                                                     .cache_dtype = Dtype::f32,
                                                     .exact = true}));
  std::vector<Tensor> out;
  for (const Prompt& prompt : prompts) out.emplace_back(prompt.logits.type);
  std::vector<size_t> done(prompts.size(), 0);
  while (true) {
    std::vector<StepToken> tokens;
    for (size_t slot = 0; slot < prompts.size(); ++slot)
      for (size_t i = done[slot]; i < std::min(done[slot] + static_cast<size_t>(chunk), prompts[slot].ids.size()); ++i)
        tokens.push_back({prompts[slot].ids[i], static_cast<int>(i), static_cast<int>(slot), true});
    if (tokens.empty()) return out;
    const TensorView logits = TRY(runner->run(tokens));
    for (size_t row = 0; row < tokens.size(); ++row) {
      const auto slot = static_cast<size_t>(tokens[row].slot);
      std::memcpy(out[slot].view().row(tokens[row].position), logits.row(static_cast<int64_t>(row)),
                  static_cast<size_t>(logits.type.row_bytes()));
      ++done[slot];
    }
  }
}

// The largest |error| of each way to compute the same logits: whole, through the cache (in chunks of 5, token by token)
// and in one batch.
struct Errors {
  double whole = 0, chunks = 0, steps = 0, batch = 0;
};

void keep_worst(double& worst, const Result<std::vector<Tensor>>& got, std::span<const Prompt> prompts) {
  ASSERT_TRUE(got) << got.error().to_string();
  for (size_t i = 0; i < prompts.size(); ++i) worst = std::max(worst, max_difference((*got)[i], prompts[i].logits));
}

}  // namespace

Json read_json(const fs::path& path) {
  return *parse_json(*read_file(path));
}

std::vector<fs::path> cases() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(fs::path(HEARTH_SOURCE_DIR) / "tests/golden"))
    if (fs::exists(entry.path() / "case.json") && !read_json(entry.path() / "case.json").contains("task"))
      out.push_back(entry.path());  // encoders have no logits: inference/encoder_test.cpp
  std::sort(out.begin(), out.end());
  return out;
}

std::shared_ptr<const LoadedModel> load(const fs::path& path) {
  auto model = load_model(path);
  if (!model) ADD_FAILURE() << model.error().to_string();
  if (!model) return nullptr;
  return std::make_shared<const LoadedModel>(std::move(*model));
}

std::vector<Prompt> prompts_of(const TensorFile& file, const std::string& logits_name, int n) {
  std::vector<Prompt> out;
  for (int i = 0; i < n; ++i) {
    const TensorView ids = tensor(file, fmt::format("ids_{}", i));
    out.push_back({{ids.i32(), ids.i32() + ids.dim(0)}, tensor(file, fmt::format("{}_{}", logits_name, i))});
  }
  return out;
}

void expect_logits(const std::shared_ptr<const LoadedModel>& model, const std::vector<Prompt>& prompts,
                   const Ways& ways, double tolerance, const std::string& name) {
  Errors worst;
  double largest = 0;
  auto logits = SequenceLogits::create(*model, {2, ways.device});
  ASSERT_TRUE(logits) << logits.error().to_string();
  for (const Prompt& prompt : prompts) {
    for (int64_t i = 0; i < prompt.logits.shape().n_elements(); ++i)
      largest = std::max(largest, std::fabs(static_cast<double>(prompt.logits.f32()[i])));
    auto whole = logits->of(prompt.ids);
    ASSERT_TRUE(whole) << whole.error().to_string();
    worst.whole = std::max(worst.whole, max_difference(*whole, prompt.logits));
    if (ways.few && !ways.by_length) continue;
    const int max_seq_len = ways.by_length ? static_cast<int>(prompt.ids.size()) : 0;
    keep_worst(worst.chunks, serve(model, {&prompt, 1}, 5, max_seq_len, ways.device), {&prompt, 1});
    if (!ways.few) keep_worst(worst.steps, serve(model, {&prompt, 1}, 1, max_seq_len, ways.device), {&prompt, 1});
  }
  if (!ways.by_length) keep_worst(worst.batch, serve(model, prompts, 7, 0, ways.device), prompts);
  std::printf("    %-12s max |error| %.1e whole, %.1e in chunks, %.1e by token, %.1e in a batch (allowed %.1e)\n",
              name.c_str(), worst.whole, worst.chunks, worst.steps, worst.batch, tolerance * largest);
  for (const double error : {worst.whole, worst.chunks, worst.steps, worst.batch})
    EXPECT_LE(error, tolerance * largest) << name;
}

std::string case_name(const fs::path& path) {
  return path.filename().string();
}

void expect_logits_of_case(const fs::path& path, const std::string& device) {
  const Json description = read_json(path / "case.json");
  const bool in_bf16 = device.ends_with(":bf16");
  const Ways ways{device, in_bf16, description.value("by_length", false)};
  const bool is_bf16 = description["dtype"] == "bfloat16";
  const int n = description["n_prompts"].get<int>();
  auto file = open_safetensors(path / "expected_logits.safetensors");
  ASSERT_TRUE(file) << file.error().to_string();
  const auto model = load(path);
  ASSERT_TRUE(model);
  if (!is_bf16 || device == "cpu")
    expect_logits(model, prompts_of(*file, "logits", n), ways, is_bf16 ? kLibraryInBf16 : kF32, "logits");
  if (is_bf16)
    expect_logits(model, prompts_of(*file, "logits_fp32", n), ways, in_bf16 ? kDeviceInBf16 : kF32, "logits_fp32");
}

}  // namespace hearth::golden
