// One head of linear attention over a run of tokens, in chunks of 64. Only for the cpu.cpp of linear_attention and
// linear_attention_cached.
//
// Inside of a chunk that begins with the state S, with c_t the sum of log_decay up to t, what token t teaches is
//   u_t = beta_t (v_t - e^c_t Sᵀ k_t - Σ_{j<t} e^(c_t - c_j) (k_t·k_j) u_j)
// a triangular system (without the delta rule just beta_t v_t). Then out_t = e^c_t Sᵀ q_t + Σ_{j<=t} e^(c_t - c_j)
// (q_t·k_j) u_j, and S becomes e^c_n S + Σ_j e^(c_n - c_j) k_j u_jᵀ: products of matrices but for the triangle.
// Exponents are <= 0; sums of log_decay are kept in double, because their differences matter.
#pragma once

#include "runtime/kernels/attention_block.h"
#include "runtime/ops/linear_attention/attributes.h"

namespace hearth::HEARTH_ISA {
namespace {  // no weak symbols in objects of one instruction set

struct LinearOperands {
  LinearOperands(const KernelArgs& args, const LinearAttentionAttributes& a, size_t n_inputs)
      : Hk(a.n_k_heads),
        Hv(a.n_v_heads),
        dk(a.k_dim),
        dv(a.v_dim),
        delta_rule(a.delta_rule),
        is_tiled(a.is_tiled),
        q(args.inputs[0].f32()),
        k(args.inputs[1].f32()),
        v(args.inputs[2].f32()),
        log_decay(args.inputs[3].f32()),
        beta(args.inputs[4].f32()),
        skip(a.has_skip ? args.inputs[n_inputs].f32() : nullptr) {}
  int64_t key(int64_t t, int64_t h) const { return (t * Hk + (is_tiled ? h % Hk : h / (Hv / Hk))) * dk; }
  // The i-th value head of a key head.
  int64_t value_head(int64_t kh, int64_t i) const { return is_tiled ? kh + i * Hk : kh * (Hv / Hk) + i; }
  int64_t value(int64_t t, int64_t h) const { return (t * Hv + h) * dv; }
  int64_t gate(int64_t t, int64_t h) const { return t * Hv + h; }

  const int64_t Hk, Hv, dk, dv;
  const bool delta_rule, is_tiled;
  const float *q, *k, *v, *log_decay, *beta, *skip;
};

class LinearChunks {
 public:
  static constexpr int64_t kChunk = kKeys, kStepwise = 4;  // fewer tokens go one by one

  static size_t scratch_floats(const LinearOperands& p) {
    return static_cast<size_t>(p.dk * kChunk + 16 + 2 * kChunk * kChunk + kChunk * (p.dk + p.dv) + 4 * kChunk);
  }

  LinearChunks(const LinearOperands& p, float* scratch, float* out)
      : p_(p),
        keys_(scratch),
        triangle_(keys_ + p.dk * kChunk + 16),
        weights_(triangle_ + kChunk * kChunk),
        scaled_keys_(weights_ + kChunk * kChunk),
        u_(scaled_keys_ + kChunk * p.dk),
        decay_(u_ + kChunk * p.dv),
        out_(out) {}

  // Tokens [begin, end) of one document, head h; S [dk][dv] is what came before, and after.
  void run(int64_t begin, int64_t end, int64_t h, float* S) {
    if (end - begin < kStepwise) {
      for (int64_t t = begin; t < end; ++t) step(t, h, S);
      return;
    }
    for (int64_t t = begin; t < end; t += kChunk) chunk(t, end - t < kChunk ? end - t : kChunk, h, S);
  }

  // One token: S is read and written once, or with the delta rule read twice.
  void step(int64_t t, int64_t h, float* S) {
    const float decay = std::exp(p_.log_decay[p_.gate(t, h)]);
    const float *q = p_.q + p_.key(t, h), *k = p_.k + p_.key(t, h);
    float* out = out_ + p_.value(t, h);
    memset(out, 0, static_cast<size_t>(p_.dv) * 4);
    learn(t, h, decay, S);
    for (int64_t i = 0; i < p_.dk; ++i) {
      float* row = S + i * p_.dv;
      const float ki = k[i], qi = q[i];
      over(0, p_.dv, [&](int64_t d, auto lanes) {
        const Vec s = load(row + d, lanes) * decay + load(u_ + d, lanes) * ki;
        store(row + d, s, lanes);
        store(out + d, load(out + d, lanes) + s * qi, lanes);
      });
    }
    add_skip(t, h);
  }

  // What token t teaches, into u() [dv]; S is that before it.
  void learn(int64_t t, int64_t h, float decay, const float* S) {
    const float *k = p_.k + p_.key(t, h), *v = p_.v + p_.value(t, h);
    const float beta = p_.beta[p_.gate(t, h)];
    memset(u_, 0, static_cast<size_t>(p_.dv) * 4);
    if (p_.delta_rule)
      for (int64_t i = 0; i < p_.dk; ++i) add_scaled(u_, -decay * k[i], S + i * p_.dv, p_.dv);
    over(0, p_.dv,
         [&](int64_t d, auto lanes) { store(u_ + d, (load(u_ + d, lanes) + load(v + d, lanes)) * beta, lanes); });
  }
  const float* u() const { return u_; }

