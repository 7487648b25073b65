// Keys of configurations in files: what is refused, and by which name; a larger model's text part; GGUF metadata that
// leaves keys out. (What transformers makes of every other key: tests/golden/config_mutations_test.cpp.)
#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "base/json.h"
#include "model_store/formats/config_metadata.h"
#include "model_store/formats/model_config.h"
#include "runtime/architectures/hf_keys.h"

namespace hearth::config_keys_test {
namespace {

namespace fs = std::filesystem;

Json config_of(const std::string& golden) {
  return *parse_json(*read_file(fs::path(HEARTH_SOURCE_DIR) / "tests/golden" / golden / "config.json"));
}

std::string refusal(const Json& json) {
  auto config = config_from_hf(dump_json(json));
  return config ? "accepted" : config.error().to_string();
}

TEST(ConfigKeys, ValuesThatAFamilyCannotHonourAreRefusedByName) {
  const Json partial = {
      {"full_attention", {{"rope_type", "default"}, {"rope_theta", 1e6}, {"partial_rotary_factor", 0.5}}},
      {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 1e4}}}};
  const Json linear = {{"rope_type", "linear"}, {"factor", 2.0}},
             yarn = {{"rope_type", "yarn"}, {"factor", 2.0}, {"original_max_position_embeddings", 64}};
  for (const auto& [golden, key, value, words] : std::vector<std::tuple<std::string, std::string, Json, std::string>>{
           {"granitemoehybrid_dense_fp32", "hidden_act", "gelu", "hidden_act"},
           {"gemma3_fp32", "attn_logit_softcapping", 30.0, "attn_logit_softcapping"},
           {"gemma4_plain_fp32", "rope_parameters", partial, "partial_rotary_factor"},
           {"gemma2_fp32", "final_logit_softcapping", 0.0, "final_logit_softcapping"},
           {"glm4_fp32", "partial_rotary_factor", nullptr, "partial_rotary_factor"},
           {"gqa_untied_fp32", "partial_rotary_factor", 0.5, "partial_rotary_factor"},
           {"gqa_untied_fp32", "is_causal", false, "is_causal"},
           {"gqa_untied_fp32", "rms_norm_eps", nullptr, "rms_norm_eps"},
           {"gqa_untied_fp32", "hidden_act", 5, "hidden_act"},
           {"gqa_untied_fp32", "per_layer_config", {{"0", {{"head_dim", 8}}}}, "per_layer_config"},
           {"gqa_untied_fp32", "rope_parameters", "abc", "rope_parameters"},
           {"gqa_untied_fp32", "rope_scaling", {{"rope_type", "yarn"}}, "factor"},
           {"gqa_untied_fp32", "model_type", "qwen2", "model_type"},
           {"deepseek_v3_fp32", "rope_parameters", linear, "position scaling"},
           {"deepseek_v3_fp32", "scoring_func", "softmax", "scoring_func"},
           {"deepseek_v3_fp32", "moe_layer_freq", 2, "moe_layer_freq"},
           {"deepseek_v3_fp32", "n_group", nullptr, "n_group"},
           {"phi3_fp32", "rope_parameters", yarn, "position scaling"},
           {"smollm3_fp32", "layer_types", Json::array({"sliding_attention", "full_attention"}), "window"},
           {"seed_oss_fp32", "attention_out_bias", true, "attention_out_bias"},
           {"qwen3_moe_fp32", "use_sliding_window", true, "use_sliding_window"},
       }) {
    Json json = config_of(golden);
    json[key] = value;
    const std::string why = refusal(json);
    EXPECT_NE(why.find(words), std::string::npos) << golden << " " << key << ": " << why;
  }
}

TEST(ConfigKeys, SmolLm3SlidesWhereItHasNoPositions) {
  Json json = config_of("smollm3_fp32");
  json.erase("layer_types");
  json["use_sliding_window"] = true;
  json["sliding_window"] = 8;
  auto config = config_from_hf(dump_json(json));
  ASSERT_TRUE(config) << config.error().to_string();
  ASSERT_EQ(config->layer_kinds.size(), config->layers_without_rope.size());
  for (size_t l = 0; l < config->layer_kinds.size(); ++l)
    EXPECT_EQ(config->layer_kinds[l] == LayerKind::sliding, config->layers_without_rope[l]);
}

