// attention and its backward, CPU
// math:     out[t,h] = Σ_s p[t,s] v[s],  p = softmax over the visible s (problem.h) and the sink of score(scale
//           q[t,h]·k[s]), score(x) = x or softcap tanh(x / softcap)
//           with ds = scale p (dout·v - delta) score', delta = dout·out:  dq = Σ_s ds k,  dk = Σ_t ds q,  dv = Σ_t p
//           dout,  dsink = -Σ_t p_sink delta
// shapes:   q [T,H,D], k [T,K,D], v [T,K,Dv], out [T,H,Dv] f32, segment_begin [T] i32, lse [T,H] f32; scratch [T,H]
//           f32: delta
// traffic:  forward 2·(D+Dv), backward 6·D+4·Dv flops per (query, head, visible key): compute bound, in blocks of 64 x
//           64; blocks that no query of a block sees are not read
// mapping:  forward: (block of queries, kv head) pairs dealt out, the longest first
//           backward: kv heads dealt out where that is even; else one pass over blocks of queries (dq), one over
//           blocks of keys (dk, dv), which computes the scores twice but keeps any number of threads busy
// needs:    nothing
// numerics: fp32; sums over keys in ascending blocks (out, dq), over queries in ascending blocks (dk, dv): the same
//           bits for both mappings of backward
#include "runtime/ops/attention/problem.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/thread_scratch.h"

namespace hearth::HEARTH_ISA {
namespace {

// ---- forward ----

void forward_unit(const Problem& p, int64_t query_block, int64_t kv, float* packed, float* out, float* lse) {
  const Block queries = p.queries(query_block);
  float* scores = packed + p.D * kKeys + 16;
  float *largest = scores + kQueries * kKeys, *sum = largest + p.G * kQueries;
  auto rows_of = [&](int64_t g) {
    return SoftmaxRows{out + p.out_row(queries.begin, kv * p.G + g), p.H * p.Dv, largest + g * kQueries,
                       sum + g * kQueries};
  };
  for (int64_t g = 0; g < p.G; ++g) {
    start_rows(rows_of(g), queries.n, p.Dv);
    if (p.sinks == nullptr) continue;
    const float sink = p.sink(kv * p.G + g);
    for (int64_t i = 0; i < queries.n; ++i) start_with_sink(rows_of(g), i, sink);
  }

  const int64_t last_key = p.last_key(queries);
  for (int64_t b = p.first_key(queries) / kKeys; b * kKeys <= last_key; ++b) {
    const Block keys = p.keys(b);
    pack_keys(p.k + p.key_row(keys.begin, kv), p.K * p.D, keys.n, p.D, packed);
    for (int64_t g = 0; g < p.G; ++g) {
      const TileOperand q{p.q + p.query_row(queries.begin, kv * p.G + g), p.H * p.D, 1};
      attend_block(queries.n, q, packed, keys.n, p.D, p.values(keys, kv), p.rule, scores, rows_of(g),
                   [&](int64_t i) { return p.range(queries.begin + i, keys); });
    }
  }
  for (int64_t g = 0; g < p.G; ++g) {
    const SoftmaxRows rows = rows_of(g);
    finish_rows(rows, queries.n, p.Dv);
    for (int64_t i = 0; i < queries.n; ++i)
      lse[(queries.begin + i) * p.H + kv * p.G + g] = rows.largest[i] + std::log(rows.sum[i]);
  }
}

void run_forward(const KernelArgs& args, const Worker& me) {
  Problem p(args, static_cast<const Attention&>(*args.op).heads, 4);
  float* packed =
      thread_scratch(static_cast<size_t>(p.D * kKeys + 16 + kQueries * kKeys + 2 * p.G * kQueries + p.n_ends()));
  p.find_ends(reinterpret_cast<int32_t*>(packed + p.D * kKeys + 16 + kQueries * kKeys + 2 * p.G * kQueries));
  const int64_t n_units = p.n_query_blocks() * p.K;
  for (int64_t unit = me.rank; unit < n_units; unit += me.size)
    forward_unit(p, p.n_query_blocks() - 1 - unit / p.K, unit % p.K, packed, args.outputs[0].f32(),
                 args.outputs[1].f32());
}

// ---- backward ----

class Backward {
 public:
  explicit Backward(const KernelArgs& args)
      : p_(args, static_cast<const AttentionBackward&>(*args.op).heads, 7),
        out_(args.inputs[4].f32()),
        lse_(args.inputs[5].f32()),
        dout_(args.inputs[6].f32()),
        dq_(args.outputs[0].f32()),
        dk_(args.outputs[1].f32()),
        dv_(args.outputs[2].f32()),
        dsinks_(p_.sinks != nullptr ? args.outputs[3].f32() : nullptr),
        delta_(reinterpret_cast<float*>(args.scratch)) {
    const int64_t n_keys = p_.D * kKeys + 16, n_values = p_.Dv * kKeys + 16;
    keys_ = thread_scratch(static_cast<size_t>(n_keys + n_values + 2 * kQueries * kKeys + p_.n_ends()));
    values_ = keys_ + n_keys;
    weights_ = values_ + n_values;
    dscores_ = weights_ + kQueries * kKeys;
    p_.find_ends(reinterpret_cast<int32_t*>(dscores_ + kQueries * kKeys));
  }

