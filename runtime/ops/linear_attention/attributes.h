// What the linear attention ops have in common. A head keeps a matrix S [dk, dv] that forgets, learns and is asked:
//
//   S ← e^log_decay S                    (log_decay <= 0)
//   u = beta (v - Sᵀ k)                  the delta rule: learn what S does not know yet
//   u = beta v                           without it: Mamba 2's state space duality (k = B, q = C, beta = step)
//   S ← S + k uᵀ
//   out = Sᵀ q + skip v
//
// "Gated Delta Networks" (Yang et al., 2024), "Transformers are SSMs" (Dao and Gu, 2024).
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

struct LinearAttentionAttributes {
  int n_k_heads = 0, n_v_heads = 0;  // which q and k a value head reads: k_head_of()
  int k_dim = 0, v_dim = 0;          // of a head
  bool delta_rule = true;
  bool has_skip = false;  // an extra input [n_v_heads]
  bool is_tiled = false;  // value heads go round the key heads, instead of standing together by key head

  int k_head_of(int h) const { return is_tiled ? h % n_k_heads : h / (n_v_heads / n_k_heads); }
  Shape k_shape(int64_t n_tokens) const { return {n_tokens, n_k_heads, k_dim}; }
  Shape v_shape(int64_t n_tokens) const { return {n_tokens, n_v_heads, v_dim}; }
  int64_t k_width() const { return int64_t{n_k_heads} * k_dim; }
  int64_t v_width() const { return int64_t{n_v_heads} * v_dim; }
  std::string to_string() const;
};

// The attributes; q and k [T, Hk, dk], v [T, Hv, dv], log_decay and beta [T, Hv] as inputs 0 to 4; skip [Hv] as the
// input after n_inputs others.
Result<void> check_linear_attention(std::string_view op, const LinearAttentionAttributes& a, Types inputs,
                                    size_t n_inputs);

// One head of the reference: S, forgetting and learning in double.
class LinearAttentionHead {
 public:
  LinearAttentionHead(const LinearAttentionAttributes& a, Views inputs, int head)
      : a_(a), inputs_(inputs), head_(head), S(static_cast<size_t>(a.k_dim) * static_cast<size_t>(a.v_dim)) {}
  // Token t is learnt; out [dv] is what S answers to it, without skip.
  void step(int64_t t, double* out);
  const float* q(int64_t t) const { return key(0, t); }
  const float* k(int64_t t) const { return key(1, t); }
  const float* v(int64_t t) const { return inputs_[2].f32() + t * a_.v_width() + int64_t{head_} * a_.v_dim; }
  double gate(size_t input, int64_t t) const { return inputs_[input].f32()[t * a_.n_v_heads + head_]; }
  int k_head() const { return a_.k_head_of(head_); }
  std::vector<double> u(int64_t t, double decay) const;  // what token t teaches, before S forgets

 private:
  const float* key(size_t input, int64_t t) const {
    return inputs_[input].f32() + t * a_.k_width() + int64_t{k_head()} * a_.k_dim;
  }
  const LinearAttentionAttributes& a_;
  Views inputs_;
  int head_;

 public:
  std::vector<double> S;
};

}  // namespace hearth
