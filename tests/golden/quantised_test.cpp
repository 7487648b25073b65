// A tiny model in every quantisation of GGUF: written, read, and its logits against a float run on the very weights
// that the blocks stand for. (That blocks stand for what gguf-py makes of them is codecs_test's business.)
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/files.h"
#include "inference/logits.h"
#include "inference/step_runner.h"
#include "model_store/formats/gguf.h"
#include "model_store/formats/gguf_split.h"
#include "model_store/formats/save.h"
#include "runtime/ops/rules.h"

namespace hearth::quantised_test {
namespace {

namespace fs = std::filesystem;

// Rows of 256 elements: one block of the largest kind.
ModelConfig tiny_config() {
  ModelConfig c;
  c.n_layers = 1, c.d_model = 256, c.n_heads = 4, c.n_kv_heads = 2, c.head_dim = 64, c.d_ff = 256, c.vocab_size = 96;
  c.max_seq_len = 64;
  return c;
}

struct TinyModel {
  ModelToSave to_save;
  std::vector<Tensor> keeper;
};

TinyModel tiny_model(Dtype dtype) {
  TinyModel out;
  out.to_save.config = tiny_config();
  uint32_t seed = 1;
  for (const ParameterSpec& spec : (*find_architecture("llama"))->parameters(out.to_save.config)) {
    const bool is_norm = spec.kind == ParameterKind::norm;
    Tensor weight = is_norm ? random_tensor(spec.shape, seed, 0.5f) : random_weights(dtype, spec.shape, seed, 0.1f);
    for (int64_t i = 0; is_norm && i < spec.shape.n_elements(); ++i) weight.f32()[i] += 1;
    out.to_save.weights.emplace(spec.role, weight.view());
    out.keeper.push_back(std::move(weight));
    ++seed;
  }
  return out;
}

std::shared_ptr<const LoadedModel> load(const fs::path& path) {
  auto model = load_model(path);
  if (!model) ADD_FAILURE() << model.error().to_string();
  return std::make_shared<const LoadedModel>(model ? *std::move(model) : LoadedModel());
}

// The same model with every weight as floats.
std::shared_ptr<const LoadedModel> in_float(const LoadedModel& model, std::vector<Tensor>& keeper) {
  auto out = std::make_shared<LoadedModel>();
  out->config = model.config;
  out->parameters = model.parameters;
  for (const auto& [role, view] : model.weights) {
    keeper.push_back(to_f32(view));
    out->weights.emplace(role, keeper.back().view());
  }
  return out;
}

double largest(const Tensor& a) {
  double out = 0;
  for (int64_t i = 0; i < a.type().shape.n_elements(); ++i) out = std::max(out, std::fabs(double{a.f32()[i]}));
  return out;
}
double largest_difference(const Tensor& a, const Tensor& b) {
  double out = 0;
  for (int64_t i = 0; i < a.type().shape.n_elements(); ++i) {
    const double difference = std::fabs(double{a.f32()[i]} - b.f32()[i]);
    out = std::isfinite(difference) ? std::max(out, difference) : INFINITY;
  }
  return out;
}

// Through the cache: chunks of five tokens, then one at a time.
Result<Tensor> served(const std::shared_ptr<const LoadedModel>& model, std::span<const int32_t> ids) {
  const auto runner = TRY(StepRunner::create(model, {.n_threads = 2,
                                                     .max_seq_len = model->config.max_seq_len,
                                                     .n_slots = 1,
                                                     .cache_dtype = Dtype::f32,
                                                     .exact = true}));
  Tensor out({Dtype::f32, {static_cast<int64_t>(ids.size()), model->config.vocab_size}});
  for (size_t done = 0; done < ids.size();) {
    const size_t n = done + 8 < ids.size() ? 5 : 1;
    std::vector<StepToken> tokens;
    for (size_t i = done; i < done + n; ++i) tokens.push_back({ids[i], static_cast<int>(i), 0, true});
    const TensorView logits = TRY(runner->run(tokens));
    std::memcpy(out.view().row(static_cast<int64_t>(done)), logits.data, static_cast<size_t>(logits.type.bytes()));
    done += n;
  }
  return out;
}

constexpr int32_t kPrompt[] = {1, 17, 60, 33, 2, 95, 4, 4, 80, 21, 9, 50};

std::vector<Dtype> gguf_dtypes() {
  std::vector<Dtype> out;
  for (Dtype dtype : weight_dtypes())
    if (dtype_info(dtype).gguf >= 0) out.push_back(dtype);
  return out;
}

class Quantised : public testing::TestWithParam<Dtype> {};

TEST_P(Quantised, KeptToTheBitAndComputedAsItsFloats) {
  auto temporary = TempFolder::create("quantised_test");
  const fs::path file = temporary->path() / "m.gguf";
  const TinyModel made = tiny_model(GetParam());
  const auto saved = save_gguf(file, made.to_save, std::nullopt);
  ASSERT_TRUE(saved) << saved.error().to_string();
  const auto model = load(file);
  for (const auto& [role, view] : made.to_save.weights) {
    const TensorView& back = model->weights.at(role);
    ASSERT_EQ(back.type, view.type) << role;
    EXPECT_EQ(std::memcmp(back.data, view.data, static_cast<size_t>(view.type.bytes())), 0) << role;
  }
  std::vector<Tensor> keeper;
  const auto floats = in_float(*model, keeper);
  auto expected = whole_logits(*floats, kPrompt, 2);
  ASSERT_TRUE(expected) << expected.error().to_string();
  const double allowed = 5e-3 * largest(*expected);
  auto whole = whole_logits(*model, kPrompt, 2);
  auto cached = served(model, kPrompt);
  ASSERT_TRUE(whole && cached);
  EXPECT_GT(largest(*expected), 0.1);
  EXPECT_LE(largest_difference(*whole, *expected), allowed);
  EXPECT_LE(largest_difference(*cached, *expected), allowed);
  std::printf("    largest logit %.2f, differences %.1e whole, %.1e through the cache\n", largest(*expected),
              largest_difference(*whole, *expected), largest_difference(*cached, *expected));
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Quantised, testing::ValuesIn(gguf_dtypes()),
                         [](const testing::TestParamInfo<Dtype>& info) { return dtype_info(info.param).name; });

TEST(QuantisedFiles, MixKeepsTheOuterLayersBetter) {
  auto temporary = TempFolder::create("quantised_test");
  const fs::path path = temporary->path() / "m.gguf";
  const TinyModel made = tiny_model(Dtype::f32);
  ASSERT_TRUE(save_gguf(path, made.to_save, Dtype::q4_k));
  auto file = GgufFile::open(path);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->tensors().find("token_embd.weight")->dtype, Dtype::q6_k);
  EXPECT_EQ(file->tensors().find("output.weight")->dtype, Dtype::q6_k);
  EXPECT_EQ(file->tensors().find("blk.0.attn_q.weight")->dtype, Dtype::q4_k);
  EXPECT_EQ(file->tensors().find("blk.0.attn_norm.weight")->dtype, Dtype::f32);
  EXPECT_EQ(*file->integer("general.file_type"), 15);
}

TEST(QuantisedFiles, WhatCannotBeMadeIsRefused) {
  auto temporary = TempFolder::create("quantised_test");
  const TinyModel made = tiny_model(Dtype::f32);
  for (Dtype dtype : {Dtype::iq2_xs, Dtype::f8x128, Dtype::i32}) {
    auto saved = save_gguf(temporary->path() / "m.gguf", made.to_save, dtype);
    ASSERT_FALSE(saved);
    EXPECT_NE(saved.error().to_string().find("q4_k"), std::string::npos) << saved.error().to_string();
  }
}

// ---- split files ----

// The tensors of a file over `count` files, in turn.
void split_file(const fs::path& whole, const fs::path& folder, int count, int claimed_tensors) {
  auto file = GgufFile::open(whole);
  ASSERT_TRUE(file);
  for (int part = 0; part < count; ++part) {
    std::vector<std::pair<std::string, GgufValue>> metadata = {{"split.no", uint32_t(part)},
                                                               {"split.count", uint32_t(count)}};
    if (part == 0) {
      metadata.emplace_back("split.tensors.count", int32_t{claimed_tensors});
      for (const GgufEntry& entry : file->entries()) {
        const std::string key(entry.key);
        if (entry.type == GgufType::string) metadata.emplace_back(key, std::string(*file->string(key)));
        if (entry.type == GgufType::u32) metadata.emplace_back(key, static_cast<uint32_t>(*file->integer(key)));
        if (entry.type == GgufType::f32) metadata.emplace_back(key, static_cast<float>(*file->number(key)));
      }
    }
    std::vector<GgufTensorToWrite> tensors;
    for (size_t i = 0; i < file->tensors().tensors().size(); ++i) {
      const StoredTensor& tensor = file->tensors().tensors()[i];
      if (static_cast<int>(i) % count == part)
        tensors.push_back({tensor.name, *tensor.dtype, tensor.shape,
                           [&tensor]() -> Result<std::span<const std::byte>> { return tensor.bytes; }});
    }
    ASSERT_TRUE(write_gguf(folder / gguf_part_name("m", part, count), metadata, tensors));
  }
}

TEST(SplitGguf, AnyPartOpensTheWholeModel) {
  auto temporary = TempFolder::create("quantised_test");
  const fs::path whole = temporary->path() / "whole.gguf", folder = temporary->path() / "split";
  const TinyModel made = tiny_model(Dtype::q4_k);
  ASSERT_TRUE(save_gguf(whole, made.to_save, std::nullopt));
  fs::create_directory(folder);
  split_file(whole, folder, 3, static_cast<int>(made.to_save.weights.size()));
  EXPECT_EQ(gguf_models_in(folder).size(), 1u);
  for (const fs::path& path : {folder, folder / gguf_part_name("m", 0, 3), folder / gguf_part_name("m", 2, 3)}) {
    const auto model = load(path);
    ASSERT_EQ(model->weights.size(), made.to_save.weights.size());
    for (const auto& [role, view] : made.to_save.weights)
      EXPECT_EQ(std::memcmp(model->weights.at(role).data, view.data, static_cast<size_t>(view.type.bytes())), 0);
  }
  // Renamed, missing, of another split, miscounted: each says what is wrong.
  auto expect_problem = [](const fs::path& path, const char* what) {
    auto file = GgufFile::open(path);
    ASSERT_FALSE(file) << path;
    EXPECT_NE(file.error().to_string().find(what), std::string::npos) << file.error().to_string();
  };
  fs::copy_file(folder / gguf_part_name("m", 0, 3), folder / "renamed.gguf");
  expect_problem(folder / "renamed.gguf", "one of 3 parts");
  fs::rename(folder / gguf_part_name("m", 1, 3), folder / "away");
  expect_problem(folder / gguf_part_name("m", 0, 3), "00002-of-00003");
  fs::copy_file(folder / gguf_part_name("m", 2, 3), folder / gguf_part_name("m", 1, 3));
  expect_problem(folder / gguf_part_name("m", 0, 3), "its name says part 2 of 3");
  fs::rename(folder / "away", folder / gguf_part_name("m", 1, 3));
  split_file(whole, folder, 3, 5);
  expect_problem(folder / gguf_part_name("m", 0, 3), "hold 5 tensors");
}

TEST(SplitGguf, NamesOfParts) {
  const auto part = parse_gguf_part_name("big-model-00002-of-00010.gguf");
  ASSERT_TRUE(part);
  EXPECT_EQ(part->model, "big-model");
  EXPECT_EQ(part->index, 1);
  EXPECT_EQ(part->count, 10);
  for (const char* name : {"m.gguf", "m-00000-of-00002.gguf", "m-00003-of-00002.gguf", "m-0001-of-00002.gguf",
                           "-00001-of-00002.gguf", "m-00001-of-00002.safetensors", "m-0000a-of-00002.gguf"})
    EXPECT_FALSE(parse_gguf_part_name(name)) << name;
}

}  // namespace
}  // namespace hearth::quantised_test
