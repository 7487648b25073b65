// attention and its backward, CPU
// math:     out[t,h] = Σ_s p[t,s] v[s],  p = softmax over s in segment_begin[t]..t of scale q[t,h]·k[s]
//           with ds = scale p (dout·v - delta), delta = dout·out:  dq = Σ_s ds k,  dk = Σ_t ds q,  dv = Σ_t p dout
// shapes:   q, out [T,H*D], k, v [T,K*D] f32, segment_begin [T] i32, lse [T,H] f32; scratch [T,H] f32: delta
// traffic:  forward 4·D, backward 10·D flops per (query, head, visible key): compute bound, in blocks of 64 x 64
// mapping:  forward: (block of queries, kv head) pairs dealt out, the longest first
//           backward: kv heads dealt out where that is even; else one pass over blocks of queries (dq), one over
//           blocks of keys (dk, dv), which computes the scores twice but keeps any number of threads busy
// needs:    nothing
// numerics: fp32; sums over keys in ascending blocks (out, dq), over queries in ascending blocks (dk, dv): the same
//           bits for both mappings of backward
#include "runtime/ops/attention/attention.h"

#include "runtime/kernels/attention_block.h"
#include "runtime/kernels/isa.h"
#include "runtime/kernels/thread_scratch.h"

namespace hearth::HEARTH_ISA {
namespace {

constexpr int64_t kQueries = 64;

int64_t min_of(int64_t a, int64_t b) {
  return a < b ? a : b;
}

struct Block {
  int64_t begin, n;
  int64_t last() const { return begin + n - 1; }
};

Block block_at(int64_t index, int64_t size, int64_t T) {
  return {index * size, min_of(size, T - index * size)};
}

// What forward and backward know about the problem.
struct Problem {
  template <class AttentionOp>
  Problem(const KernelArgs& args, const AttentionOp& op)
      : T(args.inputs[0].dim(0)),
        H(op.n_heads),
        K(op.n_kv_heads),
        D(op.head_dim),
        G(H / K),
        scale(op.softmax_scale),
        q(args.inputs[0].f32()),
        k(args.inputs[1].f32()),
        v(args.inputs[2].f32()),
        segment_begin(args.inputs[3].i32()) {}

  int64_t n_query_blocks() const { return (T + kQueries - 1) / kQueries; }
  int64_t n_key_blocks() const { return (T + kKeys - 1) / kKeys; }
  Block queries(int64_t index) const { return block_at(index, kQueries, T); }
  Block keys(int64_t index) const { return block_at(index, kKeys, T); }
  int64_t query_row(int64_t t, int64_t h) const { return (t * H + h) * D; }
  int64_t key_row(int64_t s, int64_t kv) const { return (s * K + kv) * D; }

  // The first key that any query of the block sees.
  int64_t first_key(Block queries) const {
    int64_t first = queries.begin;
    for (int64_t t = queries.begin; t <= queries.last(); ++t) first = min_of(first, segment_begin[t]);
    return first;
  }
  KeyRange range(int64_t t, Block keys) const { return {segment_begin[t] - keys.begin, t - keys.begin}; }

  const int64_t T, H, K, D, G;
  const float scale;
  const float *q, *k, *v;
  const int32_t* segment_begin;
};

// ---- forward ----

void forward_unit(const Problem& p, int64_t query_block, int64_t kv, float* out, float* lse) {
  const Block queries = p.queries(query_block);
  float* packed = thread_scratch(static_cast<size_t>(p.D * kKeys + 16 + kQueries * kKeys + 2 * p.G * kQueries));
  float* scores = packed + p.D * kKeys + 16;
  float *largest = scores + kQueries * kKeys, *sum = largest + p.G * kQueries;
  auto rows_of = [&](int64_t g) {
    return SoftmaxRows{out + p.query_row(queries.begin, kv * p.G + g), p.H * p.D, largest + g * kQueries,
                       sum + g * kQueries};
  };
  for (int64_t g = 0; g < p.G; ++g) start_rows(rows_of(g), queries.n, p.D);

  for (int64_t b = p.first_key(queries) / kKeys; b * kKeys <= queries.last(); ++b) {
    const Block keys = p.keys(b);
    pack_keys(p.k + p.key_row(keys.begin, kv), p.K * p.D, keys.n, p.D, packed);
    for (int64_t g = 0; g < p.G; ++g) {
      const TileOperand q{p.q + p.query_row(queries.begin, kv * p.G + g), p.H * p.D, 1};
      attend_block(queries.n, q, packed, keys.n, p.v + p.key_row(keys.begin, kv), p.K * p.D, p.D, p.scale, scores,
                   rows_of(g), [&](int64_t i) { return p.range(queries.begin + i, keys); });
    }
  }
  for (int64_t g = 0; g < p.G; ++g) {
    const SoftmaxRows rows = rows_of(g);
    for (int64_t i = 0; i < queries.n; ++i) {
      float* o = rows.out + i * rows.ld;
      const float inverse = 1.0f / rows.sum[i];
      over(0, p.D, [&](int64_t d, auto lanes) { store(o + d, load(o + d, lanes) * inverse, lanes); });
      lse[(queries.begin + i) * p.H + kv * p.G + g] = rows.largest[i] + std::log(rows.sum[i]);
    }
  }
}

void run_forward(const KernelArgs& args, const Worker& me) {
  const Problem p(args, static_cast<const Attention&>(*args.op));
  const int64_t n_units = p.n_query_blocks() * p.K;
  for (int64_t unit = me.rank; unit < n_units; unit += me.size)
    forward_unit(p, p.n_query_blocks() - 1 - unit / p.K, unit % p.K, args.outputs[0].f32(), args.outputs[1].f32());
}

// ---- backward ----

class Backward {
 public:
  explicit Backward(const KernelArgs& args)
      : p_(args, static_cast<const AttentionBackward&>(*args.op)),
        out_(args.inputs[4].f32()),
        lse_(args.inputs[5].f32()),
        dout_(args.inputs[6].f32()),
        dq_(args.outputs[0].f32()),
        dk_(args.outputs[1].f32()),
        dv_(args.outputs[2].f32()),
        delta_(reinterpret_cast<float*>(args.scratch)) {
    const int64_t packed = p_.D * kKeys + 16;
    keys_ = thread_scratch(static_cast<size_t>(2 * packed + 2 * kQueries * kKeys));
    values_ = keys_ + packed;
    weights_ = values_ + packed;
    dscores_ = weights_ + kQueries * kKeys;
  }