  void run(const Worker& me) {
    const auto [begin, end] = me.share(p_.T * p_.H);
    for (int64_t row = begin; row < end; ++row) delta_[row] = dot(dout_ + row * p_.Dv, out_ + row * p_.Dv, p_.Dv);
    me.sync();
    if (dsinks_ != nullptr)
      for (int64_t h = me.rank; h < p_.H; h += me.size) dsinks_[h] = sink_gradient(h);
    if (p_.K % me.size == 0)
      by_kv_heads(me);
    else
      by_blocks(me);
  }

 private:
  float sink_gradient(int64_t h) const {
    const float sink = p_.sink(h);
    double sum = 0;
    for (int64_t row = h; row < p_.T * p_.H; row += p_.H) sum -= std::exp(sink - lse_[row]) * delta_[row];
    return static_cast<float>(sum);
  }

  void by_kv_heads(const Worker& me) {
    for (int64_t kv = me.rank; kv < p_.K; kv += me.size) {
      for (int64_t b = 0; b < p_.n_query_blocks(); ++b) clear_queries(p_.queries(b), kv);
      for (int64_t b = 0; b < p_.n_key_blocks(); ++b) over_queries(p_.keys(b), kv, true);
    }
  }

  void by_blocks(const Worker& me) {
    const int64_t n_query_units = p_.n_query_blocks() * p_.K, n_key_units = p_.n_key_blocks() * p_.K;
    for (int64_t unit = me.rank; unit < n_query_units; unit += me.size)
      over_keys(p_.queries(p_.n_query_blocks() - 1 - unit / p_.K), unit % p_.K);
    for (int64_t unit = me.rank; unit < n_key_units; unit += me.size)
      over_queries(p_.keys(unit / p_.K), unit % p_.K, false);
  }

  // dk and dv of a block of keys; with `also_dq` what these keys add to dq, too.
  void over_queries(Block keys, int64_t kv, bool also_dq) {
    clear_keys(keys, kv);
    pack(keys, kv);
    for (int64_t b = p_.first_query_block(keys); b < p_.query_blocks_end(keys); ++b) {
      const Block queries = p_.queries(b);
      if (p_.first_key(queries) > keys.last() || p_.last_key(queries) < keys.begin) continue;
      for (int64_t g = 0; g < p_.G; ++g) {
        const int64_t h = kv * p_.G + g;
        weigh(queries, keys, h);
        add_to_keys(queries, keys, h, kv);
        if (also_dq) add_to_queries(queries, keys, h, kv);
      }
    }
  }

  void over_keys(Block queries, int64_t kv) {
    clear_queries(queries, kv);
    const int64_t last_key = p_.last_key(queries);
    for (int64_t b = p_.first_key(queries) / kKeys; b * kKeys <= last_key; ++b) {
      const Block keys = p_.keys(b);
      pack(keys, kv);
      for (int64_t g = 0; g < p_.G; ++g) {
        weigh(queries, keys, kv * p_.G + g);
        add_to_queries(queries, keys, kv * p_.G + g, kv);
      }
    }
  }

  void pack(Block keys, int64_t kv) {
    pack_keys(p_.k + p_.key_row(keys.begin, kv), p_.K * p_.D, keys.n, p_.D, keys_);
    pack_keys(p_.v + p_.value_row(keys.begin, kv), p_.K * p_.Dv, keys.n, p_.Dv, values_);
  }

