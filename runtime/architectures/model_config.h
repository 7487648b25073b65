// A model's hyper-parameters in the field's names, one set for all families. Importers translate into it.
// Groups that a family does not use keep their neutral defaults.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/ops/route/routing.h"
#include "runtime/ops/swiglu_clamped/form.h"

namespace hearth {

inline constexpr int kMostLayers = 1000;  // more are refused by validate()

struct RopeConfig {
  enum class Scaling { none, linear, llama3, yarn, longrope, proportional };
  double theta = 10000;
  int rotary_dim = 0;  // how many of a head's dimensions are rotated, the first ones; 0: all
  Scaling scaling = Scaling::none;
  double factor = 1;
  int original_max_seq_len = 0;                      // llama3, yarn, longrope
  double low_freq_factor = 1, high_freq_factor = 4;  // llama3
  double beta_fast = 32, beta_slow = 1;              // yarn
  double attention_factor = 0;                       // yarn, longrope: multiplies cos and sin; 0: from the factor
  double mscale = 0, mscale_all_dim = 0;             // yarn: both set: the ratio of their attention factors
  bool truncate = true;                              // yarn: round the correction range to whole dimensions
  std::vector<double> short_factors, long_factors;   // longrope: one divisor per frequency, up to and beyond original
  bool operator==(const RopeConfig&) const = default;
};

enum class LayerKind : uint8_t {
  full,     // attention to everything before
  sliding,  // attention to the last `window` positions
  linear,   // a recurrence in place of attention: see RecurrentConfig
};

enum class Activation : uint8_t { silu, gelu, gelu_tanh };  // gelu: by the error function

// Factors on the residual stream and around it.
struct ScaleConfig {
  double embedding = 1;  // of the embedded tokens
  double residual = 1;   // of what each block adds
  double attention = 0;  // of the scores; 0: 1 / sqrt(head_dim)
  double logits = 1;
  // Queries at position p are multiplied by 1 + query_beta * ln(1 + floor(p / query_period)); query_beta 0: not.
  double query_beta = 0;
  int query_period = 0;
  bool operator==(const ScaleConfig&) const = default;
};

// Keys and values that layers do not compute of their own.
struct KvSharingConfig {
  int n_layers = 0;              // the last ones attend to keys and values of the last layer of their kind before them
  bool doubles_d_ff = false;     // and are twice as wide between
  bool values_are_keys = false;  // in full layers, values are the keys before norm and rotation
  bool operator==(const KvSharingConfig&) const = default;
};

// A second, narrow embedding of each token for each layer; width 0: none.
struct PerLayerInputConfig {
  int width = 0, vocab_size = 0;
  bool operator==(const PerLayerInputConfig&) const = default;
};

// Models that read and do not write: embedders and rerankers.
enum class Pooling : uint8_t { mean, first };  // of a text's rows: their mean, or that of the first token
struct EncoderConfig {
  int n_token_types = 0;
  Pooling pooling = Pooling::mean;
  bool operator==(const EncoderConfig&) const = default;
};

// Experts in place of a layer's MLP.
struct MoeConfig {
  int n_experts = 0;               // 0: no experts
  int d_ff = 0;                    // of one expert
  int d_ff_shared = 0;             // of the expert that every token goes through; 0: none
  Routing routing;                 // n_chosen of the n_experts for each token
  ClampedSwiglu swiglu;            // limit 0: the model's plain activation
  std::vector<bool> dense_layers;  // one per layer: true where there is an MLP after all; empty: nowhere
  bool has_experts(int layer) const {
    return n_experts > 0 && (dense_layers.empty() || !dense_layers[static_cast<size_t>(layer)]);
  }
  bool operator==(const MoeConfig&) const = default;
};

// Latent attention: keys and values of all heads from one row of kv_rank numbers, beside rope_dim rotated ones.
struct MlaConfig {
  int q_rank = 0;                                 // queries go through that many numbers; 0: directly
  int kv_rank = 0;                                // 0: no latent attention
  int nope_dim = 0, rope_dim = 0, value_dim = 0;  // of each head: not rotated, rotated, value
  bool rope_interleaved = true;                   // rotated pairs are neighbours
  bool operator==(const MlaConfig&) const = default;
};

// Linear layers: gated delta nets, and Mamba 2 (whose groups are key heads, whose state is k_dim wide, and whose heads
// are value heads).
struct RecurrentConfig {
  int n_k_heads = 0, n_v_heads = 0;  // 0: no linear layers
  int k_dim = 0, v_dim = 0;          // of a head
  int conv_width = 0;                // taps of the convolution before it
  bool conv_bias = false;
  bool tiled_heads = false;           // value heads go round the key heads: how some GGUF files have them
  double min_step = 0, max_step = 0;  // of Mamba 2's step; max_step 0: no limit
  int k_width() const { return n_k_heads * k_dim; }
  int v_width() const { return n_v_heads * v_dim; }
  bool operator==(const RecurrentConfig&) const = default;
};

struct ModelConfig {
  std::string family = "llama";  // key of find_architecture()
  int n_layers = 0, d_model = 0, n_heads = 0, n_kv_heads = 0, head_dim = 0, d_ff = 0, vocab_size = 0;
  int max_seq_len = 0;
  double norm_eps = 1e-5;
  RopeConfig rope;
  bool tied_embeddings = false;
  bool attention_bias = false, mlp_bias = false;
  double init_std = 0.02;
  Activation activation = Activation::silu;

