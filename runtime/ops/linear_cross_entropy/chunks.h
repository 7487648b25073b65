// Logits of a product a chunk of tokens at a time, on the CPU: what linear_cross_entropy and token_logprobs share. A
// chunk's logits, then their gradient in their place, lie in scratch. Chunks end where gemm's sums over tokens do.
#pragma once

#include <cmath>

#include "runtime/kernels/gemm.h"
#include "runtime/kernels/isa.h"
#include "runtime/kernels/log_sum_exp.h"
#include "runtime/kernels/simd.h"
#include "runtime/ops/linear_cross_entropy/linear_cross_entropy.h"

namespace hearth::HEARTH_ISA {
namespace {

// A chunk's logits should stay around 64 MiB, and w and dw should be worth reading for so many tokens.
constexpr int64_t kChunkBytes = int64_t{64} << 20, kChunkGrain = 256;

int64_t chunk_of(int64_t T, int64_t V) {
  const int64_t fit = kChunkBytes / (4 * (V > 0 ? V : 1)) / kChunkGrain * kChunkGrain;
  const int64_t chunk = fit < kChunkGrain ? kChunkGrain : fit;
  return T < chunk ? T : chunk;
}

// Shared by the team; all in floats.
struct Scratch {
  int64_t T, V, C, chunk;
  explicit Scratch(Types inputs)
      : T(inputs[0].shape[0]), V(inputs[1].shape[0]), C(inputs[0].shape[1]), chunk(chunk_of(T, V)) {}
  explicit Scratch(const KernelArgs& args)
      : T(args.inputs[0].dim(0)), V(args.inputs[1].dim(0)), C(args.inputs[0].dim(1)), chunk(chunk_of(T, V)) {}
  size_t bytes() const { return static_cast<size_t>(chunk * V + 2 * chunk * C + 2 * T) * sizeof(float); }
  float* logits(std::byte* at) const { return reinterpret_cast<float*>(at); }
  float* x(std::byte* at) const { return logits(at) + chunk * V; }     // rows of a chunk's tokens, laid together
  float* dx(std::byte* at) const { return x(at) + chunk * C; }         // theirs
  float* weighted(std::byte* at) const { return dx(at) + chunk * C; }  // by token
  int32_t* tokens(std::byte* at) const { return reinterpret_cast<int32_t*>(weighted(at) + T); }  // the learned ones
};

void to_logits(const LogitForm& form, float* y, int64_t n) {
  if (form.cap > 0)
    return over(0, n, [&](int64_t i, auto lanes) {
      store(y + i, form.cap * (2.0f * sigmoid(2.0f * form.factor * load(y + i, lanes)) - 1.0f), lanes);
    });
  if (form.factor != 1)
    over(0, n, [&](int64_t i, auto lanes) { store(y + i, form.factor * load(y + i, lanes), lanes); });
}

// z becomes the gradient towards y.
void to_gradient(const LogitForm& form, float* z, int64_t n, int32_t target, float lse, float weight) {
  const float at_target = form.cap > 0 ? z[target] / form.cap : 0;
  const float factor = form.factor * weight, inverse = form.cap > 0 ? 1 / form.cap : 0;
  if (form.cap > 0) {
    over(0, n, [&](int64_t i, auto lanes) {
      const Vec v = load(z + i, lanes), t = v * inverse;
      store(z + i, exp(v - lse) * (factor * form.cap) * (1.0f - t * t), lanes);
    });
    z[target] -= factor * form.cap * (1 - at_target * at_target);
    return;
  }
  over(0, n, [&](int64_t i, auto lanes) { store(z + i, exp(load(z + i, lanes) - lse) * factor, lanes); });
  z[target] -= factor;
}

int64_t list_learned(const int32_t* targets, int64_t T, int64_t V, int32_t* out) {
  int64_t n = 0;
  for (int64_t t = 0; t < T; ++t)
    if (targets[t] >= 0 && targets[t] < V) {
      if (out) out[n] = static_cast<int32_t>(t);
      ++n;
    }
  return n;
}

void copy_row(float* to, const float* from, int64_t n) {
  memcpy(to, from, static_cast<size_t>(n) * 4);
}

void zero(const TensorView& out, const Worker& me) {
  const auto [begin, end] = me.share(out.shape().n_elements(), 64);
  memset(out.f32() + begin, 0, static_cast<size_t>(end - begin) * 4);
}

void sum_in_order(const float* weighted, int64_t T, float* loss) {
  double sum = 0;
  for (int64_t t = 0; t < T; ++t) sum += weighted[t];
  *loss = static_cast<float>(sum);
}

// What is asked of the logits. With weights: loss = Σ weights[t] · nll[t], in order of t. Without: each -nll[t].
struct ChunkedLogits {
  LogitForm form;
  const float* weights = nullptr;
  float* loss = nullptr;       // [1]
  float* logprobs = nullptr;   // [T]
  TensorView dx = {}, dw = {};  // of weights[t] · dloss · nll[t]; without data: not asked for
  float dloss = 0;
};

// (x, w, targets, ...)
void run_chunks(const KernelArgs& args, const Worker& me, const ChunkedLogits& wanted) {
  const Scratch s(args);
  const TensorView& w = args.inputs[1];
  const LogitForm& form = wanted.form;
  const float *x = args.inputs[0].f32(), *weights = wanted.weights;
  float *dx = wanted.dx.f32(), *dw = wanted.dw.f32();
  const int32_t* targets = args.inputs[2].i32();
  float *logits = s.logits(args.scratch), *weighted = wanted.logprobs ? wanted.logprobs : s.weighted(args.scratch);
  int32_t* tokens = s.tokens(args.scratch);
  const int64_t n = list_learned(targets, s.T, s.V, me.rank == 0 ? tokens : nullptr);
  if (me.rank == 0) memset(weighted, 0, static_cast<size_t>(s.T) * 4);
  if (dx && n < s.T) zero(wanted.dx, me);
  if (dw && n == 0) zero(wanted.dw, me);
  me.sync();
  for (int64_t done = 0; done < n; done += s.chunk) {
    const int64_t rows = n - done < s.chunk ? n - done : s.chunk;
    const int32_t* chunk = tokens + done;
    const bool is_dense = chunk[rows - 1] - chunk[0] == rows - 1;
    const float* x_rows = is_dense ? x + chunk[0] * s.C : s.x(args.scratch);
    const auto [begin, end] = me.share(rows);
    if (!is_dense) {
      for (int64_t r = begin; r < end; ++r) copy_row(s.x(args.scratch) + r * s.C, x + chunk[r] * s.C, s.C);
      me.sync();
    }
    gemm({rows, s.V, s.C, x_rows, false, w.type.dtype, w.data, true, logits}, me);
    me.sync();
    for (int64_t r = begin; r < end; ++r) {
      float* row = logits + r * s.V;
      const int32_t t = chunk[r], target = targets[t];
      to_logits(form, row, s.V);
      const float shift = largest(row, s.V), lse = shift + std::log(sum_of_exp(row, shift, s.V));
      weighted[t] = wanted.logprobs ? row[target] - lse : weights[t] * (lse - row[target]);
      if (dx) to_gradient(form, row, s.V, target, lse, wanted.dloss * weights[t]);
    }
    me.sync();
    if (!dx) continue;
    float* dx_rows = is_dense ? dx + chunk[0] * s.C : s.dx(args.scratch);
    gemm({rows, s.C, s.V, logits, false, w.type.dtype, w.data, false, dx_rows}, me);
    if (dw) gemm({s.V, s.C, rows, logits, true, Dtype::f32, x_rows, false, dw, Dtype::f32, done > 0}, me);
    me.sync();
    for (int64_t r = begin; r < end && !is_dense; ++r) copy_row(dx + chunk[r] * s.C, dx_rows + r * s.C, s.C);
  }
  if (wanted.loss && me.rank == 0) sum_in_order(weighted, s.T, wanted.loss);
}

}  // namespace
}  // namespace hearth::HEARTH_ISA
