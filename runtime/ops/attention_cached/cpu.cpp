// attention_cached, CPU
// math:     as attention, over the positions 0..positions[t] of the token's sequence, stored in pages
// shapes:   q, out [T,H*D], k, v [T,K*D] f32; caches [n_pages,K,page_size,D] f32, f16 or bf16; positions, seq_of_token
//           [T] i32, page_table [n_seqs,max_pages] i32
// traffic:  per token 2·(positions+1)·K·D cache elements, each used by H/K heads: memory bound in decode
// mapping:  a barrier after storing; then (token, kv head) pairs dealt out in turn, the H/K query heads together
// needs:    nothing; a token with a negative position is padding: nothing is stored, its output is zero
// numerics: fp32; softmax over pages in order with running maximum
#include "runtime/ops/attention_cached/attention_cached.h"

#include <cmath>

#include "runtime/kernels/convert.h"
#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"
#include "runtime/kernels/thread_scratch.h"

namespace hearth::HEARTH_ISA {
namespace {

struct Cached {
  explicit Cached(const KernelArgs& args)
      : op(static_cast<const AttentionCached&>(*args.op)),
        T(args.inputs[0].dim(0)),
        H(op.n_heads),
        K(op.n_kv_heads),
        D(op.head_dim),
        page_size(args.inputs[3].dim(2)),
        max_pages(args.inputs[7].dim(1)),
        dtype(args.inputs[3].type.dtype),
        q(args.inputs[0].f32()),
        k(args.inputs[1].f32()),
        v(args.inputs[2].f32()),
        k_cache(args.inputs[3].data),
        v_cache(args.inputs[4].data),
        positions(args.inputs[5].i32()),
        seq_of_token(args.inputs[6].i32()),
        page_table(args.inputs[7].i32()),
        out(args.outputs[0].f32()) {}

  // The first element of a page's rows for one kv head.
  int64_t page_offset(int64_t t, int64_t page, int64_t kv) const {
    return (page_table[seq_of_token[t] * max_pages + page] * K + kv) * page_size * D;
  }

  void store_row(void* cache, int64_t offset, const float* x) const {
    if (dtype == Dtype::f32) {
      memcpy(static_cast<float*>(cache) + offset, x, static_cast<size_t>(D) * 4);
      return;
    }
    uint16_t* to = static_cast<uint16_t*>(cache) + offset;
    int64_t i = 0;
    if (dtype == Dtype::f16)
      for (; i + kLanes <= D; i += kLanes) store_f16(to + i, load(x + i));
    for (; i < D; ++i) to[i] = dtype == Dtype::f16 ? float_to_f16(x[i]) : float_to_bf16(x[i]);
  }

  void append(int64_t t, int64_t kv) const {
    if (positions[t] < 0) return;
    const int64_t offset = page_offset(t, positions[t] / page_size, kv) + positions[t] % page_size * D;
    store_row(k_cache, offset, k + (t * K + kv) * D);
    store_row(v_cache, offset, v + (t * K + kv) * D);
  }

  void attend(int64_t t, int64_t kv) const;

  const AttentionCached& op;
  const int64_t T, H, K, D, page_size, max_pages;
  const Dtype dtype;
  const float *q, *k, *v;
  void *k_cache, *v_cache;
  const int32_t *positions, *seq_of_token, *page_table;
  float* out;
};

// One page at a time: widen its rows once, then all query heads of the group.
void Cached::attend(int64_t t, int64_t kv) const {
  const int64_t G = H / K, n = positions[t] + 1;
  float* o = out + (t * H + kv * G) * D;  // [G][D]
  memset(o, 0, static_cast<size_t>(G * D) * 4);
  if (n <= 0) return;
  float* rows = thread_scratch(static_cast<size_t>(page_size * D + page_size * G + 2 * G));  // [page_size][D]
  float* scores = rows + page_size * D;                                                      // [G][page_size]
  float *largest = scores + page_size * G, *sum = largest + G;                               // [G]
  for (int64_t g = 0; g < G; ++g) largest[g] = -INFINITY, sum[g] = 0;

  for (int64_t s0 = 0; s0 < n; s0 += page_size) {
    const int64_t n_rows = n - s0 < page_size ? n - s0 : page_size;
    const int64_t offset = page_offset(t, s0 / page_size, kv);
    widen(dtype, k_cache, offset, rows, n_rows * D);
    for (int64_t g = 0; g < G; ++g) {
      const float* qg = q + (t * H + kv * G + g) * D;
      float* p = scores + g * page_size;
      float top = largest[g];
      for (int64_t s = 0; s < n_rows; ++s) {
        p[s] = op.softmax_scale * dot(qg, rows + s * D, D);
        top = top > p[s] ? top : p[s];
      }
      const float shrink = std::exp(largest[g] - top);
      largest[g] = top;
      over(0, n_rows, [&](int64_t s, auto lanes) { store(p + s, exp(load(p + s, lanes) - top), lanes); });
      sum[g] *= shrink;
      for (int64_t s = 0; s < n_rows; ++s) sum[g] += p[s];
      over(0, D, [&](int64_t i, auto lanes) { store(o + g * D + i, load(o + g * D + i, lanes) * shrink, lanes); });
    }
    widen(dtype, v_cache, offset, rows, n_rows * D);
    for (int64_t g = 0; g < G; ++g)
      for (int64_t s = 0; s < n_rows; ++s) add_scaled(o + g * D, scores[g * page_size + s], rows + s * D, D);
  }
  for (int64_t g = 0; g < G; ++g)
    over(0, D, [&](int64_t i, auto lanes) { store(o + g * D + i, load(o + g * D + i, lanes) / sum[g], lanes); });
}

void run(const KernelArgs& args, const Worker& me) {
  const Cached c(args);
  const auto [begin, end] = me.share(c.T * c.K);
  for (int64_t unit = begin; unit < end; ++unit) c.append(unit / c.K, unit % c.K);
  me.sync();
  for (int64_t unit = me.rank; unit < c.T * c.K; unit += me.size) c.attend(unit / c.K, unit % c.K);
}

}  // namespace

CpuKernel kernel_for(const AttentionCached&, Types) {
  return {run};
}

}  // namespace hearth::HEARTH_ISA

HEARTH_CPU_KERNEL(AttentionCached)