 private:
  void chunk(int64_t t0, int64_t n, int64_t h, float* S) {
    const int64_t ldk = p_.Hk * p_.dk, ldv = p_.Hv * p_.dv, dk = p_.dk, dv = p_.dv;
    const float *q = p_.q + p_.key(t0, h), *k = p_.k + p_.key(t0, h);
    float* out = out_ + p_.value(t0, h);
    sum_decays(t0, n, h);
    pack_keys(k, ldk, n, dk, keys_);
    tile_matmul(n, kChunk, dk, {q, ldk, 1}, keys_, kChunk, weights_, kChunk, false);
    for (int64_t i = 0; i < n; ++i) weigh(i, i + 1, 1, weights_ + i * kChunk);
    teach(t0, n, h, S);

    tile_matmul(n, dv, dk, {q, ldk, 1}, S, dv, out, ldv, false);
    for (int64_t i = 0; i < n; ++i) scale_row(out + i * ldv, decay_[i]);
    tile_matmul(n, dv, n, {weights_, kChunk, 1}, u_, dv, out, ldv, true);
    for (int64_t i = 0; i < n; ++i) add_skip(t0 + i, h);

    for (int64_t j = 0; j < n; ++j) {
      const float left = std::exp(static_cast<float>(sums_[n - 1] - sums_[j]));
      over(0, dk, [&](int64_t i, auto lanes) {
        store(scaled_keys_ + j * dk + i, load(k + j * ldk + i, lanes) * left, lanes);
      });
    }
    for (int64_t i = 0; i < dk; ++i) scale_row(S + i * dv, decay_[n - 1]);
    tile_matmul(dk, dv, n, {scaled_keys_, 1, dk}, u_, dv, S, dv, true);
  }

  void sum_decays(int64_t t0, int64_t n, int64_t h) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) {
      sums_[i] = sum += p_.log_decay[p_.gate(t0 + i, h)];
      decay_[i] = std::exp(static_cast<float>(sum));
    }
  }

  // row[j] *= factor e^(c_i - c_j) for j below end, 0 from there on.
  void weigh(int64_t i, int64_t end, float factor, float* row) const {
    float exponents[kChunk];
    for (int64_t j = 0; j < kChunk; ++j) exponents[j] = j < end ? static_cast<float>(sums_[i] - sums_[j]) : 0;
    for (int64_t j = 0; j < kChunk; j += kLanes) {
      IntVec lane;
      for (int l = 0; l < kLanes; ++l) lane[l] = static_cast<int32_t>(j) + l;
      const Vec weighed = load(row + j) * exp(load(exponents + j)) * factor;
      store(row + j, select(lane < splat_int(static_cast<int32_t>(end)), weighed, Vec{}));
    }
  }

  // u_ [n][dv]
  void teach(int64_t t0, int64_t n, int64_t h, const float* S) {
    const int64_t ldk = p_.Hk * p_.dk, dv = p_.dv;
    const float *k = p_.k + p_.key(t0, h), *beta = p_.beta + p_.gate(t0, h);
    if (p_.delta_rule) tile_matmul(n, dv, p_.dk, {k, ldk, 1}, S, dv, u_, dv, false);
    for (int64_t i = 0; i < n; ++i) {
      const float *v = p_.v + p_.value(t0 + i, h), known = p_.delta_rule ? decay_[i] : 0, b = beta[i * p_.Hv];
      float* u = u_ + i * dv;
      if (!p_.delta_rule) memset(u, 0, static_cast<size_t>(dv) * 4);
      over(0, dv,
           [&](int64_t d, auto lanes) { store(u + d, (load(v + d, lanes) - load(u + d, lanes) * known) * b, lanes); });
    }
    if (!p_.delta_rule) return;
    tile_matmul(n, kChunk, p_.dk, {k, ldk, 1}, keys_, kChunk, triangle_, kChunk, false);
    for (int64_t i = 0; i < n; ++i) weigh(i, i, -beta[i * p_.Hv], triangle_ + i * kChunk);
    solve(n);
  }

  // u_i += Σ_{j<i} triangle_[i][j] u_j, from the top: products with what is done in blocks of 16, the rest row by row.
  void solve(int64_t n) {
    constexpr int64_t kRows = 16;
    const int64_t dv = p_.dv;
    for (int64_t first = 0; first < n; first += kRows) {
      const int64_t last = first + kRows < n ? first + kRows : n;
      tile_matmul(last - first, dv, first, {triangle_ + first * kChunk, kChunk, 1}, u_, dv, u_ + first * dv, dv, true);
      for (int64_t i = first + 1; i < last; ++i)
        for (int64_t j = first; j < i; ++j) add_scaled(u_ + i * dv, triangle_[i * kChunk + j], u_ + j * dv, dv);
    }
  }

  void scale_row(float* row, float factor) const {
    over(0, p_.dv, [&](int64_t d, auto lanes) { store(row + d, load(row + d, lanes) * factor, lanes); });
  }
  void add_skip(int64_t t, int64_t h) {
    if (p_.skip != nullptr) add_scaled(out_ + p_.value(t, h), p_.skip[h], p_.v + p_.value(t, h), p_.dv);
  }

  const LinearOperands& p_;
  float *keys_, *triangle_, *weights_, *scaled_keys_, *u_, *decay_, *out_;
  double sums_[kChunk];
};

}  // namespace
}  // namespace hearth::HEARTH_ISA
