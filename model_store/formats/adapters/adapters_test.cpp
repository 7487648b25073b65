// Adapters: what is refused and how it is said, what is written comes back, merging is W + scale * B A. That merged
// models answer as PEFT's do is in tests/golden/adapter_test.cpp.
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json.h"
#include "model_store/formats/adapters/adapter.h"
#include "model_store/formats/adapters/head_order.h"
#include "model_store/formats/adapters/peft_config.h"
#include "model_store/formats/adapters/peft_experts.h"
#include "model_store/formats/safetensors.h"

namespace hearth::adapters_test {
namespace {
namespace fs = std::filesystem;

fs::path golden(const std::string& name) {
  return fs::path(HEARTH_SOURCE_DIR) / "tests/golden" / name;
}

ModelConfig config_of(const std::string& name) {
  auto config = load_config(golden(name));
  if (!config) ADD_FAILURE() << config.error().to_string();
  return config ? *config : ModelConfig();
}

struct Folder {
  TempFolder folder = *TempFolder::create("adapters_test");
  const fs::path& path() const { return folder.path(); }
  Result<PeftConfig> config(const Json& json) const {
    EXPECT_TRUE(write_file(path() / "adapter_config.json", dump_json(json)));
    return read_peft_config(path() / "adapter_config.json");
  }
};

const Json kPlain = {{"peft_type", "LORA"}, {"r", 2}, {"lora_alpha", 4}, {"target_modules", {"q_proj"}}};

template <class T>
std::string error_of(const Result<T>& result) {
  return result ? "no error" : result.error().to_string();
}
bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(Adapters, EveryOtherKindIsRefusedByItsName) {
  Folder folder;
  const Json kinds = *parse_json(*read_file(golden("adapters/other_kinds.json")));
  ASSERT_GT(kinds.size(), 20u);
  for (const Json& kind : kinds) {
    Json json = kPlain;
    json["peft_type"] = kind;
    auto config = folder.config(json);
    ASSERT_FALSE(config) << kind;
    EXPECT_EQ(config.error().code, Code::unimplemented);
    EXPECT_TRUE(contains(error_of(config), kind.get<std::string>())) << error_of(config);
    EXPECT_TRUE(contains(error_of(config), "merge") || contains(error_of(config), "train a LoRA")) << error_of(config);
  }
}

TEST(Adapters, OptionsThatChangeTheArithmeticAreRefusedByName) {
  Folder folder;
  const std::pair<const char*, Json> kOptions[] = {
      {"use_qalora", true},
      {"trainable_token_indices", {1, 2}},
      {"alora_invocation_tokens", {5}},
      {"layer_replication", {{0, 2}}},
      {"megatron_config", {{"a", 1}}},
      {"use_bdlora", {{"nblocks", 2}}},
      {"monteclora_config", {{"k", 1}}},
      {"a_key_of_the_future", "on"},
      {"init_lora_weights", "pissa"},
      {"init_lora_weights", "olora"},
      {"init_lora_weights", "loftq"},
  };
  for (const auto& [key, value] : kOptions) {
    Json json = kPlain;
    json[key] = value;
    auto config = folder.config(json);
    ASSERT_FALSE(config) << key;
    EXPECT_EQ(config.error().code, Code::unimplemented);
    EXPECT_TRUE(contains(error_of(config), key)) << error_of(config);
    EXPECT_TRUE(contains(error_of(config), "merge")) << error_of(config);
  }
  for (const auto& [key, value] : kOptions) {  // not set: all is well
    Json json = kPlain;
    json[key] = key == std::string_view("init_lora_weights") ? Json(true) : Json(nullptr);
    EXPECT_TRUE(folder.config(json)) << key;
  }
}

Tensor counted(int64_t rows, int64_t columns) {
  Tensor out({Dtype::f32, {rows, columns}});
  for (int64_t i = 0; i < rows * columns; ++i) out.f32()[i] = static_cast<float>(i % 7) - 3;
  return out;
}

// PEFT's "o r e, e r i": of an expert, the sum over ranks of B[o, r, e] * A[e, r, i], written out.
double change_of(const Tensor& a, const Tensor& b, int rank, int64_t e, int64_t o, int64_t i) {
  const int64_t n_in = a.type().shape[1], n_columns = b.type().shape[1], n_experts = n_columns / rank;
  double out = 0;
  for (int64_t r = 0; r < rank; ++r)
    out += b.f32()[o * n_columns + r * n_experts + e] * a.f32()[(e * rank + r) * n_in + i];
  return out;
}

// Experts of [out, in] = [3, 2] in rows 1, 3, 5 of a tensor of six; either as later versions of PEFT have it, or with
// the sides exchanged.
TEST(Adapters, ExpertsInOneTensorTakeTheirRanksFromBothForms) {
  constexpr int kRank = 2;
  constexpr int64_t kExperts = 3;
  const Shape role{kExperts, 3, 2};
  const Storage storage = Storage("gate_up_proj").rows(1, 6, 2);
  for (const bool turned : {false, true}) {
    const Tensor a = counted(kExperts * kRank, turned ? 6 : 2), b = counted(turned ? 2 : 6, kExperts * kRank);
    for (int64_t e = 0; e < kExperts; ++e) {
      auto factors = expert_factors({a.view(), b.view(), kRank}, role, storage, e);
      ASSERT_TRUE(factors) << error_of(factors);
      for (int64_t o = 0; o < 3; ++o)
        for (int64_t i = 0; i < 2; ++i) {
          double got = 0;
          for (int r = 0; r < kRank; ++r) got += factors->second.f32()[o * kRank + r] * factors->first.f32()[r * 2 + i];
          const int64_t row = 1 + 2 * o;
          EXPECT_EQ(got, turned ? change_of(a, b, kRank, e, i, row) : change_of(a, b, kRank, e, row, i));
        }
    }
  }
}

TEST(Adapters, ExpertsWhoseSidesCannotBeToldAreRefused) {
  const Tensor a = counted(4, 3), b = counted(3, 4), wide = counted(4, 5), more = counted(6, 3);
  const Shape square{2, 3, 3};
  const Storage plain("down_proj");
  EXPECT_TRUE(contains(error_of(expert_factors({a.view(), b.view(), 2}, square, plain, 0)), "square"));
  EXPECT_TRUE(expert_factors({a.view(), b.view(), 2, true}, square, plain, 0));
  EXPECT_TRUE(expert_factors({a.view(), b.view(), 2}, square, Storage("down_proj").transposed(), 0));
  EXPECT_TRUE(contains(error_of(expert_factors({wide.view(), b.view(), 2}, square, plain, 0)), "another model"));
  EXPECT_TRUE(contains(error_of(expert_factors({more.view(), b.view(), 2}, square, plain, 0)), "rank 2"));
}

// The library's adapter of experts with one tensor more, or another shape of one.
TEST(Adapters, ExpertsWithDoraOrOfOtherRanksAreRefused) {
  const std::string lora_a = "base_model.model.model.layers.0.mlp.experts.lora_A.weight";
  const ModelConfig base = config_of("mixtral_fp32");
  const fs::path source = golden("adapters/experts_down_only");
  const TensorFile file = *open_safetensors(source / "adapter_model.safetensors");
  const Json json = *parse_json(*read_file(source / "adapter_config.json"));
  const std::vector<float> ones(1 << 12, 1);
  auto changed = [&](bool is_dora, const std::vector<int64_t>& shape_of_a) {
    Folder folder;
    Json config = json;
    config["use_dora"] = is_dora;
    EXPECT_TRUE(folder.config(config));
    std::vector<TensorToWrite> tensors;
    for (const StoredTensor& t : file.tensors()) {
      const bool is_it = t.name == lora_a;
      tensors.push_back({t.name, *t.dtype, is_it && !shape_of_a.empty() ? shape_of_a : t.shape,
                         [&t]() -> Result<std::span<const std::byte>> { return t.bytes; }});
      if (is_dora && t.name.ends_with(".lora_A.weight"))
        tensors.push_back(
            {t.name.substr(0, t.name.size() - 14) + ".lora_magnitude_vector",
             Dtype::f32,
             {32},
             [&]() -> Result<std::span<const std::byte>> { return std::as_bytes(std::span(ones).first(32)); }});
    }
    EXPECT_TRUE(write_safetensors(folder.path() / "adapter_model.safetensors", std::move(tensors)));
    return error_of(read_adapter(folder.path(), base));
  };
  EXPECT_EQ(changed(false, {}), "no error");
  EXPECT_TRUE(contains(changed(true, {}), "DoRA")) << changed(true, {});
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{384}, {3, 4, 32}, {1, 12, 32}, {12, 32, 1}})
    EXPECT_TRUE(contains(changed(false, shape), "dimensions")) << changed(false, shape);
}

