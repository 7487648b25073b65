// Mixtral: Llama with experts in place of each MLP; the weights of the chosen are normalised.
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/experts.h"
#include "runtime/architectures/families.h"

namespace hearth {
namespace {

constexpr HfKey kMixtralKeys[] = {{"hidden_act", "silu"},        {"hidden_size", 4096},
                                  {"intermediate_size", 14'336}, {"max_position_embeddings", 131'072},
                                  {"num_attention_heads", 32},   {"num_experts", kNone},
                                  {"num_experts_per_tok", 2},    {"num_hidden_layers", 32},
                                  {"num_key_value_heads", 8},    {"num_local_experts", 8},
                                  {"rms_norm_eps", 1e-05},       {"rope_theta", 1'000'000.0},
                                  {"sliding_window", kNone},     {"tie_word_embeddings", false},
                                  {"vocab_size", 32'000}};

class Mixtral final : public Architecture {
 public:
  std::string_view family() const override { return "mixtral"; }
  std::string_view hf_architecture() const override { return "MixtralForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kMixtralKeys; }
  std::string_view gguf_architecture() const override { return "llama"; }
  bool claims_gguf(const ConfigSource& source) const override { return source.has("expert_count"); }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    const std::string block = "block_sparse_moe.";
    ParameterTable t(c);
    t.embed();
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.norm("attn_norm", "input_layernorm", "attn_norm");
      t.attention({.gguf_rope_rows = true});
      t.norm("ffn_norm", "post_attention_layernorm", "ffn_norm");
      add_experts(t, c,
                  {.router = block + "gate",
                   .gate = block + "experts.{}.w1",
                   .up = block + "experts.{}.w3",
                   .down = block + "experts.{}.w2"});
    }
    return t.finish();
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_hf(source, c));
    TRY(read_window_everywhere(source, "sliding_window", c));
    c.moe.n_experts = TRY(source.count(source.has("num_experts") ? "num_experts" : "num_local_experts"));
    c.moe.d_ff = c.d_ff;
    c.moe.routing.n_chosen = TRY(source.count("num_experts_per_tok"));
    c.moe.routing.normalise = true;
    return {};
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    sink.remove("attention_bias");
    sink.remove("mlp_bias");
    if (c.window > 0) sink.set("sliding_window", c.window);
    sink.set("num_local_experts", c.moe.n_experts);
    sink.set("num_experts_per_tok", c.moe.routing.n_chosen);
  }

  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_gguf(source, c));
    c.moe.routing.normalise = true;
    return read_experts_gguf(source, c);
  }
  void write_gguf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_gguf(c, sink);
    write_experts_gguf(c, sink);
  }
  Result<void> fits_gguf(const ModelConfig& c) const override {
    if (c.window == 0) return {};
    return error(Code::unimplemented, "GGUF files cannot say that this model has a window of {} tokens", c.window);
  }
};

}  // namespace

const Architecture& mixtral() {
  static const Mixtral architecture;
  return architecture;
}

}  // namespace hearth