  // weights_[t][s] = p, dscores_[t][s] = ds, for one head. Zero where a query does not see a key.
  void weigh(Block queries, Block keys, int64_t h) {
    tile_matmul(queries.n, kKeys, p_.D, {p_.q + p_.query_row(queries.begin, h), p_.H * p_.D, 1}, keys_, kKeys, weights_,
                kKeys, false);
    tile_matmul(queries.n, kKeys, p_.Dv, {dout_ + p_.out_row(queries.begin, h), p_.H * p_.Dv, 1}, values_, kKeys,
                dscores_, kKeys, false);
    for (int64_t i = 0; i < queries.n; ++i) {
      const int64_t t = queries.begin + i;
      const float lse = lse_[t * p_.H + h], delta = delta_[t * p_.H + h];
      const KeyRange range = p_.range(t, keys);
      float *w = weights_ + i * kKeys, *ds = dscores_ + i * kKeys;
      if (p_.rule.softcap > 0) {
        weigh_capped(range, w, ds, lse, delta);
        continue;
      }
#pragma GCC unroll 4
      for (int64_t j = 0; j < kKeys; j += kLanes) {
        const Vec weight = select(visible(range, j), exp(load(w + j) * p_.rule.scale - lse), Vec{});
        store(w + j, weight);
        store(ds + j, weight * ((load(ds + j) - delta) * p_.rule.scale));
      }
    }
  }

  void weigh_capped(KeyRange range, float* w, float* ds, float lse, float delta) const {
    for (int64_t j = 0; j < kKeys; j += kLanes) {
      const Vec score = capped(load(w + j), p_.rule), bent = score * (1 / p_.rule.softcap);
      const Vec weight = select(visible(range, j), exp(score - lse), Vec{});
      store(w + j, weight);
      store(ds + j, weight * ((load(ds + j) - delta) * (p_.rule.scale * (1.0f - bent * bent))));
    }
  }

  void add_to_queries(Block queries, Block keys, int64_t h, int64_t kv) {
    tile_matmul(queries.n, p_.D, keys.n, {dscores_, kKeys, 1}, p_.k + p_.key_row(keys.begin, kv), p_.K * p_.D,
                dq_ + p_.query_row(queries.begin, h), p_.H * p_.D, true);
  }

  void add_to_keys(Block queries, Block keys, int64_t h, int64_t kv) {
    tile_matmul(keys.n, p_.Dv, queries.n, {weights_, 1, kKeys}, dout_ + p_.out_row(queries.begin, h), p_.H * p_.Dv,
                dv_ + p_.value_row(keys.begin, kv), p_.K * p_.Dv, true);
    tile_matmul(keys.n, p_.D, queries.n, {dscores_, 1, kKeys}, p_.q + p_.query_row(queries.begin, h), p_.H * p_.D,
                dk_ + p_.key_row(keys.begin, kv), p_.K * p_.D, true);
  }

  void clear_queries(Block queries, int64_t kv) {
    for (int64_t t = queries.begin; t <= queries.last(); ++t)
      memset(dq_ + p_.query_row(t, kv * p_.G), 0, static_cast<size_t>(p_.G * p_.D) * 4);
  }

  void clear_keys(Block keys, int64_t kv) {
    for (int64_t s = keys.begin; s <= keys.last(); ++s) {
      memset(dk_ + p_.key_row(s, kv), 0, static_cast<size_t>(p_.D) * 4);
      memset(dv_ + p_.value_row(s, kv), 0, static_cast<size_t>(p_.Dv) * 4);
    }
  }

  Problem p_;
  const float *out_, *lse_, *dout_;
  float *dq_, *dk_, *dv_;
  float* dsinks_;  // null: none
  float* delta_;
  float *keys_, *values_;      // [D][kKeys]: the block's keys and values, transposed
  float *weights_, *dscores_;  // [kQueries][kKeys]
};

void run_backward(const KernelArgs& args, const Worker& me) {
  Backward(args).run(me);
}

}  // namespace

template <>
Kernel kernel_for(const Attention&, Types) {
  return {run_forward};
}
template <>
Kernel kernel_for(const AttentionBackward& op, Types inputs) {
  return {run_backward, static_cast<size_t>(inputs[0].shape[0] * op.heads.n_heads) * sizeof(float)};
}

}  // namespace hearth::HEARTH_ISA