TEST(Adapters, TargetParametersAreNames) {
  Folder folder;
  Json json = kPlain;
  json["target_parameters"] = {"mlp.experts.gate_up_proj"};
  const auto config = folder.config(json);
  ASSERT_TRUE(config) << error_of(config);
  EXPECT_TRUE(config->targets_parameter("model.layers.3.mlp.experts.gate_up_proj"));
  EXPECT_TRUE(config->targets_parameter("mlp.experts.gate_up_proj"));
  for (const char* other : {"model.layers.3.xmlp.experts.gate_up_proj", "model.layers.3.mlp.experts.down_proj", ""})
    EXPECT_FALSE(config->targets_parameter(other)) << other;
  EXPECT_FALSE(config->swaps_experts);
  for (const auto& [version, swaps] : {std::pair{"0.21.2", true}, {"0.18.0", false}, {"1.0", true}, {"next", false}}) {
    json["peft_version"] = version;
    EXPECT_EQ(folder.config(json)->swaps_experts, swaps) << version;
  }
  for (const Json& wrong : {Json("mlp.experts.gate_up_proj"), Json({1, 2}), Json({{"a", 1}})}) {
    json["target_parameters"] = wrong;
    EXPECT_TRUE(contains(error_of(folder.config(json)), "target_parameters")) << wrong;
  }
}

