// attention_cached, CPU
// math:     as attention, over the positions of the token's sequence that it sees, stored in pages
// shapes:   q [T,H*D], out [T,H*Dv], k [T,K*D], v [T,K*Dv] f32; caches [n_pages,K,page_size,D or Dv] f32, f16 or bf16;
//           positions, seq_of_token [T] i32, page_table [n_seqs,max_pages] i32
// traffic:  per token (D+Dv)·K cache elements a visible position, each used by H/K heads: memory bound in decode
// mapping:  a barrier after storing; then (run of a sequence's tokens, kv head) pairs dealt out in turn. Keys go in
//           blocks of 64 positions, widened and transposed once for all query rows of the pair; blocks before the
//           window of all of them are not read
// needs:    nothing; a token with a negative position is padding: nothing is stored, its output is zero
// numerics: fp32; blocks of positions in ascending order; a row's bits do not depend on the other rows
#include "runtime/ops/attention_cached/attention_cached.h"

#include "runtime/kernels/attention_block.h"
#include "runtime/kernels/convert.h"
#include "runtime/kernels/isa.h"
#include "runtime/kernels/thread_scratch.h"

namespace hearth::HEARTH_ISA {
namespace {

struct Cached {
  explicit Cached(const KernelArgs& args)
      : a(static_cast<const AttentionCached&>(*args.op).heads),
        T(args.inputs[0].dim(0)),
        H(a.n_heads),
        K(a.n_kv_heads),
        D(a.head_dim),
        Dv(a.v_dim()),
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
        sinks(a.has_sinks ? &args.inputs[8] : nullptr),
        out(args.outputs[0].f32()) {}

  // The first row of a page for one kv head.
  int64_t page_row(int64_t t, int64_t page, int64_t kv) const {
    return (page_table[seq_of_token[t] * max_pages + page] * K + kv) * page_size;
  }
  int64_t first_position(int64_t t) const {
    return a.window > 0 && positions[t] >= a.window ? positions[t] - a.window + 1 : 0;
  }

  void store_row(void* cache, int64_t offset, const float* x, int64_t n) const {
    if (dtype == Dtype::f32) {
      memcpy(static_cast<float*>(cache) + offset, x, static_cast<size_t>(n) * 4);
      return;
    }
    uint16_t* to = static_cast<uint16_t*>(cache) + offset;
    int64_t i = 0;
    if (dtype == Dtype::f16)
      for (; i + kLanes <= n; i += kLanes) store_f16(to + i, load(x + i));
    for (; i < n; ++i) to[i] = dtype == Dtype::f16 ? float_to_f16(x[i]) : float_to_bf16(x[i]);
  }

  void append(int64_t t, int64_t kv) const {
    if (positions[t] < 0) return;
    const int64_t row = page_row(t, positions[t] / page_size, kv) + positions[t] % page_size;
    store_row(k_cache, row * D, k + (t * K + kv) * D, D);
    store_row(v_cache, row * Dv, v + (t * K + kv) * Dv, Dv);
  }

  // Tokens [begin, end) belong to one sequence and are not padding.
  void attend(int64_t begin, int64_t end, int64_t kv) const;
  void widen_positions(const void* cache, int64_t width, int64_t t, int64_t kv, int64_t first, int64_t n,
                       float* rows) const;
  void add_sinks(SoftmaxRows rows, int64_t n, int64_t head, int64_t head_step) const;

