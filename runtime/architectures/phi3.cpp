// Phi 3, 3.5, 4 and 4-mini: fused projections in files, part of each head rotated, factors for long contexts.
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/parameter_table.h"
#include "runtime/architectures/rope_files.h"

namespace hearth {
namespace {

constexpr HfKey kPhi3Keys[] = {{"hidden_act", "silu"},
                               {"hidden_size", 3072},
                               {"intermediate_size", 8192},
                               {"max_position_embeddings", 4096},
                               {"num_attention_heads", 32},
                               {"num_hidden_layers", 32},
                               {"num_key_value_heads", kNone},
                               {"original_max_position_embeddings", 4096},
                               {"partial_rotary_factor", kNone},
                               {"rms_norm_eps", 1e-05},
                               {"sliding_window", kNone},
                               {"tie_word_embeddings", false},
                               {"vocab_size", 32'064}};

class Phi3 final : public Architecture {
 public:
  std::string_view family() const override { return "phi3"; }
  std::string_view hf_architecture() const override { return "Phi3ForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kPhi3Keys; }
  std::string_view gguf_architecture() const override { return "phi3"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    ParameterTable t(c);
    t.embed();
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.norm("attn_norm", "input_layernorm", "attn_norm");
      t.attention({.hf_fused = true, .gguf_fused = true});
      t.norm("ffn_norm", "post_attention_layernorm", "ffn_norm");
      t.glu(/*hf_fused=*/true, /*gguf_fused=*/true);
    }
    return t.finish();
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_hf(source, c));
    TRY(allow_scaling(c.rope, {RopeConfig::Scaling::none, RopeConfig::Scaling::longrope}));
    return read_window_everywhere(source, "sliding_window", c);
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    for (const char* key : {"attention_bias", "mlp_bias", "head_dim"}) sink.remove(key);
    sink.set_or_null("sliding_window", c.window);
    const int original = c.rope.original_max_seq_len;
    sink.set("original_max_position_embeddings", original > 0 ? original : c.max_seq_len);
    // The library takes the factor from the two lengths, and refuses others beside them.
    for (const char* key : {"rope_parameters.factor", "rope_scaling.factor"}) sink.remove(key);
  }
  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_gguf(source, c));
    set_window_everywhere(TRY(source.count_or("attention.sliding_window", 0)), c);
    return {};
  }
  void write_gguf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_gguf(c, sink);
    sink.set("attention.sliding_window", c.window);
  }
};

}  // namespace

const Architecture& phi3() {
  static const Phi3 architecture;
  return architecture;
}

}  // namespace hearth
