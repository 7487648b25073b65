// load_model on the golden checkpoints: Hugging Face folders and GGUF files of the same weights.
#include "model_store/formats/load.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/files.h"
#include "base/json.h"
#include "model_store/formats/gguf.h"
#include "model_store/formats/safetensors.h"

namespace hearth::load_test {
namespace {
namespace fs = std::filesystem;

fs::path golden() {
  return fs::path(HEARTH_SOURCE_DIR) / "tests/golden";
}

LoadedModel load(const fs::path& path) {
  auto model = load_model(path);
  if (!model) ADD_FAILURE() << model.error().to_string();
  return model ? *std::move(model) : LoadedModel();
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double out = 0;
  for (int64_t i = 0; i < a.type().shape.n_elements(); ++i)
    out = std::max(out, static_cast<double>(std::abs(a.f32()[i] - b.f32()[i])));
  return out;
}

// Norms in bf16, and what lies in the file in another form.
uint64_t bytes_that_must_be_copied(const LoadedModel& model) {
  uint64_t out = 0;
  for (const ParameterSpec& spec : model.parameters)
    if (!spec.hf.is_plain() || is_vector(spec.kind))
      out += static_cast<uint64_t>(model.weights.at(spec.role).type.bytes());
  return out;
}

TEST(Load, EveryGoldenFolderLoadsWithoutCopyingMatrices) {
  int n = 0;
  for (const auto& entry : fs::directory_iterator(golden())) {
    if (!fs::exists(entry.path() / "case.json")) continue;
    LoadedModel model = load(entry.path());
    EXPECT_EQ(model.weights.size(), model.parameters.size()) << entry.path();
    EXPECT_LE(model.copied_bytes, bytes_that_must_be_copied(model)) << entry.path();
    const bool writes = (*find_architecture(model.config.family))->task() == ModelTask::generate;
    if (writes) {
      EXPECT_FALSE(model.generation.eos_ids.empty()) << entry.path();
    }
    ++n;
  }
  EXPECT_GE(n, 7);
}

// Nothing is copied into memory that would have to be swapped; the weights are the same.
TEST(Load, AModelLargerThanMemoryIsLaidOutOnDisk) {
  for (const char* name : {"mixtral_fp32", "qwen3_moe_bf16", "gpt_oss_bf16"}) {
    const fs::path folder = golden() / name;
    ASSERT_TRUE(fs::exists(folder)) << folder;
    auto large = load_model(folder, 1000);
    ASSERT_TRUE(large) << large.error().to_string();
    const LoadedModel model = load(folder);
    EXPECT_EQ(model.disk_bytes, 0u) << name;
    EXPECT_GT(large->disk_bytes, 4 * large->copied_bytes) << name;
    EXPECT_LE(large->copied_bytes + large->disk_bytes, bytes_that_must_be_copied(model)) << name;
    for (const auto& [role, view] : model.weights) {
      const TensorView& other = large->weights.at(role);
      ASSERT_EQ(other.type, view.type) << name << " " << role;
      EXPECT_EQ(std::memcmp(other.data, view.data, static_cast<size_t>(view.type.bytes())), 0) << name << " " << role;
    }
  }
  EXPECT_EQ(load_model(golden() / "mixtral_fp32", 0)->disk_bytes, 0u) << "unknown memory";
}

// What is predicted from heads is what is loaded, for every golden in all of its files.
TEST(CheckWeights, TellsWhatLoadingMakes) {
  std::vector<fs::path> models;
  for (const fs::path& folder : {golden(), golden() / "quantised"})
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (!fs::exists(entry.path() / "config.json")) continue;
      models.push_back(entry.path());
      for (const auto& file : fs::directory_iterator(entry.path()))
        if (file.path().extension() == ".gguf") models.push_back(file.path());
    }
  int n_compared = 0;
  for (const fs::path& path : models) {
    SCOPED_TRACE(path.string());
    const auto loaded = load_model(path), heads = check_weights(path);
    ASSERT_EQ(heads.has_value(), loaded.has_value());
    if (!loaded) continue;  // of one format's weights there is only a part
    ++n_compared;
    const LoadedModel& whole = *loaded;
    EXPECT_EQ(heads->config.tied_embeddings, whole.config.tied_embeddings);
    ASSERT_EQ(heads->weights.size(), whole.weights.size());
    for (const auto& [role, view] : whole.weights) {
      EXPECT_EQ(heads->weights.at(role).type.bytes(), view.type.bytes()) << role;
      EXPECT_EQ(heads->weights.at(role).data, nullptr);
    }
    EXPECT_EQ(weight_bytes(*heads), weight_bytes(whole));
  }
  EXPECT_GT(n_compared, 60);
}

// The configuration says tied, and the file has an output matrix of its own: the embedding is not the output then.
TEST(CheckWeights, AHeadOfItsOwnIsNotTied) {
  auto folder = TempFolder::create("load_test");
  ASSERT_TRUE(folder);
  for (const char* name : {"config.json", "model.safetensors"})
    fs::copy_file(golden() / "gqa_untied_fp32" / name, folder->path() / name);
  Json config = *parse_json(*read_file(folder->path() / "config.json"));
  config["tie_word_embeddings"] = true;
  ASSERT_TRUE(write_file(folder->path() / "config.json", dump_json(config)));
  ASSERT_TRUE(load_config(folder->path())->tied_embeddings);
  const auto heads = check_weights(folder->path());
  ASSERT_TRUE(heads) << heads.error().to_string();
  EXPECT_FALSE(heads->config.tied_embeddings);
  EXPECT_TRUE(heads->weights.contains("lm_head"));
}

TEST(Load, ReadsBothSpellingsOfPositionScaling) {
  RopeConfig llama3 = load(golden() / "rope_llama3_fp32").config.rope;
  EXPECT_EQ(llama3.scaling, RopeConfig::Scaling::llama3);
  EXPECT_GT(llama3.factor, 1);
  EXPECT_GT(llama3.original_max_seq_len, 0);
  RopeConfig yarn = load(golden() / "rope_yarn_fp32").config.rope;
  EXPECT_EQ(yarn.scaling, RopeConfig::Scaling::yarn);
  RopeConfig linear = load(golden() / "rope_linear_bf16").config.rope;
  EXPECT_EQ(linear.scaling, RopeConfig::Scaling::linear);
  EXPECT_EQ(linear.factor, 4);
  EXPECT_EQ(load(golden() / "head_dim_fp32").config.head_dim, 32);
  EXPECT_TRUE(load(golden() / "mha_tied_bf16").config.tied_embeddings);
}

TEST(Load, GgufHoldsTheSameModel) {
  fs::path folder = golden() / "sharded_tokenizer_bf16";
  LoadedModel hf = load(folder);
  ASSERT_TRUE(hf.tokenizer);
  // Largest error of the format on weights of about 0.1.
  for (auto [kind, tolerance] : {std::pair{"F32", 0.0}, {"BF16", 0.0}, {"F16", 1e-4}, {"Q8_0", 4e-3}, {"Q4_0", 8e-2}}) {
    LoadedModel gguf = load(folder / fmt::format("model-{}.gguf", kind));
    EXPECT_EQ(gguf.config.d_model, hf.config.d_model);
    EXPECT_EQ(gguf.config.n_kv_heads, hf.config.n_kv_heads);
    EXPECT_EQ(gguf.config.vocab_size, hf.config.vocab_size);
    EXPECT_EQ(gguf.config.tied_embeddings, hf.config.tied_embeddings);
    EXPECT_GT(gguf.copied_bytes, 0u) << "rotary rows are put back in our order";
    ASSERT_EQ(gguf.weights.size(), hf.weights.size());
    for (const auto& [role, view] : hf.weights)
      EXPECT_LE(largest_difference(to_f32(view), to_f32(gguf.weights.at(role))), tolerance) << kind << " " << role;
  }
}

TEST(Load, DequantisesAsTheReferenceDoes) {
  fs::path folder = golden() / "sharded_tokenizer_bf16";
  for (const char* kind : {"Q8_0", "Q4_0"}) {
    auto expected = open_safetensors(folder / fmt::format("dequantised-{}.safetensors", kind));
    ASSERT_TRUE(expected) << expected.error().to_string();
    auto file = GgufFile::open(folder / fmt::format("model-{}.gguf", kind));
    for (const auto& want : expected->tensors()) {
      const StoredTensor* got = file->tensors().find(want.name);
      ASSERT_TRUE(got) << want.name;
      ASSERT_EQ(got->shape, want.shape);
      std::vector<float> values(want.n_elements());
      to_float(*got->dtype, got->bytes.data(), values.data(), static_cast<int64_t>(values.size()));
      EXPECT_EQ(std::memcmp(values.data(), want.bytes.data(), want.bytes.size()), 0) << kind << " " << want.name;
    }
  }
}

TEST(Load, RendersTheGoldenConversations) {
  LoadedModel model = load(golden() / "sharded_tokenizer_bf16");
  Json expected = *parse_json(*read_file(golden() / "sharded_tokenizer_bf16/expected_tokens.json"));
  for (const auto& item : expected["chat"]) {
    std::string messages = dump_json(item["messages"]);
    auto rendered = render_chat(model, {.messages_json = messages, .extra_json = R"({"messages": 5, "x": {"y": 1}})"});
    ASSERT_TRUE(rendered) << rendered.error().to_string();
    EXPECT_EQ(rendered->text, item["text"].get<std::string>());
  }
  EXPECT_FALSE(render_chat(model, {.messages_json = "[]}, {"}));
  EXPECT_FALSE(render_chat(model, {.messages_json = "{}"}));
  EXPECT_FALSE(render_chat(model, {.messages_json = "[]", .extra_json = "[]"}));
}

// A checkpoint of a model that also takes pictures: the text model's configuration and weights are parts of it.
TEST(Load, TextModelInsideALargerOne) {
  auto folder = TempFolder::create("load_test");
  const LoadedModel plain = load(golden() / "mistral_fp32");
  const Json text = *parse_json(*read_file(golden() / "mistral_fp32/config.json"));
  const Json whole = {
      {"architectures", {"Mistral3ForConditionalGeneration"}}, {"model_type", "mistral3"}, {"text_config", text}};
  ASSERT_TRUE(write_file(folder->path() / "config.json", dump_json(whole)));
  std::vector<TensorToWrite> tensors;
  const float nothing[2] = {};
  tensors.push_back({"vision_tower.patch.weight", Dtype::f32, {2}, [&]() -> Result<std::span<const std::byte>> {
                       return std::as_bytes(std::span<const float>(nothing, 2));
                     }});
  for (const ParameterSpec& spec : plain.parameters) {
    const TensorView& view = plain.weights.at(spec.role);
    std::vector<int64_t> shape;
    for (int i = 0; i < spec.shape.rank(); ++i) shape.push_back(spec.shape[i]);
    tensors.push_back(
        {"language_model." + spec.hf.name, Dtype::f32, shape, [view]() -> Result<std::span<const std::byte>> {
           return std::span(static_cast<const std::byte*>(view.data), static_cast<size_t>(view.type.bytes()));
         }});
  }
  ASSERT_TRUE(write_safetensors(folder->path() / "model.safetensors", std::move(tensors)));
  const LoadedModel inner = load(folder->path());
  EXPECT_EQ(inner.config, plain.config);
  ASSERT_EQ(inner.weights.size(), plain.weights.size());
  for (const auto& [role, view] : plain.weights)
    EXPECT_EQ(largest_difference(to_f32(view), to_f32(inner.weights.at(role))), 0) << role;
}

TEST(Load, PoolingIsSaidBesideTheModel) {
  auto folder = TempFolder::create("load_test");
  fs::copy(golden() / "bert_fp32", folder->path() / "m");
  EXPECT_EQ(load(folder->path() / "m").config.encoder.pooling, Pooling::mean);
  fs::create_directory(folder->path() / "m/1_Pooling");
  const fs::path file = folder->path() / "m/1_Pooling/config.json";
  ASSERT_TRUE(write_file(file, R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false})"));
  EXPECT_EQ(load(folder->path() / "m").config.encoder.pooling, Pooling::first);
  ASSERT_TRUE(write_file(file, R"({"pooling_mode_max_tokens": true})"));
  EXPECT_EQ(load_model(folder->path() / "m").error().code, Code::unimplemented);
}

TEST(Load, MissingThingsAreNamed) {
  EXPECT_EQ(load_model("/nonexistent/model").error().code, Code::not_found);
  auto folder = TempFolder::create("load_test");
  fs::create_directory(folder->path() / "m");
  fs::copy_file(golden() / "gqa_untied_fp32/config.json", folder->path() / "m/config.json");
  EXPECT_NE(load_model(folder->path() / "m").error().to_string().find("no .safetensors"), std::string::npos);
  fs::copy(golden() / "head_dim_fp32/model.safetensors", folder->path() / "m/model.safetensors");
  auto wrong = load_model(folder->path() / "m");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().to_string().find("shape"), std::string::npos) << wrong.error().to_string();
}

}  // namespace
}  // namespace hearth::load_test
