// Ministral 3: Mistral with YaRN, and queries that grow with the logarithm of their position.
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/parameter_table.h"

namespace hearth {
namespace {

constexpr HfKey kMinistral3Keys[] = {{"head_dim", 128},
                                     {"hidden_act", "silu"},
                                     {"hidden_size", 4096},
                                     {"intermediate_size", 14'336},
                                     {"max_position_embeddings", 262'144},
                                     {"num_attention_heads", 32},
                                     {"num_hidden_layers", 34},
                                     {"num_key_value_heads", 8},
                                     {"rms_norm_eps", 1e-05},
                                     {"rope_parameters.beta_fast", 32.0},
                                     {"rope_parameters.beta_slow", 1.0},
                                     {"rope_parameters.factor", 16.0},
                                     {"rope_parameters.llama_4_scaling_beta", 0.1},
                                     {"rope_parameters.mscale", 1.0},
                                     {"rope_parameters.mscale_all_dim", 1.0},
                                     {"rope_parameters.original_max_position_embeddings", 16'384},
                                     {"rope_parameters.rope_theta", 1'000'000.0},
                                     {"rope_parameters.rope_type", "yarn"},
                                     {"sliding_window", kNone},
                                     {"tie_word_embeddings", false},
                                     {"vocab_size", 131'072}};

class Ministral3 final : public Architecture {
 public:
  std::string_view family() const override { return "ministral3"; }
  std::string_view hf_architecture() const override { return "Ministral3ForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kMinistral3Keys; }
  std::string_view gguf_architecture() const override { return "mistral3"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    return plain_decoder(c, {.gguf_rope_rows = true});
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_hf(source, c));
    TRY(read_query_scaling(source, c));
    return read_window_everywhere(source, "sliding_window", c);
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    for (const char* key : {"attention_bias", "mlp_bias"}) sink.remove(key);
    for (const std::string block : {"rope_parameters.", "rope_scaling."}) {  // the second wins where it is
      if (block == "rope_scaling." && c.rope.scaling == RopeConfig::Scaling::none) continue;
      sink.set(block + "llama_4_scaling_beta", c.scale.query_beta);
      sink.set(block + "original_max_position_embeddings", c.scale.query_period);
    }
    if (c.window > 0) sink.set("sliding_window", c.window);
  }
  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_gguf(source, c));
    c.scale.query_beta = TRY(source.number_or("attention.temperature_scale", 0));
    c.scale.query_period = c.rope.original_max_seq_len;
    // There, this is mscale_all_dim of the YaRN parameters, and mscale is 1.
    c.rope.mscale_all_dim = TRY(source.number_or("rope.scaling.yarn_log_multiplier", 0));
    if (c.rope.mscale_all_dim != 0) c.rope.mscale = 1, c.rope.attention_factor = 0;
    return {};
  }
  void write_gguf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_gguf(c, sink);
    if (c.scale.query_beta != 0) sink.set("attention.temperature_scale", c.scale.query_beta);
  }
  Result<void> fits_gguf(const ModelConfig& c) const override {
    const bool same_period = c.scale.query_beta == 0 || c.scale.query_period == c.rope.original_max_seq_len;
    if (same_period && c.window == 0) return {};
    return error(Code::unimplemented, "GGUF files cannot say the window or the period of query scaling of this model");
  }

 private:
  // The library needs both keys in the object with the position scaling.
  static Result<void> read_query_scaling(const ConfigSource& source, ModelConfig& c) {
    const std::string block = source.object_size("rope_scaling") > 0 ? "rope_scaling." : "rope_parameters.";
    c.scale.query_beta = TRY(source.number(block + "llama_4_scaling_beta"));
    c.scale.query_period = c.rope.original_max_seq_len > 0
                               ? c.rope.original_max_seq_len
                               : TRY(source.count(block + "original_max_position_embeddings"));
    return {};
  }
};

}  // namespace

const Architecture& ministral3() {
  static const Ministral3 architecture;
  return architecture;
}

}  // namespace hearth
