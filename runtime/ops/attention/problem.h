// What forward and backward of attention know about the problem: operands, blocks of queries and keys, and which keys a
// query sees. Only for cpu.cpp.
#pragma once

#include "runtime/backend/kernel.h"
#include "runtime/kernels/attention_block.h"
#include "runtime/kernels/convert.h"
#include "runtime/ops/attention/attention.h"

namespace hearth::HEARTH_ISA {

constexpr int64_t kQueries = 64;

HEARTH_INLINE int64_t min_of(int64_t a, int64_t b) {
  return a < b ? a : b;
}
HEARTH_INLINE int64_t max_of(int64_t a, int64_t b) {
  return a > b ? a : b;
}

struct Block {
  int64_t begin, n;
  int64_t last() const { return begin + n - 1; }
};

struct Problem {
  Problem(const KernelArgs& args, const AttentionAttributes& a, size_t n_inputs)
      : T(args.inputs[0].dim(0)),
        H(a.n_heads),
        K(a.n_kv_heads),
        D(a.head_dim),
        Dv(a.v_dim()),
        G(H / K),
        window(a.window > 0 ? a.window : T),
        rule{a.softmax_scale, a.softcap},
        q(args.inputs[0].f32()),
        k(args.inputs[1].f32()),
        v(args.inputs[2].f32()),
        segment_begin(args.inputs[3].i32()),
        is_causal(a.causal),
        sinks(a.has_sinks ? &args.inputs[n_inputs] : nullptr) {}

  // Bidirectional documents need to know where they end; `ends` is this thread's memory for n_ends() numbers.
  int64_t n_ends() const { return is_causal ? 0 : T; }
  void find_ends(int32_t* memory) {
    ends = memory;
    for (int64_t t = n_ends() - 1; t >= 0; --t) {
      const bool goes_on = t + 1 < T && segment_begin[t + 1] == segment_begin[t];
      ends[t] = goes_on ? ends[t + 1] : static_cast<int32_t>(t + 1);
    }
  }

  int64_t n_query_blocks() const { return (T + kQueries - 1) / kQueries; }
  int64_t n_key_blocks() const { return (T + kKeys - 1) / kKeys; }
  Block queries(int64_t index) const { return {index * kQueries, min_of(kQueries, T - index * kQueries)}; }
  Block keys(int64_t index) const { return {index * kKeys, min_of(kKeys, T - index * kKeys)}; }
  int64_t query_row(int64_t t, int64_t h) const { return (t * H + h) * D; }
  int64_t out_row(int64_t t, int64_t h) const { return (t * H + h) * Dv; }
  int64_t key_row(int64_t s, int64_t kv) const { return (s * K + kv) * D; }
  int64_t value_row(int64_t s, int64_t kv) const { return (s * K + kv) * Dv; }
  ValueRows values(Block keys, int64_t kv) const { return {v + value_row(keys.begin, kv), K * Dv, Dv}; }

  int64_t first_key(int64_t t) const { return max_of(segment_begin[t], t - window + 1); }
  int64_t last_key(int64_t t) const { return is_causal ? t : min_of(ends[t] - 1, t + window - 1); }
  KeyRange range(int64_t t, Block keys) const { return {first_key(t) - keys.begin, last_key(t) - keys.begin}; }
  // The first and the last key that any query of the block sees.
  int64_t first_key(Block queries) const {
    int64_t first = queries.begin;
    for (int64_t t = queries.begin; t <= queries.last(); ++t) first = min_of(first, first_key(t));
    return first;
  }
  int64_t last_key(Block queries) const {
    int64_t last = queries.last();
    if (!is_causal)
      for (int64_t t = queries.begin; t <= queries.last(); ++t) last = max_of(last, last_key(t));
    return last;
  }
  // The blocks of queries that may see a key of the block.
  int64_t first_query_block(Block keys) const {
    return is_causal ? keys.begin / kQueries : max_of(0, keys.begin - window + 1) / kQueries;
  }
  int64_t query_blocks_end(Block keys) const {
    return min_of(n_query_blocks(), (keys.last() + window - 1) / kQueries + 1);
  }

  float sink(int64_t h) const {
    float x;
    widen(sinks->type.dtype, sinks->data, h, &x, 1);
    return x;
  }

  const int64_t T, H, K, D, Dv, G, window;
  const ScoreRule rule;
  const float *q, *k, *v;
  const int32_t* segment_begin;
  const bool is_causal;
  const TensorView* sinks;  // null: none
  int32_t* ends = nullptr;
};

}  // namespace hearth::HEARTH_ISA