  void run(const Worker& me) {
    const auto [begin, end] = me.share(p_.T * p_.H);
    for (int64_t row = begin; row < end; ++row) delta_[row] = dot(dout_ + row * p_.D, out_ + row * p_.D, p_.D);
    me.sync();
    if (p_.K % me.size == 0)
      by_kv_heads(me);
    else
      by_blocks(me);
  }

 private:
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
    for (int64_t b = keys.begin / kQueries; b < p_.n_query_blocks(); ++b) {
      const Block queries = p_.queries(b);
      if (p_.first_key(queries) > keys.last()) continue;
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
    for (int64_t b = p_.first_key(queries) / kKeys; b * kKeys <= queries.last(); ++b) {
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
    pack_keys(p_.v + p_.key_row(keys.begin, kv), p_.K * p_.D, keys.n, p_.D, values_);
  }

  // weights_[t][s] = p, dscores_[t][s] = ds, for one head. Zero where a query does not see a key.
  void weigh(Block queries, Block keys, int64_t h) {
    const int64_t first = p_.query_row(queries.begin, h), stride = p_.H * p_.D;
    tile_matmul(queries.n, kKeys, p_.D, {p_.q + first, stride, 1}, keys_, kKeys, weights_, kKeys, false);
    tile_matmul(queries.n, kKeys, p_.D, {dout_ + first, stride, 1}, values_, kKeys, dscores_, kKeys, false);
    for (int64_t i = 0; i < queries.n; ++i) {
      const int64_t t = queries.begin + i;
      const float lse = lse_[t * p_.H + h], delta = delta_[t * p_.H + h];
      const KeyRange range = p_.range(t, keys);
      float *w = weights_ + i * kKeys, *ds = dscores_ + i * kKeys;
#pragma GCC unroll 4
      for (int64_t j = 0; j < kKeys; j += kLanes) {
        const Vec weight = select(visible(range, j), exp(load(w + j) * p_.scale - lse), Vec{});
        store(w + j, weight);
        store(ds + j, weight * ((load(ds + j) - delta) * p_.scale));
      }
    }
  }

  void add_to_queries(Block queries, Block keys, int64_t h, int64_t kv) {
    tile_matmul(queries.n, p_.D, keys.n, {dscores_, kKeys, 1}, p_.k + p_.key_row(keys.begin, kv), p_.K * p_.D,
                dq_ + p_.query_row(queries.begin, h), p_.H * p_.D, true);
  }

  void add_to_keys(Block queries, Block keys, int64_t h, int64_t kv) {
    const int64_t first = p_.query_row(queries.begin, h), to = p_.key_row(keys.begin, kv);
    tile_matmul(keys.n, p_.D, queries.n, {weights_, 1, kKeys}, dout_ + first, p_.H * p_.D, dv_ + to, p_.K * p_.D, true);
    tile_matmul(keys.n, p_.D, queries.n, {dscores_, 1, kKeys}, p_.q + first, p_.H * p_.D, dk_ + to, p_.K * p_.D, true);
  }

  void clear_queries(Block queries, int64_t kv) {
    for (int64_t t = queries.begin; t <= queries.last(); ++t)
      memset(dq_ + p_.query_row(t, kv * p_.G), 0, static_cast<size_t>(p_.G * p_.D) * 4);
  }

  void clear_keys(Block keys, int64_t kv) {
    for (int64_t s = keys.begin; s <= keys.last(); ++s) {
      memset(dk_ + p_.key_row(s, kv), 0, static_cast<size_t>(p_.D) * 4);
      memset(dv_ + p_.key_row(s, kv), 0, static_cast<size_t>(p_.D) * 4);
    }
  }

  const Problem p_;
  const float *out_, *lse_, *dout_;
  float *dq_, *dk_, *dv_, *delta_;
  float *keys_, *values_;      // [D][kKeys]: the block's keys and values, transposed
  float *weights_, *dscores_;  // [kQueries][kKeys]
};

void run_backward(const KernelArgs& args, const Worker& me) {
  Backward(args).run(me);
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
