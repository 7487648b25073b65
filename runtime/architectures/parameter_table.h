// Builds a family's parameter table: roles and file names of one layer at a time, and the blocks that many families
// share.
//
//   ParameterTable t(c);
//   t.embed();
//   for (int l = 0; l < c.n_layers; ++l) {
//     t.begin_layer(l);
//     t.norm("attn_norm", "input_layernorm", "attn_norm");
//     t.attention({.qkv_bias = true});
//     t.qk_norm();
//     t.norm("ffn_norm", "post_attention_layernorm", "ffn_norm");
//     t.glu();
//   }
//   return t.finish();       // final_norm, and lm_head where it is not tied
#pragma once

#include "runtime/architectures/architecture.h"

namespace hearth {

class ParameterTable {
 public:
  // `hf_root` stands before all names in Hugging Face files, `hf_layers` between it and a layer's number.
  explicit ParameterTable(const ModelConfig& config, std::string hf_root = "model.", std::string hf_layers = "layers.");

  // What differs between families in the attention block.
  struct Attention {
    bool qkv_bias = false, o_bias = false;
    bool gguf_rope_rows = false;  // GGUF files keep rotated pairs of wq and wk side by side
    bool hf_rope_rows = false;    // and so do Hugging Face files
    bool hf_fused = false;        // one matrix self_attn.qkv_proj there
    bool gguf_fused = false;      // one matrix attn_qkv there
    bool has_keys = true;         // "wk" and "wv"
    bool has_values = true;       // "wv"
  };

  // Names are of modules: ".weight" (and ".bias") is appended; relative to the layer begun last.
  void begin_layer(int layer);
  void end_layers();
  ParameterSpec& norm(std::string_view role, std::string_view hf, std::string_view gguf, int64_t size = 0);
  void layer_norm(std::string_view role, std::string_view hf, std::string_view gguf);  // with its bias
  void embedding(std::string_view role, int64_t n, ParameterAxis axis, std::string_view hf, std::string_view gguf);
  // With a bias of the same storage where `has_bias`.
  void matrix(std::string_view role, Shape shape, std::vector<ParameterAxis> axes, const Storage& hf,
              const Storage& gguf, bool has_bias = false);
  // The same with whole names ("self_attn.sinks"), relative to the layer, for what is no plain module.
  void weight(std::string_view role, ParameterKind kind, Shape shape, std::vector<ParameterAxis> axes,
              const Storage& hf, const Storage& gguf);
  void add(ParameterSpec spec) { specs_.push_back(std::move(spec)); }  // as given

  void embed();                                          // "embed" [V, C]
  void attention(const Attention& what);                 // "wq", "wk", "wv", "wo" for this layer's heads
  void qk_norm(int64_t size_q = 0, int64_t size_k = 0);  // "q_norm", "k_norm"; size 0: head_dim
  void glu(bool hf_fused = false, bool gguf_fused = false, int64_t d_ff = 0);  // "w_gate", "w_up", "w_down"
  std::vector<ParameterSpec> finish();                             // "final_norm", and "lm_head" unless tied
  std::vector<ParameterSpec> take() { return std::move(specs_); }  // nothing more

  // Offset of norm weights: Gemma's Hugging Face files hold w - 1.
  void set_hf_norm_offset(float offset) { hf_norm_offset_ = offset; }

 private:
  Storage within(const Storage& storage, const std::string& prefix, const char* suffix) const;

  ModelConfig c_;
  std::string hf_root_, hf_layers_, role_, hf_, gguf_;
  int layer_ = -1;
  float hf_norm_offset_ = 0;
  std::vector<ParameterSpec> specs_;
};

// The table of Llama and its like: norm, attention, norm, gated feed-forward.
std::vector<ParameterSpec> plain_decoder(const ModelConfig& config, const ParameterTable::Attention& attention);

}  // namespace hearth