// Three value heads of each of two key heads: in Hugging Face's order a0 a1 a2 b0 b1 b2, tiled a0 b0 a1 b1 a2 b2.
TEST(Adapters, HeadsOfAGgufBaseAreTurnedAndTurnedBack) {
  ModelConfig base = config_of("qwen3_5_fp32");
  base.recurrent.n_v_heads = 6, base.recurrent.v_dim = 2, base.recurrent.tiled_heads = true;
  const int64_t n = base.recurrent.v_width();
  auto numbered = [](int64_t rows, int64_t columns, bool by_row) {
    Tensor out({Dtype::f32, {rows, columns}});
    for (int64_t i = 0; i < rows * columns; ++i) out.f32()[i] = static_cast<float>(by_row ? i / columns : i % columns);
    return out;
  };
  const Tensor gate_a = numbered(1, base.d_model, false), gate_b = numbered(n, 1, true), beta_b = numbered(6, 1, true),
               out_a = numbered(1, n, false), out_b = numbered(base.d_model, 1, true);
  const std::string l = "layers.0.";
  Adapter adapter;
  adapter.updates[l + "delta_gate"] = {{.a = gate_a.view(), .b = gate_b.view()}};
  adapter.updates[l + "delta_beta"] = {{.a = gate_a.view(), .b = beta_b.view()}};
  adapter.updates[l + "delta_out"] = {{.a = out_a.view(), .b = out_b.view()}};
  adapter.updates[l + "delta_q"] = {{.a = gate_a.view(), .b = gate_b.view()}};
  to_order_of(base, adapter);
  auto numbers = [](const TensorView& view) {
    return std::vector<float>(view.f32(), view.f32() + view.shape().n_elements());
  };
  const std::vector<float> heads = {0, 3, 1, 4, 2, 5}, halves = {0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11};
  EXPECT_EQ(numbers(adapter.updates[l + "delta_beta"][0].b), heads);
  EXPECT_EQ(numbers(adapter.updates[l + "delta_gate"][0].b), halves);
  EXPECT_EQ(numbers(adapter.updates[l + "delta_gate"][0].a), numbers(gate_a.view()));
  EXPECT_EQ(numbers(adapter.updates[l + "delta_out"][0].a), halves);
  EXPECT_EQ(numbers(adapter.updates[l + "delta_out"][0].b), numbers(out_b.view()));
  EXPECT_EQ(numbers(adapter.updates[l + "delta_q"][0].b), numbers(gate_b.view()));
  LoraAdapter lora{.rank = 1, .alpha = 1};
  for (const char* role : {"delta_gate", "delta_beta", "delta_out", "delta_q"}) {
    lora.weights[l + role + ".lora_a"] = adapter.updates[l + role][0].a;
    lora.weights[l + role + ".lora_b"] = adapter.updates[l + role][0].b;
  }
  const LoraAdapter back = in_hugging_face_order(base, lora);
  EXPECT_EQ(numbers(back.weights.at(l + "delta_gate.lora_b")), numbers(gate_b.view()));
  EXPECT_EQ(numbers(back.weights.at(l + "delta_beta.lora_b")), numbers(beta_b.view()));
  EXPECT_EQ(numbers(back.weights.at(l + "delta_out.lora_a")), numbers(out_a.view()));
  EXPECT_EQ(numbers(back.weights.at(l + "delta_q.lora_b")), numbers(gate_b.view()));
}

