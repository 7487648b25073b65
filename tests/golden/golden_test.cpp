// Every golden checkpoint: our logits against those of the transformers library, whole and through the cache; tokenizer
// and chat template where the case has one; GGUF files of every kind.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/files.h"
#include "base/json.h"
#include "inference/logits.h"
#include "model_store/formats/load.h"
#include "model_store/formats/safetensors.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> cases() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(fs::path(HEARTH_SOURCE_DIR) / "tests/golden"))
    if (fs::exists(entry.path() / "case.json")) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

Json read_json(const fs::path& path) {
  return *parse_json(*read_file(path));
}

std::shared_ptr<const LoadedModel> load(const fs::path& path) {
  auto model = load_model(path);
  if (!model) ADD_FAILURE() << model.error().to_string();
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

// Whole, and through the cache in odd chunks with single-token steps at the end.
void expect_logits(std::shared_ptr<const LoadedModel> model, const TensorFile& file, const std::string& ids_name,
                   const std::string& logits_name, double tolerance) {
  const TensorView ids_view = tensor(file, ids_name), expected = tensor(file, logits_name);
  const std::span<const int32_t> ids(ids_view.i32(), static_cast<size_t>(ids_view.dim(0)));
  auto whole = whole_logits(*model, ids, 2);
  ASSERT_TRUE(whole) << whole.error().to_string();
  const double whole_error = max_difference(*whole, expected);
  EXPECT_LE(whole_error, tolerance) << logits_name << " whole";
  auto served = served_logits(model, ids, 5, 3, Dtype::f32, 2);
  ASSERT_TRUE(served) << served.error().to_string();
  const double served_error = max_difference(*served, expected);
  EXPECT_LE(served_error, tolerance) << logits_name << " through the cache";
  std::printf("    %-16s max |error| %.2e whole, %.2e through the cache (allowed %.0e)\n", logits_name.c_str(),
              whole_error, served_error, tolerance);
}

class Golden : public testing::TestWithParam<fs::path> {};

TEST_P(Golden, LogitsEqualTransformers) {
  const Json description = read_json(GetParam() / "case.json");
  const bool is_bf16 = description["dtype"] == "bfloat16";
  auto file = open_safetensors(GetParam() / "expected_logits.safetensors");
  ASSERT_TRUE(file) << file.error().to_string();
  const auto model = load(GetParam());
  for (int i = 0; i < description["n_prompts"].get<int>(); ++i) {
    const std::string ids = fmt::format("ids_{}", i);
    expect_logits(model, *file, ids, fmt::format("logits_{}", i), is_bf16 ? 2e-2 : 1e-4);
    if (is_bf16) expect_logits(model, *file, ids, fmt::format("logits_fp32_{}", i), 1e-4);
  }
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
    for (int i = 0; i < 2; ++i)
      expect_logits(model, *file, fmt::format("ids_{}", i), fmt::format("logits_{}", i), 1e-4);
  }
}

TEST_P(Golden, TokenizerAndTemplate) {
  if (!fs::exists(GetParam() / "expected_tokens.json")) GTEST_SKIP() << "this case has no tokenizer";
  const Json expected = read_json(GetParam() / "expected_tokens.json");
  const auto model = load(GetParam());
  ASSERT_TRUE(model->tokenizer);
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
