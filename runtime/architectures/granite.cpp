// Granite 3: Llama with factors on embeddings, residuals, scores and logits.
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/parameter_table.h"

namespace hearth {
namespace {

// Both kinds of files say what the logits are divided by.
Result<void> set_logits(double divisor, ModelConfig& c) {
  if (divisor == 0) return error(Code::invalid_argument, "the divisor of logits is 0");
  c.scale.logits = 1 / divisor;
  return {};
}

constexpr HfKey kGraniteKeys[] = {{"attention_bias", false},
                                  {"attention_multiplier", 1.0},
                                  {"embedding_multiplier", 1.0},
                                  {"hidden_act", "silu"},
                                  {"hidden_size", 4096},
                                  {"intermediate_size", 11'008},
                                  {"logits_scaling", 1.0},
                                  {"max_position_embeddings", 2048},
                                  {"mlp_bias", false},
                                  {"num_attention_heads", 32},
                                  {"num_hidden_layers", 32},
                                  {"num_key_value_heads", kNone},
                                  {"residual_multiplier", 1.0},
                                  {"rms_norm_eps", 1e-06},
                                  {"tie_word_embeddings", false},
                                  {"vocab_size", 32'000}};

class Granite final : public Architecture {
 public:
  std::string_view family() const override { return "granite"; }
  std::string_view hf_architecture() const override { return "GraniteForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kGraniteKeys; }
  std::string_view gguf_architecture() const override { return "granite"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    return plain_decoder(c, {.qkv_bias = c.attention_bias, .o_bias = c.attention_bias, .gguf_rope_rows = true});
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_hf(source, c));
    c.scale.embedding = TRY(source.number("embedding_multiplier"));
    c.scale.residual = TRY(source.number("residual_multiplier"));
    c.scale.attention = TRY(source.number("attention_multiplier"));
    if (c.scale.attention == 0) return error(Code::invalid_argument, "configuration key \"attention_multiplier\" is 0");
    return set_logits(TRY(source.number("logits_scaling")), c);
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    sink.set("embedding_multiplier", c.scale.embedding);
    sink.set("residual_multiplier", c.scale.residual);
    sink.set("attention_multiplier", c.scale.attention);
    sink.set("logits_scaling", 1 / c.scale.logits);
  }
  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_gguf(source, c));
    TRY(source.expect("rope.scaling.finetuned", true));
    return read_granite_scales_gguf(source, c);
  }
  void write_gguf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_gguf(c, sink);
    sink.set("embedding_scale", c.scale.embedding);
    sink.set("residual_scale", c.scale.residual);
    sink.set("attention.scale", c.scale.attention);
    sink.set("logit_scale", 1 / c.scale.logits);
  }
};

}  // namespace

Result<void> read_granite_scales_gguf(const ConfigSource& source, ModelConfig& c) {
  c.scale.embedding = TRY(source.number_or("embedding_scale", 1));
  c.scale.residual = TRY(source.number_or("residual_scale", 1));
  c.scale.attention = TRY(source.number_or("attention.scale", 0));
  return set_logits(TRY(source.number_or("logit_scale", 1)), c);
}

const Architecture& granite() {
  static const Granite architecture;
  return architecture;
}

}  // namespace hearth