TEST(Adapters, ScalesFollowPatternsAsInPeft) {
  Folder folder;
  Json json = kPlain;
  json["rank_pattern"] = {{"layers\\.1\\..*k_proj", 8}, {"self_attn.k_proj", 4}};
  json["alpha_pattern"] = {{"self_attn.v_proj", 6}};
  auto plain = folder.config(json);
  ASSERT_TRUE(plain) << error_of(plain);
  auto scale = [](const Result<PeftConfig>& config, const char* module) { return *config->scale_of(module); };
  EXPECT_FLOAT_EQ(scale(plain, "model.layers.0.self_attn.q_proj"), 4.0f / 2);
  EXPECT_FLOAT_EQ(scale(plain, "model.layers.0.self_attn.k_proj"), 4.0f / 4);
  EXPECT_FLOAT_EQ(scale(plain, "model.layers.1.self_attn.k_proj"), 4.0f / 8) << "the first that matches";
  EXPECT_FLOAT_EQ(scale(plain, "model.layers.0.self_attn.v_proj"), 6.0f / 2);
  EXPECT_FLOAT_EQ(scale(plain, "model.layers.0.self_attn.xk_proj"), 4.0f / 2) << "whole parts of the path only";
  json["use_rslora"] = true;
  EXPECT_FLOAT_EQ(scale(folder.config(json), "a.self_attn.k_proj"), 4.0f / 2);
  json["rank_pattern"] = {{"(", 8}};
  EXPECT_TRUE(contains(error_of(folder.config(json)), "rank_pattern"));
}

