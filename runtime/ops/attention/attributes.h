// What all attention ops have in common: heads, and which keys a query sees with which weight.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

struct AttentionAttributes {
  int n_heads = 0;
  int n_kv_heads = 0;  // query head h reads key head h / (n_heads / n_kv_heads)
  int head_dim = 0;    // of q and k
  int value_dim = 0;   // of v and the output; 0: head_dim
  float softmax_scale = 1;
  int window = 0;          // token t sees tokens s with |t - s| < window; 0: all
  float softcap = 0;       // scores become softcap · tanh(score / softcap); 0: they stay
  bool has_sinks = false;  // an extra input [n_heads]: the score of a key that every query sees and whose value is zero
  bool causal = true;      // false: a token sees its whole document (the tokens with its segment_begin)

  int v_dim() const { return value_dim > 0 ? value_dim : head_dim; }
  Shape q_shape(int64_t n_tokens) const { return {n_tokens, n_heads, head_dim}; }
  Shape k_shape(int64_t n_tokens) const { return {n_tokens, n_kv_heads, head_dim}; }
  Shape v_shape(int64_t n_tokens) const { return {n_tokens, n_kv_heads, v_dim()}; }
  Shape out_shape(int64_t n_tokens) const { return {n_tokens, n_heads, v_dim()}; }
  int64_t q_width() const { return int64_t{n_heads} * head_dim; }
  int64_t k_width() const { return int64_t{n_kv_heads} * head_dim; }
  int64_t v_width() const { return int64_t{n_kv_heads} * v_dim(); }
  std::string to_string() const;  // attributes that have their neutral value are left out
};

// The attributes themselves, and q [T,H,D], k [T,K,D], v [T,K,Dv] as inputs 0, 1, 2; sinks [H] as the input after
// n_inputs others.
Result<void> check_attention(std::string_view op, const AttentionAttributes& a, Types inputs, size_t n_inputs);

// How many (query, key) pairs n tokens of one document have: an upper bound for n tokens of several.
double attention_pairs(const AttentionAttributes& a, double n);

}  // namespace hearth