  const AttentionAttributes& a;
  const int64_t T, H, K, D, Dv, page_size, max_pages;
  const Dtype dtype;
  const float *q, *k, *v;
  void *k_cache, *v_cache;
  const int32_t *positions, *seq_of_token, *page_table;
  const TensorView* sinks;  // null: none
  float* out;
};

// Positions [first, first + n) of the token's sequence → rows [n][width], page by page.
void Cached::widen_positions(const void* cache, int64_t width, int64_t t, int64_t kv, int64_t first, int64_t n,
                             float* rows) const {
  for (int64_t done = 0; done < n;) {
    const int64_t in_page = (first + done) % page_size;
    const int64_t part = page_size - in_page < n - done ? page_size - in_page : n - done;
    widen(dtype, cache, (page_row(t, (first + done) / page_size, kv) + in_page) * width, rows + done * width,
          part * width);
    done += part;
  }
}

// Row i is of head `head` + i * head_step.
void Cached::add_sinks(SoftmaxRows rows, int64_t n, int64_t head, int64_t head_step) const {
  if (sinks == nullptr) return;
  for (int64_t i = 0; i < n; ++i) {
    float sink;
    widen(sinks->type.dtype, sinks->data, head + i * head_step, &sink, 1);
    start_with_sink(rows, i, sink);
  }
}

void Cached::attend(int64_t begin, int64_t end, int64_t kv) const {
  const int64_t G = H / K, n_tokens = end - begin, n_rows = n_tokens * G;
  const int64_t width = D > Dv ? D : Dv;
  float* rows = thread_scratch(static_cast<size_t>(kKeys * (width + D) + 16 + n_rows * (kKeys + 2)));  // [kKeys][width]
  float* transposed = rows + kKeys * width;                                                            // [D][kKeys]
  float* scores = transposed + kKeys * D + 16;                        // [n_rows][kKeys]
  float *largest = scores + n_rows * kKeys, *sum = largest + n_rows;  // [n_rows]
  int64_t n_positions = 0, first_seen = positions[begin];
  for (int64_t t = begin; t < end; ++t) {
    n_positions = n_positions > positions[t] ? n_positions : positions[t] + 1;
    first_seen = first_seen < first_position(t) ? first_seen : first_position(t);
  }

  // A single token's heads are one set of rows; else each head's tokens are.
  const bool single = n_tokens == 1;
  const int64_t n_sets = single ? 1 : G, set_rows = single ? G : n_tokens, stride = single ? 1 : H;
  auto first_row = [&](int64_t set) { return begin * H + kv * G + set; };
  auto state = [&](int64_t set) {
    return SoftmaxRows{out + first_row(set) * Dv, stride * Dv, largest + set * set_rows, sum + set * set_rows};
  };
  for (int64_t set = 0; set < n_sets; ++set) {
    start_rows(state(set), set_rows, Dv);
    add_sinks(state(set), set_rows, kv * G + set, single ? 1 : 0);
  }

  for (int64_t first = first_seen / kKeys * kKeys; first < n_positions; first += kKeys) {
    const int64_t n_keys = n_positions - first < kKeys ? n_positions - first : kKeys;
    widen_positions(k_cache, D, begin, kv, first, n_keys, rows);
    pack_keys(rows, D, n_keys, D, transposed);
    widen_positions(v_cache, Dv, begin, kv, first, n_keys, rows);
    for (int64_t set = 0; set < n_sets; ++set)
      attend_block(set_rows, {q + first_row(set) * D, stride * D, 1}, transposed, n_keys, D, {rows, Dv, Dv},
                   {a.softmax_scale, a.softcap}, scores, state(set), [&](int64_t i) {
                     const int64_t t = single ? begin : begin + i;
                     return KeyRange{first_position(t) - first, positions[t] - first};
                   });
  }
  for (int64_t set = 0; set < n_sets; ++set) finish_rows(state(set), set_rows, Dv);
}

// The end of the run of tokens of one sequence that starts at t.
int64_t run_end(const Cached& c, int64_t t) {
  constexpr int64_t kMaxTokens = 32;
  int64_t end = t + 1;
  while (end < c.T && end - t < kMaxTokens && c.seq_of_token[end] == c.seq_of_token[t] && c.positions[end] >= 0) ++end;
  return end;
}

void run(const KernelArgs& args, const Worker& me) {
  const Cached c(args);
  const auto [first, last] = me.share(c.T * c.K);
  for (int64_t unit = first; unit < last; ++unit) c.append(unit / c.K, unit % c.K);
  me.sync();
  int64_t unit = 0;
  for (int64_t t = 0; t < c.T;) {
    if (c.positions[t] < 0) {
      if (unit++ % me.size == me.rank) memset(c.out + t * c.H * c.Dv, 0, static_cast<size_t>(c.H * c.Dv) * 4);
      ++t;
      continue;
    }
    const int64_t end = run_end(c, t);
    for (int64_t kv = 0; kv < c.K; ++kv)
      if (unit++ % me.size == me.rank) c.attend(t, end, kv);
    t = end;
  }
}

}  // namespace

CpuKernel kernel_for(const AttentionCached&, Types) {
  return {run};
}

}  // namespace hearth::HEARTH_ISA

HEARTH_CPU_KERNEL(AttentionCached)
