// inspect_model on the golden checkpoints.
#include "model_store/formats/inspect.h"

#include <gtest/gtest.h>

#include "base/files.h"

namespace hearth::inspect_test {
namespace {
namespace fs = std::filesystem;

fs::path golden() {
  return fs::path(HEARTH_SOURCE_DIR) / "tests/golden";
}

TEST(Inspect, TellsFolderFromHeaders) {
  auto facts = inspect_model(golden() / "sharded_tokenizer_bf16");
  ASSERT_TRUE(facts) << facts.error().to_string();
  EXPECT_EQ(facts->format, "safetensors");
  EXPECT_EQ(facts->family, "llama");
  EXPECT_EQ(facts->dtype, "bf16");
  EXPECT_EQ(facts->max_seq_len, 128);
  EXPECT_EQ(facts->vocab_size, 384);
  EXPECT_TRUE(facts->has_chat_template);
  EXPECT_TRUE(facts->has_tokenizer);
  EXPECT_TRUE(facts->is_supported) << facts->why_not;
  EXPECT_GT(facts->n_params, 80'000u);
}

TEST(Inspect, TellsGguf) {
  auto facts = inspect_model(golden() / "sharded_tokenizer_bf16/model-Q4_0.gguf");
  ASSERT_TRUE(facts) << facts.error().to_string();
  EXPECT_EQ(facts->format, "gguf");
  EXPECT_EQ(facts->dtype, "q4_0");
  EXPECT_EQ(facts->n_params, inspect_model(golden() / "sharded_tokenizer_bf16")->n_params);
}

TEST(Inspect, QuantisedCheckpointsCountTheirWeights) {
  auto facts = inspect_model(golden() / "quantised/gptq_sym");
  ASSERT_TRUE(facts) << facts.error().to_string();
  EXPECT_TRUE(facts->is_supported) << facts->why_not;
  EXPECT_EQ(facts->dtype, "q4_0");
  EXPECT_EQ(facts->n_params, inspect_model(golden() / "quantised/bnb_nf4")->n_params);
}

TEST(Inspect, UnknownFamilyIsToldNotRefused) {
  auto folder = TempFolder::create("inspect_test");
  ASSERT_TRUE(write_file(folder->path() / "config.json", R"({"model_type": "mamba", "max_position_embeddings": 7})"));
  fs::copy(golden() / "head_dim_fp32/model.safetensors", folder->path());
  auto facts = inspect_model(folder->path());
  ASSERT_TRUE(facts) << facts.error().to_string();
  EXPECT_EQ(facts->family, "mamba");
  EXPECT_EQ(facts->max_seq_len, 7);
  EXPECT_FALSE(facts->is_supported);
  EXPECT_NE(facts->why_not.find("mamba"), std::string::npos);
}

TEST(Inspect, NotAModelIsAnError) {
  auto folder = TempFolder::create("inspect_test");
  EXPECT_EQ(inspect_model(folder->path()).error().code, Code::invalid_argument);
  EXPECT_EQ(inspect_model(folder->path() / "none").error().code, Code::not_found);
}

}  // namespace
}  // namespace hearth::inspect_test
