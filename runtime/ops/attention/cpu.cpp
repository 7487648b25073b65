// attention and its backward, CPU
// math:     out[t,h] = Σ_s p[t,s] v[s],  p = softmax over s in segment_begin[t]..t of scale q[t,h]·k[s]
// shapes:   q, out [T,H*D], k, v [T,K*D] f32, segment_begin [T] i32, lse [T,H] f32; scratch [T,H] f32: delta
// traffic:  forward 4·D, backward 10·D flops per (query, head, key)
// mapping:  (token, head) pairs dealt out in turn, because later tokens see more keys
// needs:    nothing
// numerics: fp32; each sum in the order of s (dq, out) or of t (dk, dv)
#include "runtime/ops/attention/attention.h"

#include <cmath>

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"
#include "runtime/kernels/thread_scratch.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_forward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const Attention&>(*args.op);
  const int64_t T = args.inputs[0].dim(0), H = op.n_heads, K = op.n_kv_heads, D = op.head_dim;
  const float *q = args.inputs[0].f32(), *k = args.inputs[1].f32(), *v = args.inputs[2].f32();
  const int32_t* begin = args.inputs[3].i32();
  float *out = args.outputs[0].f32(), *lse = args.outputs[1].f32();
  float* scores = thread_scratch(static_cast<size_t>(T));
  for (int64_t unit = me.rank; unit < T * H; unit += me.size) {
    const int64_t t = unit / H, h = unit % H, kv = h / (H / K);
    const float* qt = q + unit * D;
    float largest = -INFINITY, sum = 0;
    for (int64_t s = begin[t]; s <= t; ++s) {
      scores[s] = op.softmax_scale * dot(qt, k + (s * K + kv) * D, D);
      largest = largest > scores[s] ? largest : scores[s];
    }
    over(begin[t], t + 1,
         [&](int64_t s, auto lanes) { store(scores + s, exp(load(scores + s, lanes) - largest), lanes); });
    float* o = out + unit * D;
    memset(o, 0, static_cast<size_t>(D) * 4);
    for (int64_t s = begin[t]; s <= t; ++s) {
      sum += scores[s];
      add_scaled(o, scores[s], v + (s * K + kv) * D, D);
    }
    over(0, D, [&](int64_t i, auto lanes) { store(o + i, load(o + i, lanes) / sum, lanes); });
    lse[unit] = largest + std::log(sum);
  }
}

struct Backward {
  explicit Backward(const KernelArgs& args)
      : op(static_cast<const AttentionBackward&>(*args.op)),
        T(args.inputs[0].dim(0)),
        H(op.n_heads),
        K(op.n_kv_heads),
        D(op.head_dim),
        q(args.inputs[0].f32()),
        k(args.inputs[1].f32()),
        v(args.inputs[2].f32()),
        begin(args.inputs[3].i32()),
        out(args.inputs[4].f32()),
        lse(args.inputs[5].f32()),
        dout(args.inputs[6].f32()),
        dq(args.outputs[0].f32()),
        dk(args.outputs[1].f32()),
        dv(args.outputs[2].f32()),
        delta(reinterpret_cast<float*>(args.scratch)) {}

  // p[t,s] and its gradient through the softmax, for query row `row` = t * H + h and key row `key` = s * K + kv.
  void pair(int64_t row, int64_t key, float& p, float& ds) const {
    p = std::exp(op.softmax_scale * dot(q + row * D, k + key * D, D) - lse[row]);
    ds = op.softmax_scale * p * (dot(dout + row * D, v + key * D, D) - delta[row]);
  }

  void query(int64_t row) const {
    const int64_t t = row / H, kv = row % H / (H / K);
    delta[row] = dot(dout + row * D, out + row * D, D);
    memset(dq + row * D, 0, static_cast<size_t>(D) * 4);
    for (int64_t s = begin[t]; s <= t; ++s) {
      float p, ds;
      pair(row, s * K + kv, p, ds);
      add_scaled(dq + row * D, ds, k + (s * K + kv) * D, D);
    }
  }

  void key(int64_t key) const {
    const int64_t s = key / K, kv = key % K, G = H / K;
    memset(dk + key * D, 0, static_cast<size_t>(D) * 4);
    memset(dv + key * D, 0, static_cast<size_t>(D) * 4);
    for (int64_t t = s; t < T; ++t) {
      if (begin[t] > s) continue;
      for (int64_t h = kv * G; h < (kv + 1) * G; ++h) {
        float p, ds;
        pair(t * H + h, key, p, ds);
        add_scaled(dv + key * D, p, dout + (t * H + h) * D, D);
        add_scaled(dk + key * D, ds, q + (t * H + h) * D, D);
      }
    }
  }

  const AttentionBackward& op;
  const int64_t T, H, K, D;
  const float *q, *k, *v;
  const int32_t* begin;
  const float *out, *lse, *dout;
  float *dq, *dk, *dv, *delta;
};

void run_backward(const KernelArgs& args, const Worker& me) {
  const Backward b(args);
  for (int64_t row = me.rank; row < b.T * b.H; row += me.size) b.query(row);
  me.sync();
  for (int64_t key = me.rank; key < b.T * b.K; key += me.size) b.key(key);
}

}  // namespace

CpuKernel kernel_for(const Attention&, Types) {
  return {run_forward};
}
CpuKernel kernel_for(const AttentionBackward& op, Types inputs) {
  return {run_backward, static_cast<size_t>(inputs[0].shape[0] * op.n_heads) * sizeof(float)};
}

}  // namespace hearth::HEARTH_ISA

HEARTH_CPU_KERNEL(Attention)
HEARTH_CPU_KERNEL(AttentionBackward)
