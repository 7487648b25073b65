// See golden_engine.h.
#include "tests/golden/golden_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "base/files.h"
#include "inference/host_difference.h"
#include "inference/logits.h"
#include "inference/step_runner.h"

namespace hearth::golden {
namespace {

constexpr double kF32 = 1e-4, kInBf16 = 2e-2;

TensorView tensor(const TensorFile& file, const std::string& name) {
  auto found = file.require(name);
  if (!found) ADD_FAILURE() << found.error().to_string();
  const StoredTensor& stored = **found;
  TensorView view{{*stored.dtype, {}}, const_cast<std::byte*>(stored.bytes.data())};
  for (int64_t dim : stored.shape) view.type.shape.append(dim);
  return view;
}

double largest_of(const TensorView& t) {
  double out = 0;
  for (int64_t i = 0; i < t.shape().n_elements(); ++i) out = std::max(out, std::fabs(static_cast<double>(t.f32()[i])));
  return out;
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

// Of each token: how far its logits are off, their largest error and that of all together, relative to themselves.
struct RowErrors {
  std::vector<double> largest, together;
};

void add_rows(const Tensor& got, const TensorView& expected, RowErrors& out) {
  EXPECT_EQ(got.type().shape, expected.type.shape);
  const auto V = static_cast<size_t>(expected.dim(1));
  for (int64_t t = 0; t < expected.dim(0); ++t) {
    const auto *row = static_cast<const float*>(got.view().row(t)), *want = static_cast<const float*>(expected.row(t));
    double largest = 0;
    for (size_t v = 0; v < V; ++v) {
      const double error = std::fabs(static_cast<double>(row[v]) - want[v]);
      largest = std::isfinite(error) ? std::max(largest, error) : INFINITY;
    }
    out.largest.push_back(largest);
    out.together.push_back(relative_difference({row, V}, {want, V}));
  }
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
  const auto shortest = std::ranges::min_element(prompts, {}, [](const Prompt& prompt) { return prompt.ids.size(); });
  for (const Prompt& prompt : prompts) {
    largest = std::max(largest, largest_of(prompt.logits));
    auto whole = logits->of(prompt.ids);
    ASSERT_TRUE(whole) << whole.error().to_string();
    worst.whole = std::max(worst.whole, max_difference(*whole, prompt.logits));
    const int max_seq_len = ways.by_length ? static_cast<int>(prompt.ids.size()) : 0;
    keep_worst(worst.chunks, serve(model, {&prompt, 1}, 5, max_seq_len, ways.device), {&prompt, 1});
    if (ways.device == "cpu" || &prompt == &*shortest)
      keep_worst(worst.steps, serve(model, {&prompt, 1}, 1, max_seq_len, ways.device), {&prompt, 1});
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

// In bf16 a token's logits are near those of f32, by the measure of the CPU's, but where it, or one before it, found a
// near-tie; the one in the middle also as a whole.
void expect_rows(const std::shared_ptr<const LoadedModel>& model, const std::vector<Prompt>& prompts, const Ways& ways,
                 double tolerance, int n_far_rows) {
  std::map<std::string, RowErrors> errors;
  double largest = 0;
  auto logits = SequenceLogits::create(*model, {2, ways.device});
  ASSERT_TRUE(logits) << logits.error().to_string();
  const auto keep = [&](const char* way, const Tensor& got, const Prompt& prompt) {
    add_rows(got, prompt.logits, errors[way]);
  };
  for (const Prompt& prompt : prompts) {
    largest = std::max(largest, largest_of(prompt.logits));
    const auto whole = logits->of(prompt.ids);
    ASSERT_TRUE(whole) << whole.error().to_string();
    keep("whole", *whole, prompt);
    if (!ways.by_length) continue;
    const auto served = serve(model, {&prompt, 1}, 7, static_cast<int>(prompt.ids.size()), ways.device);
    ASSERT_TRUE(served) << served.error().to_string();
    keep("served", (*served)[0], prompt);
  }
  if (!ways.by_length) {
    const auto served = serve(model, prompts, 7, 0, ways.device);
    ASSERT_TRUE(served) << served.error().to_string();
    for (size_t i = 0; i < prompts.size(); ++i) keep("served", (*served)[i], prompts[i]);
  }
  for (auto& [way, rows] : errors) {
    const auto n_far = std::ranges::count_if(rows.largest, [&](double error) { return error > tolerance * largest; });
    const double worst = *std::ranges::max_element(rows.largest) / largest;
    std::ranges::sort(rows.together);
    const double middle = rows.together[rows.together.size() / 2];
    std::printf("    %-7s max |error| %.1e of the largest logit, %td of %zu tokens are far; the middle one by %.1e\n",
                way.c_str(), worst, n_far, rows.largest.size(), middle);
    EXPECT_LE(n_far, n_far_rows) << way;
    EXPECT_LE(middle, tolerance) << way;
  }
}

void expect_logits_of_case(const fs::path& path, const std::string& device, int n_far_rows) {
  const Json description = read_json(path / "case.json");
  const bool in_bf16 = device.ends_with(":bf16");
  const Ways ways{device, description.value("by_length", false)};
  const bool is_bf16 = description["dtype"] == "bfloat16";
  const int n = description["n_prompts"].get<int>();
  auto file = open_safetensors(path / "expected_logits.safetensors");
  ASSERT_TRUE(file) << file.error().to_string();
  const auto model = load(path);
  ASSERT_TRUE(model);
  const std::string in_f32 = is_bf16 ? "logits_fp32" : "logits";
  if (in_bf16) return expect_rows(model, prompts_of(*file, in_f32, n), ways, kInBf16, n_far_rows);
  expect_logits(model, prompts_of(*file, in_f32, n), ways, kF32, in_f32);
  if (is_bf16 && device == "cpu") expect_logits(model, prompts_of(*file, "logits", n), ways, kInBf16, "logits");
}

}  // namespace hearth::golden