// As published: most keys are left to the library.
TEST(ConfigKeys, TextPartOfALargerModelMaySayLittle) {
  const Json text = {{"hidden_size", 2560},
                     {"intermediate_size", 10'240},
                     {"num_hidden_layers", 34},
                     {"rope_scaling", {{"factor", 8.0}, {"rope_type", "linear"}}},
                     {"sliding_window", 1024}};
  Json json = {{"architectures", {"Gemma3ForConditionalGeneration"}}, {"model_type", "gemma3"}, {"text_config", text}};
  auto config = config_from_hf(dump_json(json));
  ASSERT_TRUE(config) << config.error().to_string();
  EXPECT_EQ(config->family, "gemma3_text");
  EXPECT_EQ(std::tuple(config->n_heads, config->n_kv_heads, config->head_dim), std::tuple(8, 4, 256));
  EXPECT_EQ(config->vocab_size, 262'208);
  EXPECT_EQ(config->window, 1024);
  EXPECT_TRUE(config->tied_embeddings);
  EXPECT_EQ(config->rope.theta, 1e6);
  EXPECT_EQ(config->rope.scaling, RopeConfig::Scaling::linear);
  ASSERT_TRUE(config->sliding_rope);
  EXPECT_EQ(config->sliding_rope->theta, 1e4);
  EXPECT_EQ(config->sliding_rope->scaling, RopeConfig::Scaling::none);
  json["tie_word_embeddings"] = false;  // the larger model's word
  json["text_config"]["tie_word_embeddings"] = true;
  EXPECT_FALSE(config_from_hf(dump_json(json))->tied_embeddings);
}

// What a file says not, exports say: null where a missing key would mean a default.
TEST(ConfigKeys, ExportsSayWhatIsNotThere) {
  Json json = config_of("mistral_fp32");
  json["sliding_window"] = nullptr;
  const auto config = *config_from_hf(dump_json(json));
  const Json out = *parse_json(config_to_hf(config, "float32", {}, {}));
  ASSERT_TRUE(out.contains("sliding_window"));
  EXPECT_TRUE(out["sliding_window"].is_null());
  EXPECT_EQ(*config_from_hf(dump_json(out)), config);
}

TEST(ConfigKeys, DefaultsStandForAbsentKeysOnly) {
  struct File final : ConfigSource {
    bool has(std::string_view key) const override { return key == "a"; }
    bool is_null(std::string_view key) const override { return key == "b"; }
    Result<int64_t> integer(std::string_view) const override { return int64_t{7}; }
    Result<double> number(std::string_view) const override { return 7.0; }
    Result<bool> boolean(std::string_view) const override { return true; }
    Result<std::string> string(std::string_view) const override { return std::string("x"); }
    Result<std::vector<int64_t>> integers(std::string_view) const override { return std::vector<int64_t>(); }
    Result<std::vector<double>> numbers(std::string_view) const override { return std::vector<double>(); }
    Result<std::vector<std::string>> strings(std::string_view) const override { return std::vector<std::string>(); }
    size_t list_size(std::string_view) const override { return 0; }
    size_t object_size(std::string_view) const override { return 0; }
    std::optional<std::vector<int64_t>> tensor_shape(std::string_view) const override { return std::nullopt; }
    Result<std::vector<float>> tensor_values(std::string_view) const override { return std::vector<float>(); }
  } file;
  const HfKey keys[] = {{"a", 1}, {"b", 2, HfRule::or_null}, {"c", 3}, {"d", 0.5}, {"e", "silu"}, {"block.f", true}};
  const HfSource source(file, keys);
  EXPECT_TRUE(source.check());
  EXPECT_EQ(*source.integer("a"), 7);
  EXPECT_FALSE(source.has("b"));  // null
  EXPECT_EQ(*source.integer("c"), 3);
  EXPECT_EQ(*source.number("c"), 3.0);
  EXPECT_EQ(*source.number("d"), 0.5);
  EXPECT_EQ(*source.string("e"), "silu");
  EXPECT_TRUE(*source.boolean("block.f"));
  EXPECT_FALSE(source.has("unknown"));
  const HfKey not_null[] = {{"b", 2}}, only[] = {{"a", 1, HfRule::only}};
  EXPECT_FALSE(HfSource(file, not_null).check());
  EXPECT_FALSE(HfSource(file, only).check());
}

Result<ModelConfig> from_gguf(const char* architecture, const GgufMetadata& more) {
  const std::string prefix = std::string(architecture) + ".";
  GgufMetadata metadata = {{"general.architecture", std::string(architecture)}};
  for (const auto& [key, value] : std::initializer_list<std::pair<const char*, uint32_t>>{{"block_count", 2},
                                                                                          {"context_length", 128},
                                                                                          {"embedding_length", 32},
                                                                                          {"feed_forward_length", 64},
                                                                                          {"attention.head_count", 4},
                                                                                          {"vocab_size", 64}})
    metadata.emplace_back(prefix + key, value);
  metadata.emplace_back(prefix + "attention.layer_norm_rms_epsilon", 1e-5f);
  for (const auto& [key, value] : more) metadata.emplace_back(prefix + key, value);
  const auto folder = TRY(TempFolder::create("config_keys"));
  TRY(write_gguf(folder.path() / "x.gguf", metadata, {}));
  return config_from_gguf(TRY(GgufFile::open(folder.path() / "x.gguf")));
}

// llama.cpp's rules: a factor without a type is linear scaling, under an older name too; 0 is none.
TEST(ConfigKeys, GgufFilesThatLeaveKeysOut) {
  using Scaling = RopeConfig::Scaling;
  for (const char* key : {"rope.scaling.factor", "rope.scale_linear"}) {
    auto config = from_gguf("llama", {{key, 4.0f}});
    ASSERT_TRUE(config) << config.error().to_string();
    EXPECT_EQ(config->rope.scaling, Scaling::linear) << key;
    EXPECT_EQ(config->rope.factor, 4) << key;
    EXPECT_EQ(from_gguf("llama", {{key, 0.0f}})->rope.scaling, Scaling::none);
  }
  EXPECT_EQ(from_gguf("llama", {})->rope.scaling, Scaling::none);
  const GgufMetadata none = {{"rope.scaling.type", std::string("none")}, {"rope.scaling.factor", 4.0f}};
  EXPECT_EQ(from_gguf("llama", none)->rope.scaling, Scaling::none);
  const GgufMetadata yarn = {{"rope.scaling.type", std::string("yarn")}, {"rope.scaling.factor", 4.0f}};
  EXPECT_EQ(from_gguf("llama", yarn)->rope.original_max_seq_len, 128);
  GgufMetadata odd = yarn;
  odd.emplace_back("rope.scaling.yarn_ext_factor", 0.5f);
  EXPECT_FALSE(from_gguf("llama", odd));
  GgufMetadata experts = {{"expert_count", uint32_t{4}}, {"expert_used_count", uint32_t{2}}};
  EXPECT_FALSE(from_gguf("glm4moe", experts)->moe.routing.normalise);
  experts.emplace_back("expert_weights_norm", true);
  EXPECT_TRUE(from_gguf("glm4moe", experts)->moe.routing.normalise);
}

}  // namespace
}  // namespace hearth::config_keys_test