  // Layers of several kinds.
  std::vector<LayerKind> layer_kinds;              // one per layer; empty: all full
  int window = 0;                                  // of sliding layers: a token sees itself and window - 1 before it
  std::optional<RopeConfig> sliding_rope;          // of sliding layers, where it is not `rope`
  std::vector<bool> layers_without_rope;           // one per layer; empty: none
  int sliding_head_dim = 0, sliding_kv_heads = 0;  // of sliding layers, where they are not as in full ones; 0: they are
  KvSharingConfig kv_sharing;
  PerLayerInputConfig per_layer_input;
  bool causal = true;  // false: a token sees all of its text
  EncoderConfig encoder;

  RecurrentConfig recurrent;

  double attention_softcap = 0, logit_softcap = 0;  // c * tanh(x / c); 0: none
  ScaleConfig scale;
  bool qk_norm = false;  // norms of q and k, in families that have models with and without
  MoeConfig moe;
  MlaConfig mla;

  LayerKind layer_kind(int layer) const {
    return layer_kinds.empty() ? LayerKind::full : layer_kinds[static_cast<size_t>(layer)];
  }
  bool has_rope(int layer) const {
    return layers_without_rope.empty() || !layers_without_rope[static_cast<size_t>(layer)];
  }
  const RopeConfig& rope_of(int layer) const {
    return sliding_rope && layer_kind(layer) == LayerKind::sliding ? *sliding_rope : rope;
  }
  bool is_sliding(int layer) const { return layer_kind(layer) == LayerKind::sliding; }
  int head_dim_of(int layer) const { return is_sliding(layer) && sliding_head_dim > 0 ? sliding_head_dim : head_dim; }
  int kv_heads_of(int layer) const { return is_sliding(layer) && sliding_kv_heads > 0 ? sliding_kv_heads : n_kv_heads; }
  int kv_layer_of(int layer) const;  // the layer whose keys and values this one attends to, usually itself
  int d_ff_of(int layer) const { return kv_sharing.doubles_d_ff && kv_layer_of(layer) != layer ? 2 * d_ff : d_ff; }
  float attention_scale() const;         // what the scores are multiplied by
  ModelConfig with_layers(int n) const;  // just the first n, for estimates
  bool operator==(const ModelConfig&) const = default;
};

// Every bound that keeps later arithmetic safe (positive, n_heads % n_kv_heads == 0, even head_dim, sizes within
// limits).
Result<void> validate(const ModelConfig& config);

struct RopeTable {
  std::vector<float> inverse_frequencies;  // one per rotated pair, radians per position
  float magnitude = 1;                     // yarn and longrope scale cos and sin by this
};
// `max_seq_len`: the longest sequence that will be run, which chooses between the factors of longrope.
RopeTable rope_table(const RopeConfig& rope, int head_dim, int max_seq_len = 0);

}  // namespace hearth
