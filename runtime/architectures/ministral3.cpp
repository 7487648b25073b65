// Ministral 3: Mistral with YaRN, and queries that grow with the logarithm of their position.
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/parameter_table.h"

namespace hearth {
namespace {

class Ministral3 final : public Architecture {
 public:
  std::string_view family() const override { return "ministral3"; }
  std::string_view hf_architecture() const override { return "Ministral3ForCausalLM"; }
  std::string_view gguf_architecture() const override { return "mistral3"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    return plain_decoder(c, {.gguf_rope_rows = true});
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    c.head_dim = 128;
    TRY(read_common_hf(source, c));
    c.norm_eps = TRY(source.number_or("rms_norm_eps", 1e-5));
    c.scale.query_beta = TRY(source.number_or("rope_parameters.llama_4_scaling_beta", 0));
    c.scale.query_period = TRY(source.count_or("rope_parameters.original_max_position_embeddings", 0));
    return read_window_everywhere(source, "sliding_window", c);
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    for (const char* key : {"attention_bias", "mlp_bias"}) sink.remove(key);
    sink.set("rope_parameters.llama_4_scaling_beta", c.scale.query_beta);
    sink.set("rope_parameters.original_max_position_embeddings", c.scale.query_period);
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
};

}  // namespace

const Architecture& ministral3() {
  static const Ministral3 architecture;
  return architecture;
}

}  // namespace hearth
