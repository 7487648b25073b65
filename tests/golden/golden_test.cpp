// Every golden checkpoint: our logits against those of the transformers library, whole, through the cache and in
// batches; tokenizer and chat template where the case has one; GGUF files of every kind.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "base/files.h"
#include "base/json.h"
#include "inference/logits.h"
#include "inference/step_runner.h"
#include "model_store/formats/load.h"
#include "model_store/formats/safetensors.h"
#include "runtime/architectures/model_graphs.h"
#include "runtime/graph/rewrites.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

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

// What a case expects of one prompt.
struct Prompt {
  std::vector<int32_t> ids;
  TensorView logits;
};

std::vector<Prompt> prompts_of(const TensorFile& file, const std::string& logits_name, int n) {
  std::vector<Prompt> out;
  for (int i = 0; i < n; ++i) {
    const TensorView ids = tensor(file, fmt::format("ids_{}", i));
    out.push_back({{ids.i32(), ids.i32() + ids.dim(0)}, tensor(file, fmt::format("{}_{}", logits_name, i))});
  }
  return out;
}

// Logits of all prompts, each in its own slot of one engine: every step takes up to `chunk` tokens of each that is not
// done, so that lengths are unequal and steps mix long and short contexts.
Result<std::vector<Tensor>> serve(const std::shared_ptr<const LoadedModel>& model, std::span<const Prompt> prompts,
                                  int chunk, int max_seq_len) {
  const auto runner = TRY(StepRunner::create(model, {.n_threads = 2,
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

// `by_length`: the model computes differently for sequences beyond some length, so each is served by an engine of its
// own length, and there is no batch.
void expect_logits(const std::shared_ptr<const LoadedModel>& model, const std::vector<Prompt>& prompts, bool by_length,
                   double tolerance, const std::string& name) {
  Errors worst;
  double largest = 0;
  for (const Prompt& prompt : prompts) {
    for (int64_t i = 0; i < prompt.logits.shape().n_elements(); ++i)
      largest = std::max(largest, std::fabs(static_cast<double>(prompt.logits.f32()[i])));
    auto whole = whole_logits(*model, prompt.ids, 2);
    ASSERT_TRUE(whole) << whole.error().to_string();
    worst.whole = std::max(worst.whole, max_difference(*whole, prompt.logits));
    const int max_seq_len = by_length ? static_cast<int>(prompt.ids.size()) : 0;
    keep_worst(worst.chunks, serve(model, {&prompt, 1}, 5, max_seq_len), {&prompt, 1});
    keep_worst(worst.steps, serve(model, {&prompt, 1}, 1, max_seq_len), {&prompt, 1});
  }
  if (!by_length) keep_worst(worst.batch, serve(model, prompts, 7, 0), prompts);
  std::printf("    %-12s max |error| %.1e whole, %.1e in chunks, %.1e by token, %.1e in a batch (allowed %.1e)\n",
              name.c_str(), worst.whole, worst.chunks, worst.steps, worst.batch, tolerance * largest);
  for (const double error : {worst.whole, worst.chunks, worst.steps, worst.batch})
    EXPECT_LE(error, tolerance * largest) << name;
}

class Golden : public testing::TestWithParam<fs::path> {};

TEST_P(Golden, LogitsEqualTransformers) {
  const Json description = read_json(GetParam() / "case.json");
  const bool is_bf16 = description["dtype"] == "bfloat16", by_length = description.value("by_length", false);
  const int n = description["n_prompts"].get<int>();
  auto file = open_safetensors(GetParam() / "expected_logits.safetensors");
  ASSERT_TRUE(file) << file.error().to_string();
  const auto model = load(GetParam());
  ASSERT_TRUE(model);
  expect_logits(model, prompts_of(*file, "logits", n), by_length, is_bf16 ? 2e-2 : 1e-4, "logits");
  if (is_bf16) expect_logits(model, prompts_of(*file, "logits_fp32", n), by_length, 1e-4, "logits_fp32");
}

TEST_P(Golden, GgufFilesEqualTheirDequantisedWeights) {
  const Json description = read_json(GetParam() / "case.json");
  if (!description.contains("gguf") || description["gguf"].empty()) GTEST_SKIP() << "this case has no GGUF files";
  for (const Json& kind : description["gguf"]) {
    const std::string name = kind.get<std::string>();
    SCOPED_TRACE(name);
    auto file = open_safetensors(GetParam() / ("expected_logits-" + name + ".safetensors"));
    ASSERT_TRUE(file) << file.error().to_string();
    const auto model = load(GetParam() / ("model-" + name + ".gguf"));
    ASSERT_TRUE(model);
    expect_logits(model, prompts_of(*file, "logits", 2), description.value("by_length", false), 1e-4, name);
  }
}

// Every family can be fine-tuned: a gradient reaches each of its parameters.
TEST_P(Golden, GradientsReachEveryParameter) {
  const auto model = load(GetParam());
  ASSERT_TRUE(model);
  auto training = build_training_graph(model->config, [](const ParameterSpec&) { return Dtype::f32; }, 16, {});
  ASSERT_TRUE(training) << training.error().to_string();
  std::vector<Value> parameters;
  for (const ParameterSpec& spec : model->parameters) parameters.push_back(training->graph.find(spec.role));
  auto gradients = differentiate(training->graph, training->loss, parameters);
  ASSERT_TRUE(gradients) << gradients.error().to_string();
  for (size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_TRUE(parameters[i]) << model->parameters[i].role << " is declared but not used";
    if (model->parameters[i].kind != ParameterKind::constant)  // which nothing trains
      EXPECT_TRUE(gradients->grads[i]) << model->parameters[i].role;
  }
}

TEST_P(Golden, TokenizerAndTemplate) {
  if (!fs::exists(GetParam() / "expected_tokens.json")) GTEST_SKIP() << "this case has no tokenizer";
  const Json expected = read_json(GetParam() / "expected_tokens.json");
  const auto model = load(GetParam());
  ASSERT_TRUE(model && model->tokenizer);
  for (const Json& item : expected["encode"]) {
    const std::string text = item["text"];
    EXPECT_EQ(*model->tokenizer->encode(text), item["ids"].get<std::vector<int32_t>>()) << text;
    EXPECT_EQ(*model->tokenizer->encode(text, {.add_special = false}),
              item["ids_no_special"].get<std::vector<int32_t>>())
        << text;
  }
  for (const Json& item : expected["chat"]) {
    auto rendered = render_chat(*model, {.messages_json = item["messages"].dump()});
    ASSERT_TRUE(rendered) << rendered.error().to_string();
    EXPECT_EQ(rendered->text, item["text"].get<std::string>());
    EXPECT_EQ(*model->tokenizer->encode(rendered->text, {.add_special = false}),
              item["ids"].get<std::vector<int32_t>>());
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, testing::ValuesIn(cases()),
                         [](const testing::TestParamInfo<fs::path>& info) { return info.param.filename().string(); });

}  // namespace
}  // namespace hearth
