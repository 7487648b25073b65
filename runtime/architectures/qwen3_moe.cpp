// Qwen3-MoE: Qwen3 (norms of each head's q and k) with many small experts in most layers, none of them shared.
#include <algorithm>

#include "runtime/architectures/common_config.h"
#include "runtime/architectures/experts.h"
#include "runtime/architectures/families.h"

namespace hearth {
namespace {

constexpr HfKey kQwen3MoeKeys[] = {{"attention_bias", false},
                                   {"decoder_sparse_step", 1},
                                   {"hidden_act", "silu"},
                                   {"hidden_size", 2048},
                                   {"intermediate_size", 6144},
                                   {"max_position_embeddings", 32'768},
                                   {"mlp_only_layers", kNone},
                                   {"moe_intermediate_size", 768},
                                   {"norm_topk_prob", false},
                                   {"num_attention_heads", 32},
                                   {"num_experts", 128},
                                   {"num_experts_per_tok", 8},
                                   {"num_hidden_layers", 24},
                                   {"num_key_value_heads", 4},
                                   {"num_local_experts", kNone},
                                   {"rms_norm_eps", 1e-06},
                                   {"sliding_window", 4096, HfRule::or_null},
                                   {"tie_word_embeddings", false},
                                   {"use_sliding_window", false, HfRule::only},
                                   {"vocab_size", 151'936}};

class Qwen3Moe final : public Architecture {
 public:
  std::string_view family() const override { return "qwen3_moe"; }
  std::string_view hf_architecture() const override { return "Qwen3MoeForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kQwen3MoeKeys; }
  std::string_view gguf_architecture() const override { return "qwen3moe"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    ParameterTable t(c);
    t.embed();
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.norm("attn_norm", "input_layernorm", "attn_norm");
      t.attention({.qkv_bias = c.attention_bias, .o_bias = c.attention_bias});
      t.qk_norm();
      t.norm("ffn_norm", "post_attention_layernorm", "ffn_norm");
      if (c.moe.has_experts(l))
        add_experts(t, c, {});
      else
        t.glu();
    }
    return t.finish();
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_hf(source, c));
    c.moe.n_experts = TRY(source.count(source.has("num_local_experts") ? "num_local_experts" : "num_experts"));
    c.moe.d_ff = TRY(source.count("moe_intermediate_size"));
    c.moe.routing.n_chosen = TRY(source.count("num_experts_per_tok"));
    c.moe.routing.normalise = TRY(source.boolean("norm_topk_prob"));
    return read_dense_layers(source, c);
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    sink.remove("mlp_bias");
    sink.set("num_experts", c.moe.n_experts);
    sink.set("moe_intermediate_size", c.moe.d_ff);
    sink.set("num_experts_per_tok", c.moe.routing.n_chosen);
    sink.set("norm_topk_prob", c.moe.routing.normalise);
    sink.set("decoder_sparse_step", 1);
    std::vector<int64_t> dense;
    for (int l = 0; l < c.n_layers; ++l)
      if (!c.moe.has_experts(l)) dense.push_back(l);
    sink.set("mlp_only_layers", dense);
  }

  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_gguf(source, c));
    c.moe.routing.normalise = true;  // such files do not say it; every published model does
    TRY(read_experts_gguf(source, c));
    std::vector<bool> dense;
    for (int l = 0; l < c.n_layers; ++l)
      dense.push_back(!source.has_tensor(fmt::format("blk.{}.ffn_gate_inp.weight", l)));
    if (std::find(dense.begin(), dense.end(), true) != dense.end()) c.moe.dense_layers = std::move(dense);
    return {};
  }
  void write_gguf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_gguf(c, sink);
    write_experts_gguf(c, sink);
    sink.remove("leading_dense_block_count");
  }

 private:
  // Experts in every decoder_sparse_step-th layer, but not in those of mlp_only_layers.
  static Result<void> read_dense_layers(const ConfigSource& source, ModelConfig& c) {
    const int step = TRY(source.count("decoder_sparse_step"));
    std::vector<int64_t> listed;
    if (source.has("mlp_only_layers")) listed = TRY(source.integers("mlp_only_layers"));
    if (step <= 1 && listed.empty()) return {};
    for (int l = 0; l < c.n_layers; ++l)
      c.moe.dense_layers.push_back((step > 0 && (l + 1) % step != 0) ||
                                   std::find(listed.begin(), listed.end(), l) != listed.end());
    return {};
  }
};

}  // namespace

const Architecture& qwen3_moe() {
  static const Qwen3Moe architecture;
  return architecture;
}

}  // namespace hearth
