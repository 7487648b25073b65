// A model's hyper-parameters in the field's names, one set for all families. Importers translate into it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace hearth {

struct RopeConfig {
  enum class Scaling { none, linear, llama3, yarn };
  double theta = 10000;
  Scaling scaling = Scaling::none;
  double factor = 1;
  int original_max_seq_len = 0;                      // llama3, yarn
  double low_freq_factor = 1, high_freq_factor = 4;  // llama3
  double beta_fast = 32, beta_slow = 1;              // yarn
  double attention_factor = 0;                       // yarn: 0 means 0.1 ln(factor) + 1
  double mscale = 0, mscale_all_dim = 0;             // yarn: both set: the ratio of their attention factors
  bool truncate = true;                              // yarn: round the correction range to whole dimensions
  bool operator==(const RopeConfig&) const = default;
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
  bool operator==(const ModelConfig&) const = default;
};

// Every bound that keeps later arithmetic safe (positive, n_heads % n_kv_heads == 0, even head_dim, sizes within
// limits).
Result<void> validate(const ModelConfig& config);

struct RopeTable {
  std::vector<float> inverse_frequencies;  // head_dim / 2, radians per position
  float magnitude = 1;                     // yarn scales cos and sin by this
};
RopeTable rope_table(const RopeConfig& rope, int head_dim);

}  // namespace hearth