TEST(Adapters, WhatIsWrittenComesBackAndMerges) {
  Folder folder;
  auto model = load_model(golden("gqa_untied_fp32"));
  ASSERT_TRUE(model) << error_of(model);
  Tensor a({Dtype::f32, {2, 64}}), b({Dtype::f32, {64, 2}});
  a.f32()[3] = 2;          // row 0, column 3
  b.f32()[5 * 2 + 0] = 4;  // row 5, column 0
  LoraAdapter adapter{.rank = 2, .alpha = 4, .base_model = "base"};
  adapter.weights = {{"layers.1.wq.lora_a", a.view()}, {"layers.1.wq.lora_b", b.view()}};
  auto saved = save_peft_adapter(folder.path(), model->config, adapter);
  ASSERT_TRUE(saved) << saved.error().to_string();
  const Json config = *parse_json(*read_file(folder.path() / "adapter_config.json"));
  EXPECT_EQ(config["target_modules"], Json({"model.layers.1.self_attn.q_proj"})) << "one layer only: its whole path";
  auto names = open_safetensors(folder.path() / "adapter_model.safetensors");
  EXPECT_TRUE(names->find("base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight"));

  auto back = read_adapter(folder.path(), model->config);
  ASSERT_TRUE(back) << error_of(back);
  auto again = as_lora(*back);
  ASSERT_TRUE(again) << error_of(again);
  EXPECT_EQ(again->rank, 2);
  EXPECT_EQ(again->alpha, 4);
  const Tensor before = to_f32(model->weights.at("layers.1.wq"));
  ASSERT_TRUE(apply_adapter(*std::move(back), *model));
  const TensorView after = model->weights.at("layers.1.wq");
  for (int64_t i = 0; i < 64 * 64; ++i) EXPECT_FLOAT_EQ(after.f32()[i] - before.f32()[i], i == 5 * 64 + 3 ? 16 : 0);

  EXPECT_TRUE(contains(error_of(read_adapter(folder.path(), config_of("head_dim_fp32"))), "another model"));
}

// Phi 3 has one matrix for queries, keys and values: adapters of the three are one of it, and three again when read.
TEST(Adapters, RolesThatAreFusedInPeftBecomeOneAdapter) {
  Folder folder;
  const ModelConfig config = config_of("phi3_fp32");
  const auto specs = (*find_architecture(config.family))->parameters(config);
  LoraAdapter adapter{.rank = 2, .alpha = 6, .base_model = "base"};
  std::vector<Tensor> keeper;
  for (const ParameterSpec& spec : specs) {
    if (!spec.role.starts_with("layers.0.w")) continue;
    for (auto [half, shape] :
         {std::pair{".lora_a", Shape{2, spec.shape.last()}}, {".lora_b", Shape{spec.shape[0], 2}}}) {
      keeper.emplace_back(TensorType{Dtype::f32, shape});
      for (int64_t i = 0; i < shape.n_elements(); ++i)
        keeper.back().f32()[i] = static_cast<float>(i + static_cast<int64_t>(keeper.size()) * 1000);
      adapter.weights[spec.role + half] = keeper.back().view();
    }
  }
  ASSERT_GT(adapter.weights.size(), 6u);
  auto saved = save_peft_adapter(folder.path(), config, adapter);
  ASSERT_TRUE(saved) << saved.error().to_string();
  auto file = open_safetensors(folder.path() / "adapter_model.safetensors");
  const StoredTensor* fused = file->find("base_model.model.model.layers.0.self_attn.qkv_proj.lora_A.weight");
  ASSERT_TRUE(fused);
  EXPECT_EQ(fused->shape[0], 6);
  auto back = read_adapter(folder.path(), config);
  ASSERT_TRUE(back) << error_of(back);
  auto lora = as_lora(*back);
  ASSERT_TRUE(lora) << error_of(lora);
  EXPECT_EQ(lora->rank, 2);
  EXPECT_FLOAT_EQ(lora->alpha, 6);
  ASSERT_EQ(lora->weights.size(), adapter.weights.size());
  for (const auto& [role, view] : adapter.weights) {
    const TensorView& other = lora->weights.at(role);
    ASSERT_TRUE(other.type == view.type) << role;
    for (int64_t i = 0; i < view.shape().n_elements(); ++i) ASSERT_EQ(other.f32()[i], view.f32()[i]) << role;
  }
}

