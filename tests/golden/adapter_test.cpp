// Golden adapters: a base with an adapter answers as PEFT's merged model does, whatever kind of file the base is.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/files.h"
#include "base/json.h"
#include "inference/logits.h"
#include "model_store/formats/adapters/adapter.h"
#include "model_store/formats/gguf.h"
#include "model_store/formats/safetensors.h"
#include "model_store/formats/save.h"

namespace hearth::adapter_test {
namespace {
namespace fs = std::filesystem;

const fs::path kGolden = fs::path(HEARTH_SOURCE_DIR) / "tests/golden";

std::vector<std::string> cases() {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(kGolden / "adapters"))
    if (entry.is_directory()) out.push_back(entry.path().filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

// Largest |error| relative to the largest logit.
double error_of(const LoadedModel& model, const TensorFile& expected) {
  const StoredTensor *ids = *expected.require("ids"), *logits = *expected.require("logits");
  const auto* first = reinterpret_cast<const int32_t*>(ids->bytes.data());
  auto got = whole_logits(model, {first, static_cast<size_t>(ids->shape[0])}, 2);
  if (!got) ADD_FAILURE() << got.error().to_string();
  if (!got) return INFINITY;
  const auto* wanted = reinterpret_cast<const float*>(logits->bytes.data());
  double worst = 0, largest = 0;
  for (int64_t i = 0; i < got->type().shape.n_elements(); ++i) {
    const double difference = std::abs(static_cast<double>(got->f32()[i]) - wanted[i]);
    worst = std::isfinite(difference) ? std::max(worst, difference) : INFINITY;
    largest = std::max(largest, std::abs(static_cast<double>(wanted[i])));
  }
  return worst / largest;
}

class Golden : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    for (const char* name : {"adapter_config.json", "adapter_model.safetensors"})
      fs::copy_file(from_ / name, folder_.path() / name);
  }
  Result<LoadedModel> load_on(const fs::path& base) const {
    TRY(link_base(folder_.path(), base));
    return load_model(folder_.path());
  }
  const fs::path from_ = kGolden / "adapters" / GetParam();
  const TempFolder folder_ = *TempFolder::create("adapter_test");
  const std::string base_ = (*parse_json(*read_file(from_ / "case.json")))["base"];
  const TensorFile expected_ = *open_safetensors(from_ / "expected.safetensors");
  const double tolerance_ = base_.ends_with("bf16") ? 2e-2 : 1e-4;
};

TEST_P(Golden, AnswersAsPeft) {
  auto model = load_on(kGolden / base_);
  ASSERT_TRUE(model) << model.error().to_string();
  EXPECT_LE(error_of(*model, expected_), tolerance_);
  auto base = load_model(kGolden / base_);
  ASSERT_TRUE(base);
  EXPECT_GT(error_of(*base, expected_), 3 * tolerance_) << "the adapter changes nothing";
}

// An output matrix that the adapter parts from the embedding counts, too.
TEST_P(Golden, ItsSizeIsKnownFromHeads) {
  auto model = load_on(kGolden / base_);
  auto heads = check_weights(folder_.path());
  ASSERT_TRUE(model && heads) << heads.error().to_string();
  EXPECT_EQ(heads->size_bytes, model->size_bytes);
  ASSERT_EQ(heads->weights.size(), model->weights.size());
  for (const auto& [role, view] : model->weights)
    EXPECT_EQ(heads->weights.at(role).type.bytes(), view.type.bytes()) << role;
}

TEST_P(Golden, AnswersAsPeftOnAGgufBase) {
  const fs::path base = kGolden / base_ / "model-F32.gguf";
  if (!fs::exists(base)) GTEST_SKIP() << base_ << " has no GGUF file";
  auto model = load_on(base);
  ASSERT_TRUE(model) << model.error().to_string();
  EXPECT_LE(error_of(*model, expected_), tolerance_);
}

TEST_P(Golden, SavedMergedItAnswersTheSame) {
  auto model = load_on(kGolden / base_);
  ASSERT_TRUE(model) << model.error().to_string();
  auto saved =
      save_hf_folder(folder_.path() / "merged", {model->config, model->weights, model->generation}, std::nullopt);
  ASSERT_TRUE(saved) << saved.error().to_string();
  auto merged = load_model(folder_.path() / "merged");
  ASSERT_TRUE(merged) << merged.error().to_string();
  EXPECT_LE(error_of(*merged, expected_), tolerance_);
}

// "<tensor>": alpha / rank * B A of each tensor of an adapter's .gguf.
std::map<std::string, std::vector<float>> changes_in(const GgufFile& file) {
  std::map<std::string, std::vector<float>> out;
  const double alpha = *file.number_or("adapter.lora.alpha", 0);
  for (const StoredTensor& b : file.tensors().tensors()) {
    if (!b.name.ends_with(".lora_b")) continue;
    const std::string name = b.name.substr(0, b.name.size() - 7);
    const StoredTensor& a = **file.tensors().require(name + ".lora_a");
    const auto *x = reinterpret_cast<const float*>(a.bytes.data()), *y = reinterpret_cast<const float*>(b.bytes.data());
    const int64_t rank = a.shape[0], n_in = a.shape[1], n_out = b.shape[0];
    std::vector<float>& change = out[name] = std::vector<float>(static_cast<size_t>(n_out * n_in));
    for (int64_t o = 0; o < n_out; ++o)
      for (int64_t i = 0; i < n_in; ++i)
        for (int64_t r = 0; r < rank; ++r)
          change[static_cast<size_t>(o * n_in + i)] +=
              static_cast<float>(alpha / static_cast<double>(rank)) * y[o * rank + r] * x[r * n_in + i];
  }
  return out;
}

TEST_P(Golden, AsGgufItChangesWhatTheConvertersFileDoes) {
  if (!fs::exists(from_ / "by_converter.gguf")) GTEST_SKIP() << "not converted";
  const ModelConfig config = *load_config(kGolden / base_);
  auto saved = save_gguf_adapter(folder_.path() / "a.gguf", config, *read_adapter(folder_.path(), config));
  ASSERT_TRUE(saved) << saved.error().to_string();
  auto ours = GgufFile::open(folder_.path() / "a.gguf"), theirs = GgufFile::open(from_ / "by_converter.gguf");
  ASSERT_TRUE(ours && theirs);
  for (const char* key : {"general.architecture", "general.type", "adapter.type"})
    EXPECT_EQ(*ours->string_or(key, ""), *theirs->string_or(key, "none")) << key;
  const auto got = changes_in(*ours), wanted = changes_in(*theirs);
  ASSERT_EQ(got.size(), wanted.size());
  for (const auto& [name, change] : wanted) {
    ASSERT_TRUE(got.contains(name)) << name;
    ASSERT_EQ(got.at(name).size(), change.size()) << name;
    for (size_t i = 0; i < change.size(); ++i) ASSERT_NEAR(got.at(name)[i], change[i], 1e-5) << name << " at " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Adapters, Golden, testing::ValuesIn(cases()), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace hearth::adapter_test
