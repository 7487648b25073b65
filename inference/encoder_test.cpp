// Encoders against the transformers library: every row of an embedder, every score of a reranker; alone and together.
#include "inference/encoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/files.h"
#include "base/json.h"
#include "inference/golden_models.h"
#include "inference/step_runner.h"
#include "model_store/formats/safetensors.h"

namespace hearth::encoder_test {
namespace {
namespace fs = std::filesystem;

struct Case {
  std::unique_ptr<Encoder> encoder;
  std::vector<EncoderText> texts;  // the second half of each is of type 1
  std::vector<Tensor> expected;
  double largest = 0;
};

fs::path golden(const std::string& name) {
  return fs::path(HEARTH_SOURCE_DIR) / "tests/golden" / name;
}

Case load_case(const fs::path& path, const fs::path& expectations, const std::string& what) {
  Case out;
  auto model = load_model(path);
  EXPECT_TRUE(model) << model.error().to_string();
  auto encoder = Encoder::create(std::make_shared<const LoadedModel>(std::move(*model)), 2);
  EXPECT_TRUE(encoder) << encoder.error().to_string();
  out.encoder = std::move(*encoder);
  auto file = open_safetensors(expectations);
  EXPECT_TRUE(file) << file.error().to_string();
  for (int i = 0; file->find(fmt::format("ids_{}", i)); ++i) {
    const StoredTensor &ids = *file->find(fmt::format("ids_{}", i)), &want = *file->find(fmt::format("{}_{}", what, i));
    EncoderText text;
    const auto* begin = reinterpret_cast<const int32_t*>(ids.bytes.data());
    text.ids.assign(begin, begin + ids.n_elements());
    for (size_t t = 0; t < text.ids.size(); ++t) text.types.push_back(t >= (text.ids.size() + 1) / 2);
    out.texts.push_back(std::move(text));
    Tensor expected({Dtype::f32, {want.shape[0], want.shape[1]}});
    std::memcpy(expected.f32(), want.bytes.data(), want.bytes.size());
    for (int64_t k = 0; k < expected.type().shape.n_elements(); ++k)
      out.largest = std::max(out.largest, std::fabs(static_cast<double>(expected.f32()[k])));
    out.expected.push_back(std::move(expected));
  }
  EXPECT_GE(out.texts.size(), 2u);
  return out;
}

double worst_error(const Tensor& got, const Tensor& want) {
  EXPECT_EQ(got.type().shape, want.type().shape);
  double worst = 0;
  for (int64_t i = 0; i < want.type().shape.n_elements(); ++i)
    worst = std::max(worst, std::fabs(static_cast<double>(got.f32()[i]) - want.f32()[i]));
  return worst;
}

void expect_rows(Case c, double tolerance) {
  auto together = c.encoder->hidden(c.texts);
  ASSERT_TRUE(together) << together.error().to_string();
  ASSERT_EQ(together->size(), c.texts.size());
  for (size_t i = 0; i < c.texts.size(); ++i) {
    auto alone = c.encoder->hidden({&c.texts[i], 1});
    ASSERT_TRUE(alone);
    EXPECT_LE(worst_error((*alone)[0], c.expected[i]), tolerance * c.largest) << i << " alone";
    EXPECT_LE(worst_error((*together)[i], c.expected[i]), tolerance * c.largest) << i << " together";
  }
}

TEST(Encoder, RowsEqualTransformers) {
  const fs::path fp32 = golden("bert_fp32"), bf16 = golden("bert_bf16");
  expect_rows(load_case(fp32, fp32 / "expected_logits.safetensors", "logits"), 1e-4);
  expect_rows(load_case(bf16, bf16 / "expected_logits.safetensors", "logits"), 2e-2);
  expect_rows(load_case(bf16, bf16 / "expected_logits.safetensors", "logits_fp32"), 1e-4);
}

TEST(Encoder, GgufRowsEqualTransformers) {
  const fs::path folder = golden("bert_fp32");
  Case c = load_case(folder / "model-F16.gguf", folder / "expected_logits-F16.safetensors", "logits");
  EXPECT_EQ(c.encoder->model().config.encoder.pooling, Pooling::first);
  expect_rows(std::move(c), 1e-4);
}

TEST(Encoder, ScoresEqualTransformers) {
  for (auto [name, what, tolerance] :
       {std::tuple{"bert_reranker_fp32", "logits", 1e-4}, {"bert_reranker_bf16", "logits", 2e-2}}) {
    Case c = load_case(golden(name), golden(name) / "expected_logits.safetensors", what);
    auto together = c.encoder->score(c.texts);
    ASSERT_TRUE(together) << together.error().to_string();
    for (size_t i = 0; i < c.texts.size(); ++i) {
      const float alone = (*c.encoder->score({&c.texts[i], 1}))[0], want = c.expected[i].f32()[0];
      EXPECT_NEAR(alone, want, tolerance * c.largest) << name;
      EXPECT_NEAR((*together)[i], want, tolerance * c.largest) << name;
    }
  }
}

TEST(Encoder, VectorsAreMeansOfLengthOne) {
  Case c = load_case(golden("bert_fp32"), golden("bert_fp32") / "expected_logits.safetensors", "logits");
  auto vectors = c.encoder->embed(c.texts);
  ASSERT_TRUE(vectors);
  const Tensor& rows = c.expected[1];
  const int64_t n = rows.type().shape[0], C = rows.type().shape[1];
  std::vector<double> mean(static_cast<size_t>(C), 0);
  double squares = 0;
  for (int64_t i = 0; i < C; ++i) {
    for (int64_t t = 0; t < n; ++t) mean[static_cast<size_t>(i)] += rows.f32()[t * C + i] / static_cast<double>(n);
    squares += mean[static_cast<size_t>(i)] * mean[static_cast<size_t>(i)];
  }
  for (int64_t i = 0; i < C; ++i)
    EXPECT_NEAR((*vectors)[1][static_cast<size_t>(i)], mean[static_cast<size_t>(i)] / std::sqrt(squares), 1e-4);
}

TEST(Encoder, ComputesOnADeviceWhatTheHostComputes) {
  for (const char* name : {"bert_fp32", "bert_reranker_fp32"}) {
    SCOPED_TRACE(name);
    const Case c = load_case(golden(name), golden(name) / "expected_logits.safetensors", "logits");
    auto device = Encoder::create(load_golden(name), 1, "emulated");
    ASSERT_TRUE(device) << device.error().to_string();
    EXPECT_EQ((*device)->device().name, "emulated");
    if (c.encoder->task() == ModelTask::rerank) {
      const std::vector<float> got = *(*device)->score(c.texts), want = *c.encoder->score(c.texts);
      for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-4 * c.largest);
      continue;
    }
    const auto got = *(*device)->hidden(c.texts);
    for (size_t i = 0; i < got.size(); ++i) EXPECT_LE(worst_error(got[i], c.expected[i]), 1e-4 * c.largest) << i;
  }
}

TEST(Encoder, ADeviceIsThatOneOrAnErrorAndAnyEndsOnTheHost) {
  EXPECT_EQ(Encoder::create(load_golden("bert_fp32"), 1, "gpu").error().code, Code::invalid_argument);
  EXPECT_EQ(Encoder::create(load_golden("bert_fp32"), 1, "cuda:99").error().code, Code::failed_precondition);
  std::string reason;
  if (!devices_to_try(reason).empty()) GTEST_SKIP() << "this box has an accelerator";
  const auto any = Encoder::create(load_golden("bert_fp32"), 1, "auto");
  ASSERT_TRUE(any) << any.error().to_string();
  EXPECT_EQ((*any)->device().name, "cpu");
  EXPECT_EQ((*any)->device().reason, reason);
}

TEST(Encoder, RefusesWhatItCannotDo) {
  Case c = load_case(golden("bert_fp32"), golden("bert_fp32") / "expected_logits.safetensors", "logits");
  EXPECT_EQ(c.encoder->score(c.texts).error().code, Code::failed_precondition);
  EXPECT_EQ(c.encoder->embed({}).error().code, Code::invalid_argument);
  const EncoderText long_text{std::vector<int32_t>(65, 5), {}}, odd_id{{64}, {}}, odd_type{{5}, {2}};
  for (const EncoderText* text : {&long_text, &odd_id, &odd_type})
    EXPECT_EQ(c.encoder->embed({text, 1}).error().code, Code::invalid_argument);
  auto writer = load_model(golden("head_dim_fp32"));
  EXPECT_EQ(Encoder::create(std::make_shared<const LoadedModel>(std::move(*writer)), 1).error().code,
            Code::failed_precondition);
  auto reader = load_model(golden("bert_fp32"));
  EXPECT_EQ(StepRunner::create(std::make_shared<const LoadedModel>(std::move(*reader)), {.n_threads = 1}).error().code,
            Code::failed_precondition);
}

}  // namespace
}  // namespace hearth::encoder_test
