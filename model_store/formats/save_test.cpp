// Writers: what is saved loads again as the same model.
#include "model_store/formats/save.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/files.h"
#include "base/json.h"
#include "model_store/formats/gguf.h"
#include "model_store/formats/safetensors.h"

namespace hearth::save_test {
namespace {
namespace fs = std::filesystem;

fs::path golden(const std::string& name) {
  return fs::path(HEARTH_SOURCE_DIR) / "tests/golden" / name;
}

LoadedModel load(const fs::path& path) {
  auto model = load_model(path);
  if (!model) ADD_FAILURE() << model.error().to_string();
  return model ? *std::move(model) : LoadedModel();
}

ModelToSave to_save(const LoadedModel& model) {
  return {model.config, model.weights, model.generation, model.path};
}

double largest_difference(const LoadedModel& a, const LoadedModel& b) {
  double out = 0;
  for (const auto& [role, view] : a.weights) {
    Tensor x = to_f32(view), y = to_f32(b.weights.at(role));
    for (int64_t i = 0; i < view.shape().n_elements(); ++i)
      out = std::max(out, static_cast<double>(std::abs(x.f32()[i] - y.f32()[i])));
  }
  return out;
}

// Every golden checkpoint, of every family.
std::vector<std::string> cases() {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(fs::path(HEARTH_SOURCE_DIR) / "tests/golden"))
    if (fs::exists(entry.path() / "case.json")) out.push_back(entry.path().filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

bool is_quantised(const LoadedModel& model) {
  return std::any_of(model.weights.begin(), model.weights.end(),
                     [](const auto& weight) { return dtype_info(weight.second.type.dtype).is_quantised; });
}

TEST(Save, HuggingFaceFolderComesBackTheSame) {
  auto temporary = TempFolder::create("save_test");
  for (const std::string& name : cases()) {
    LoadedModel model = load(golden(name));
    fs::path folder = temporary->path() / name;
    Dtype dtype = model.weights.begin()->second.type.dtype;
    auto saved = save_hf_folder(folder, to_save(model), dtype);
    ASSERT_TRUE(saved) << saved.error().to_string();
    LoadedModel back = load(folder);
    EXPECT_EQ(back.config, model.config) << name;
    EXPECT_EQ(back.generation.eos_ids, model.generation.eos_ids) << name;
    EXPECT_EQ(largest_difference(model, back), 0) << name;
    if (!is_quantised(model)) {
      EXPECT_EQ(back.copied_bytes, model.copied_bytes) << name;
    }
    EXPECT_EQ(back.tokenizer.has_value(), model.tokenizer.has_value()) << name;
    EXPECT_EQ(back.chat_template.has_value(), model.chat_template.has_value()) << name;
  }
}

// What GGUF keeps of a configuration; it has floats where config.json has doubles.
void expect_same_model(const ModelConfig& got, const ModelConfig& want, const std::string& name) {
  EXPECT_EQ(got.layer_kinds, want.layer_kinds) << name;
  EXPECT_EQ(got.layers_without_rope, want.layers_without_rope) << name;
  EXPECT_EQ(got.window, want.window) << name;
  EXPECT_EQ(got.activation, want.activation) << name;
  EXPECT_EQ(got.causal, want.causal) << name;
  EXPECT_EQ(got.max_seq_len, want.max_seq_len) << name;
  EXPECT_EQ(got.tied_embeddings, want.tied_embeddings) << name;
  EXPECT_EQ(got.scale.query_period, want.scale.query_period) << name;
  for (auto [a, b] : {std::pair{got.norm_eps, want.norm_eps},
                      {got.attention_softcap, want.attention_softcap},
                      {got.logit_softcap, want.logit_softcap},
                      {got.scale.embedding, want.scale.embedding},
                      {got.scale.residual, want.scale.residual},
                      {got.scale.attention, want.scale.attention},
                      {got.scale.logits, want.scale.logits},
                      {got.scale.query_beta, want.scale.query_beta}})
    EXPECT_NEAR(a, b, 1e-6 * std::abs(b)) << name;
}

TEST(Save, GgufComesBackTheSameWithVocabulary) {
  int n_saved = 0;
  auto temporary = TempFolder::create("save_test");
  for (const std::string& name : cases()) {
    LoadedModel model = load(golden(name));
    fs::path file = temporary->path() / (name + ".gguf");
    ModelToSave save = to_save(model);
    if (!model.tokenizer) save.tokenizer_from.clear();
    auto saved = save_gguf(file, save, Dtype::f32);
    // Some configurations have no words in GGUF; then that is said, and nothing is written.
    if (!saved && saved.error().code == Code::unimplemented) {
      EXPECT_FALSE(fs::exists(file)) << name;
      continue;
    }
    ASSERT_TRUE(saved) << saved.error().to_string();
    ++n_saved;
    LoadedModel back = load(file);
    EXPECT_EQ(back.config.moe, model.config.moe) << name;
    EXPECT_EQ(back.config.mla, model.config.mla) << name;
    if (model.config.moe.n_experts > 0) {
      EXPECT_EQ(back.config.layer_kinds, model.config.layer_kinds) << name;
    }
    // What is stored as an exponential comes back within the last bits of a float.
    const bool has_exponentials = std::any_of(model.parameters.begin(), model.parameters.end(),
                                              [](const ParameterSpec& spec) { return spec.gguf.is_negative_exp; });
    EXPECT_LE(largest_difference(model, back), has_exponentials ? 1e-6 : 0) << name;
    expect_same_model(back.config, model.config, name);
    // GGUF keeps floats, not doubles, and llama3 scaling as a table: compare what the graph sees.
    auto want = rope_table(model.config.rope, model.config.head_dim),
         got = rope_table(back.config.rope, back.config.head_dim);
    EXPECT_NEAR(got.magnitude, want.magnitude, 1e-6) << name;
    for (size_t i = 0; i < want.inverse_frequencies.size(); ++i)
      EXPECT_NEAR(got.inverse_frequencies[i], want.inverse_frequencies[i], 1e-6 * want.inverse_frequencies[i]) << name;
    if (!model.tokenizer) continue;
    std::string text = "Hello world, 12345  naïve\n\n你好 <|eot_id|>";
    EXPECT_EQ(*back.tokenizer->encode(text), *model.tokenizer->encode(text));
    EXPECT_EQ(back.chat_template->source(), model.chat_template->source());
    for (int32_t id : model.generation.eos_ids)
      EXPECT_TRUE(std::count(back.generation.eos_ids.begin(), back.generation.eos_ids.end(), id)) << id;
  }
  EXPECT_GE(n_saved, 18);
}

TEST(Save, QuantisedGgufIsNearAndSmall) {
  auto temporary = TempFolder::create("save_test");
  LoadedModel model = load(golden("sharded_tokenizer_bf16"));
  for (auto [dtype, tolerance] :
       {std::pair{Dtype::q8_0, 4e-3}, {Dtype::q4_0, 8e-2}, {Dtype::f16, 1e-4}, {Dtype::bf16, 0.0}}) {
    fs::path file = temporary->path() / "m.gguf";
    ASSERT_TRUE(save_gguf(file, to_save(model), dtype));
    EXPECT_LE(largest_difference(model, load(file)), tolerance) << dtype_info(dtype).name;
  }
}

TEST(Save, QuantisesAsTheReferenceDoes) {
  auto temporary = TempFolder::create("save_test");
  LoadedModel model = load(golden("sharded_tokenizer_bf16"));
  for (auto [dtype, kind] : {std::pair{Dtype::q8_0, "Q8_0"}, {Dtype::q4_0, "Q4_0"}}) {
    ASSERT_TRUE(save_gguf(temporary->path() / "m.gguf", to_save(model), dtype));
    auto ours = GgufFile::open(temporary->path() / "m.gguf");
    auto theirs = GgufFile::open(golden("sharded_tokenizer_bf16") / fmt::format("model-{}.gguf", kind));
    size_t n_bytes = 0, n_same = 0;
    for (const auto& tensor : theirs->tensors().tensors()) {
      const StoredTensor* same = ours->tensors().find(tensor.name);
      ASSERT_TRUE(same && same->bytes.size() == tensor.bytes.size()) << tensor.name;
      for (size_t i = 0; i < tensor.bytes.size(); ++i) n_same += tensor.bytes[i] == same->bytes[i];
      n_bytes += tensor.bytes.size();
    }
    EXPECT_GT(static_cast<double>(n_same), 0.999 * static_cast<double>(n_bytes))
        << kind;  // ties may round the other way
  }
}

TEST(Save, FolderFromGgufGetsATokenizer) {
  auto temporary = TempFolder::create("save_test");
  fs::path gguf = golden("sharded_tokenizer_bf16") / "model-F32.gguf";
  LoadedModel model = load(gguf);
  auto saved = save_hf_folder(temporary->path() / "m", to_save(model), Dtype::f32);
  ASSERT_TRUE(saved) << saved.error().to_string();
  LoadedModel back = load(temporary->path() / "m");
  ASSERT_TRUE(back.tokenizer) << back.tokenizer_problem->to_string();
  std::string text = "It's we'll 12345 <|eot_id|> 模型：你好！";
  EXPECT_EQ(*back.tokenizer->encode(text), *model.tokenizer->encode(text));
  EXPECT_EQ(largest_difference(model, back), 0);
}

TEST(Save, ShardsHoldEverythingOnce) {
  auto temporary = TempFolder::create("save_test");
  std::vector<float> numbers(300);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
  std::vector<TensorToWrite> tensors;
  for (int i = 0; i < 5; ++i)
    tensors.push_back(
        {"t" + std::to_string(i), Dtype::f32, {10, 6}, [&numbers, i]() -> Result<std::span<const std::byte>> {
           return std::as_bytes(std::span(numbers).subspan(static_cast<size_t>(i) * 60, 60));
         }});
  ASSERT_TRUE(write_safetensors_folder(temporary->path(), std::move(tensors), 500));
  auto file = open_safetensors(temporary->path());
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(list_safetensors(temporary->path())->size(), 4u);  // the index and three shards of two tensors
  for (int i = 0; i < 5; ++i) {
    const StoredTensor* tensor = file->find("t" + std::to_string(i));
    ASSERT_TRUE(tensor);
    const auto wanted = std::as_bytes(std::span(numbers).subspan(static_cast<size_t>(i) * 60, 60));
    EXPECT_TRUE(std::equal(tensor->bytes.begin(), tensor->bytes.end(), wanted.begin(), wanted.end()));
  }
}

// Weights that are made while they are written: here, twice what is in the model.
TEST(Save, WeightsCanBeMadeWhenTheyAreWritten) {
  auto temporary = TempFolder::create("save_test");
  LoadedModel model = load(golden("phi3_fp32"));  // some of them are parts of fused matrices
  ModelToSave saved = to_save(model);
  for (const auto& [role, view] : model.weights)
    saved.made[role] = [view = view] {
      Tensor twice = to_f32(view);
      for (int64_t i = 0; i < view.shape().n_elements(); ++i) twice.f32()[i] *= 2;
      return twice;
    };
  ASSERT_TRUE(save_hf_folder(temporary->path() / "hf", saved, std::nullopt));
  const LoadedModel back = load(temporary->path() / "hf");
  for (const auto& [role, view] : model.weights)
    for (int64_t i = 0; i < view.shape().n_elements(); ++i)
      ASSERT_EQ(back.weights.at(role).f32()[i], 2 * view.f32()[i]) << role;
}

}  // namespace
}  // namespace hearth::save_test