TEST(Adapters, DamagedOnesAreNamed) {
  const ModelConfig config = config_of("gqa_untied_fp32");
  const std::string q = "base_model.model.model.layers.0.self_attn.q_proj.";
  auto with = [&](const std::vector<std::pair<std::string, std::vector<int64_t>>>& shapes) {
    Folder folder;
    EXPECT_TRUE(folder.config(kPlain));
    std::vector<float> zeros(64 * 128);
    std::vector<TensorToWrite> tensors;
    for (auto& [name, shape] : shapes) {
      int64_t n = 1;
      for (const int64_t dim : shape) n *= dim;
      tensors.push_back({name, Dtype::f32, shape, [&zeros, n]() -> Result<std::span<const std::byte>> {
                           return std::as_bytes(std::span(zeros).first(static_cast<size_t>(n)));
                         }});
    }
    EXPECT_TRUE(write_safetensors(folder.path() / "adapter_model.safetensors", std::move(tensors)));
    return error_of(read_adapter(folder.path(), config));
  };
  EXPECT_EQ(with({{q + "lora_A.weight", {2, 64}}, {q + "lora_B.weight", {64, 2}}}), "no error");
  EXPECT_TRUE(contains(with({{q + "lora_A.weight", {2, 64}}}), "lora_A without lora_B"));
  EXPECT_TRUE(contains(with({{q + "lora_B.weight", {64, 2}}}), "lora_B without lora_A"));
  EXPECT_TRUE(contains(with({{q + "lora_A.weight", {3, 64}}, {q + "lora_B.weight", {64, 3}}}), "[2, 64]"));
  EXPECT_TRUE(contains(with({{q + "lora_A.weight", {2, 64}}, {q + "lora_B.weight", {65, 2}}}), "another model"));
  EXPECT_TRUE(contains(with({{q + "lora_A.weight", {128}}, {q + "lora_B.weight", {64, 2}}}), "shape"));
  EXPECT_TRUE(contains(with({{"base_model.model.score.weight", {2, 64}}}), "\"score.weight\""));
  EXPECT_TRUE(contains(with({{"base_model.model.lm_head.weight", {2, 64}}}), "lm_head.weight"));
  EXPECT_TRUE(contains(with({{"model.layers.0.self_attn.q_proj.weight", {64, 64}}}), "base_model.model."));
  EXPECT_TRUE(contains(with({{q + "lora_C.weight", {2, 64}}}), "lora_C"));
  EXPECT_TRUE(contains(with({{"base_model.model.model.norm.lora_A.weight", {2, 64}},
                             {"base_model.model.model.norm.lora_B.weight", {64, 2}}}),
                       "no matrix"));
}

TEST(Adapters, QuantisedBasesAreMergedInATypeThatHoldsTheUpdate) {
  EXPECT_EQ(merged_dtype({Dtype::bf16, {4, 64}}), Dtype::bf16);
  EXPECT_EQ(merged_dtype({Dtype::f32, {4, 64}}), Dtype::f32);
  EXPECT_EQ(merged_dtype({Dtype::q4_0, {4, 64}}), Dtype::q8_0);
  EXPECT_EQ(merged_dtype({Dtype::q4_k, {4, 256}}), Dtype::q8_0);
}

TEST(Adapters, TheBaseIsFoundByALinkOrByItsPath) {
  Folder folder;
  auto adapter_of = [&](const std::string& base) {
    Json json = kPlain;
    json["base_model_name_or_path"] = base;
    EXPECT_TRUE(folder.config(json));
  };
  adapter_of("someone/something");
  EXPECT_TRUE(is_adapter_folder(folder.path()));
  auto none = base_of_adapter(folder.path());
  EXPECT_EQ(none.error().code, Code::failed_precondition);
  EXPECT_TRUE(contains(error_of(none), "someone/something"));
  EXPECT_TRUE(contains(error_of(none), "--base"));
  adapter_of(golden("gqa_untied_fp32").string());
  EXPECT_EQ(*base_of_adapter(folder.path()), golden("gqa_untied_fp32"));
  ASSERT_TRUE(link_base(folder.path(), golden("head_dim_fp32")));
  EXPECT_EQ(*base_of_adapter(folder.path()), fs::canonical(golden("head_dim_fp32")));
  ASSERT_TRUE(link_base(folder.path(), golden("phi3_fp32")));
  EXPECT_EQ(*base_of_adapter(folder.path()), fs::canonical(golden("phi3_fp32")));
  ASSERT_TRUE(link_base(folder.path(), "."));
  EXPECT_TRUE(contains(error_of(load_model(folder.path())), "an adapter of an adapter"));
}

}  // namespace
}  // namespace hearth::adapters_test
