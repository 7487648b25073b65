// SmolLM3: Llama without positions in every fourth layer.
#include <algorithm>

#include "runtime/architectures/common_config.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/parameter_table.h"

namespace hearth {
namespace {

constexpr HfKey kSmollm3Keys[] = {
    {"attention_bias", false},     {"hidden_act", "silu"},        {"hidden_size", 2048},
    {"intermediate_size", 11'008}, {"layer_types", kNone},        {"max_position_embeddings", 32'768},
    {"mlp_bias", false},           {"no_rope_layer_interval", 4}, {"no_rope_layers", kNone},
    {"num_attention_heads", 16},   {"num_hidden_layers", 36},     {"num_key_value_heads", 4, HfRule::or_null},
    {"rms_norm_eps", 1e-06},       {"rope_theta", 2'000'000.0},   {"sliding_window", kNone},
    {"tie_word_embeddings", true}, {"use_sliding_window", false}, {"vocab_size", 128'256}};

class SmolLm3 final : public Architecture {
 public:
  std::string_view family() const override { return "smollm3"; }
  std::string_view hf_architecture() const override { return "SmolLM3ForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kSmollm3Keys; }
  std::string_view gguf_architecture() const override { return "smollm3"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    return plain_decoder(c, {.qkv_bias = c.attention_bias, .o_bias = c.attention_bias, .gguf_rope_rows = true});
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_hf(source, c));
    TRY(read_layers_without_rope(source, c));
    c.window = TRY(source.count_or("sliding_window", 0));
    if (TRY(source.boolean("use_sliding_window")) && source.has("sliding_window")) slide_without_rope(c);
    TRY(read_layer_types_hf(source, c));
    TRY(check_window(source, c));
    if (c.layer_kinds.empty()) c.window = 0;
    forget_unused_window(c);
    return {};
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    std::vector<int64_t> rotates;
    for (const bool without : c.layers_without_rope) rotates.push_back(!without);
    sink.set("no_rope_layers", rotates);
    sink.set("use_sliding_window", c.window > 0);
    if (c.window > 0) sink.set("sliding_window", c.window);
    write_layer_types_hf(c, sink);
  }
  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_gguf(source, c));
    set_interval(4, c);  // GGUF files do not say
    return {};
  }
  Result<void> fits_gguf(const ModelConfig& c) const override {
    ModelConfig usual = c;
    set_interval(4, usual);
    if (c == usual && c.window == 0) return {};
    return error(Code::unimplemented, "GGUF files of this family have positions in three of four layers and no window");
  }

 private:
  static Result<void> read_layers_without_rope(const ConfigSource& source, ModelConfig& c) {
    if (!source.has("no_rope_layers")) {
      const int interval = TRY(source.count("no_rope_layer_interval"));
      if (interval == 0) return error(Code::invalid_argument, "configuration key \"no_rope_layer_interval\" is 0");
      set_interval(interval, c);
      return {};
    }
    for (const int rotates : TRY(source.counts("no_rope_layers"))) c.layers_without_rope.push_back(rotates == 0);
    c.layers_without_rope.resize(std::min(c.layers_without_rope.size(), static_cast<size_t>(c.n_layers)));
    return {};
  }
  // Where layer_types says nothing, the layers without positions have the window.
  static void slide_without_rope(ModelConfig& c) {
    for (const bool without : c.layers_without_rope)
      c.layer_kinds.push_back(without ? LayerKind::sliding : LayerKind::full);
  }
  // Every n-th layer has no positions.
  static void set_interval(int n, ModelConfig& c) {
    c.layers_without_rope.clear();
    for (int l = 0; l < std::min(c.n_layers, 1 << 12); ++l) c.layers_without_rope.push_back(n > 0 && (l + 1) % n == 0);
  }
};

}  // namespace

const Architecture& smollm3() {
  static const SmolLm3 architecture;
  return architecture;
}

}  // namespace hearth
