// Mistral 7B, Nemo, Small: Llama with, in the first releases, a window over all layers. GGUF files call it llama.
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/parameter_table.h"

namespace hearth {
namespace {

constexpr HfKey kMistralKeys[] = {{"hidden_act", "silu"},
                                  {"hidden_size", 4096},
                                  {"intermediate_size", 14'336},
                                  {"max_position_embeddings", 131'072},
                                  {"num_attention_heads", 32},
                                  {"num_hidden_layers", 32},
                                  {"num_key_value_heads", 8},
                                  {"rms_norm_eps", 1e-06},
                                  {"sliding_window", 4096, HfRule::or_null},
                                  {"tie_word_embeddings", false},
                                  {"vocab_size", 32'000}};

class Mistral final : public Architecture {
 public:
  std::string_view family() const override { return "mistral"; }
  std::string_view hf_architecture() const override { return "MistralForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kMistralKeys; }
  std::string_view gguf_architecture() const override { return "llama"; }
  bool claims_gguf(const ConfigSource&) const override { return false; }  // Llama reads them: there is no difference

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    return plain_decoder(c, {.gguf_rope_rows = true});
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_hf(source, c));
    return read_window_everywhere(source, "sliding_window", c);
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    sink.remove("attention_bias");
    sink.remove("mlp_bias");
    sink.set_or_null("sliding_window", c.window);
  }
  Result<void> fits_gguf(const ModelConfig& c) const override {
    if (c.window == 0) return {};
    return error(Code::unimplemented, "GGUF files cannot say that this model has a window of {} tokens", c.window);
  }
};

}  // namespace

const Architecture& mistral() {
  static const Mistral architecture;
  return architecture;
}

}  // namespace hearth
