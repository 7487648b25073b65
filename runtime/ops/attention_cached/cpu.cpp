// attention_cached, CPU
// math:     as attention, over the positions of the token's sequence that it sees, stored in pages
// shapes:   q [T,H,D], out [T,H,Dv], k [T,K,D], v [T,K,Dv] f32; caches [n_pages,K,page_size,D or Dv] f32, f16 or bf16;
//           positions, seq_of_token [T] i32, page_table [n_seqs,max_pages] i32
// traffic:  per token (D+Dv)·K cache elements a visible position, each used by H/K heads: memory bound in decode
// mapping:  a barrier after storing; then units dealt out in turn: a run of a sequence's tokens, a kv head, at most
//           32 of its query heads. Keys go in blocks of 64 positions, widened and transposed once for all query rows of
//           the unit; blocks before the window of all of them are not read. Where that is too few units for the team,
//           the units of single tokens are cut at the borders of chunks.h too, and a barrier later their parts are
//           merged
// needs:    nothing; a token with a negative position is padding: nothing is stored, its output is zero
// numerics: fp32; blocks of positions in ascending order within a chunk, then chunks in ascending order, cut or not; a
//           row's bits depend on neither the other rows nor the number of threads
#include "runtime/ops/attention_cached/attention_cached.h"

#include "runtime/kernels/attention_block.h"
#include "runtime/kernels/convert.h"
#include "runtime/kernels/isa.h"
#include "runtime/kernels/thread_scratch.h"
#include "runtime/ops/attention_cached/chunks.h"

namespace hearth::HEARTH_ISA {
namespace {

constexpr int64_t kMaxHeads = 32;         // of a unit
constexpr int64_t kMaxTokensToSplit = 8;  // more tokens are units enough; bounds the scratch for parts

// Query rows that are attended together: tokens [begin, end) of one sequence, none of them padding, and query heads
// [head, head + n_heads) of one kv head. A single token's heads are one set of rows; else each head's tokens are.
struct Unit {
  int64_t begin, end, kv, head, n_heads;
  bool is_single() const { return end - begin == 1; }
  int64_t n_rows() const { return (end - begin) * n_heads; }
  int64_t n_sets() const { return is_single() ? 1 : n_heads; }
  int64_t set_rows() const { return is_single() ? n_heads : end - begin; }
  int64_t token_of(int64_t row) const { return is_single() ? begin : begin + row; }
  int64_t head_of(int64_t set, int64_t row) const { return head + (is_single() ? row : set); }
};

// Where the running softmax of a unit's rows lies.
struct UnitState {
  float* out;
  int64_t set_step, row_step;
  float *largest, *sum;  // [n_sets][set_rows]
  SoftmaxRows of(const Unit& u, int64_t set) const {
    return {out + set * set_step, row_step, largest + set * u.set_rows(), sum + set * u.set_rows()};
  }
};

// Adds what `from` has seen to `into`. Out of line: one order of operations for all callers.
__attribute__((noinline)) void merge_rows(SoftmaxRows into, SoftmaxRows from, int64_t n, int64_t Dv) {
  for (int64_t i = 0; i < n; ++i) {
    if (from.sum[i] == 0) continue;  // saw nothing
    float *to = into.out + i * into.ld, *part = from.out + i * from.ld;
    if (into.sum[i] == 0) {
      memcpy(to, part, static_cast<size_t>(Dv) * 4);
      into.largest[i] = from.largest[i], into.sum[i] = from.sum[i];
      continue;
    }
    const float largest = into.largest[i] > from.largest[i] ? into.largest[i] : from.largest[i];
    const float a = std::exp(into.largest[i] - largest), b = std::exp(from.largest[i] - largest);
    over(0, Dv,
         [&](int64_t d, auto lanes) { store(to + d, load(to + d, lanes) * a + load(part + d, lanes) * b, lanes); });
    into.largest[i] = largest, into.sum[i] = into.sum[i] * a + from.sum[i] * b;
  }
}

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
        out(args.outputs[0].f32()),
        parts(reinterpret_cast<float*>(args.scratch)) {}

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

  int64_t first_chunk(int64_t t) const { return chunk_of(first_position(t)); }
  int64_t last_chunk(int64_t t) const { return chunk_of(positions[t]); }

  void attend(const Unit& u) const;
  void attend_chunk(const Unit& u, int64_t chunk, const UnitState& state, float* work) const;
  int64_t work_floats(const Unit& u) const { return kKeys * ((D > Dv ? D : Dv) + D) + 16 + u.n_rows() * kKeys; }
  UnitState part_of_token(int64_t t, int64_t chunk, int64_t head) const;
  void merge_parts(int64_t t, int64_t head) const;
  void widen_positions(const void* cache, int64_t width, int64_t t, int64_t kv, int64_t first, int64_t n,
                       float* rows) const;
  void add_sinks(const Unit& u, int64_t set, int64_t chunk, SoftmaxRows rows) const;

  const AttentionAttributes& a;
  const int64_t T, H, K, D, Dv, page_size, max_pages;
  const Dtype dtype;
  const float *q, *k, *v;
  void *k_cache, *v_cache;
  const int32_t *positions, *seq_of_token, *page_table;
  const TensorView* sinks;  // null: none
  float *out, *parts;       // parts: [n_chunks][T][H][Dv], then largest and sum [n_chunks][T][H]
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

// A row's sink belongs to the first chunk that it sees.
void Cached::add_sinks(const Unit& u, int64_t set, int64_t chunk, SoftmaxRows rows) const {
  if (sinks == nullptr) return;
  for (int64_t i = 0; i < u.set_rows(); ++i) {
    if (first_chunk(u.token_of(i)) != chunk) continue;
    float sink;
    widen(sinks->type.dtype, sinks->data, u.head_of(set, i), &sink, 1);
    start_with_sink(rows, i, sink);
  }
}

// The rows' softmax over one chunk alone. work: work_floats(u).
__attribute__((noinline)) void Cached::attend_chunk(const Unit& u, int64_t chunk, const UnitState& state,
                                                    float* work) const {
  float *rows = work, *transposed = rows + kKeys * (D > Dv ? D : Dv);  // [kKeys][D or Dv], [D][kKeys]
  float* scores = transposed + kKeys * D + 16;                         // [set_rows][kKeys]
  int64_t begin = chunk_begin(chunk + 1), end = chunk_begin(chunk);
  for (int64_t t = u.begin; t < u.end; ++t) {
    begin = begin < first_position(t) ? begin : first_position(t);
    end = end > positions[t] ? end : positions[t] + 1;
  }
  begin = (begin > chunk_begin(chunk) ? begin : chunk_begin(chunk)) / kKeys * kKeys;
  end = end < chunk_begin(chunk + 1) ? end : chunk_begin(chunk + 1);
  for (int64_t set = 0; set < u.n_sets(); ++set) {
    start_rows(state.of(u, set), u.set_rows(), Dv);
    add_sinks(u, set, chunk, state.of(u, set));
  }
  for (int64_t first = begin; first < end; first += kKeys) {
    const int64_t n_keys = end - first < kKeys ? end - first : kKeys;
    widen_positions(k_cache, D, u.begin, u.kv, first, n_keys, rows);
    pack_keys(rows, D, n_keys, D, transposed);
    widen_positions(v_cache, Dv, u.begin, u.kv, first, n_keys, rows);
    for (int64_t set = 0; set < u.n_sets(); ++set)
      attend_block(u.set_rows(), {q + (u.begin * H + u.head_of(set, 0)) * D, (u.is_single() ? 1 : H) * D, 1},
                   transposed, n_keys, D, {rows, Dv, Dv}, {a.softmax_scale, a.softcap}, scores, state.of(u, set),
                   [&](int64_t i) {
                     const int64_t t = u.token_of(i);
                     return KeyRange{first_position(t) - first, positions[t] - first};
                   });
  }
}

// All chunks in order: the first in the output itself, the others beside it and merged.
void Cached::attend(const Unit& u) const {
  int64_t first = first_chunk(u.begin), last = last_chunk(u.begin);
  for (int64_t t = u.begin + 1; t < u.end; ++t) {
    first = first < first_chunk(t) ? first : first_chunk(t);
    last = last > last_chunk(t) ? last : last_chunk(t);
  }
  const int64_t n = u.n_rows(), part_floats = first == last ? 0 : n * (Dv + 2);
  float* work = thread_scratch(static_cast<size_t>(work_floats(u) + 2 * n + part_floats));
  float *largest = work + work_floats(u), *sum = largest + n, *part = sum + n;
  const UnitState whole{out + (u.begin * H + u.head) * Dv, Dv, (u.is_single() ? 1 : H) * Dv, largest, sum};
  const UnitState next{part, u.set_rows() * Dv, Dv, part + n * Dv, part + n * (Dv + 1)};
  attend_chunk(u, first, whole, work);
  for (int64_t chunk = first + 1; chunk <= last; ++chunk) {
    attend_chunk(u, chunk, next, work);
    for (int64_t set = 0; set < u.n_sets(); ++set) merge_rows(whole.of(u, set), next.of(u, set), u.set_rows(), Dv);
  }
  for (int64_t set = 0; set < u.n_sets(); ++set) finish_rows(whole.of(u, set), u.set_rows(), Dv);
}

int64_t n_chunks(int64_t max_positions) {
  return max_positions > 0 ? chunk_of(max_positions - 1) + 1 : 0;
}

UnitState Cached::part_of_token(int64_t t, int64_t chunk, int64_t head) const {
  const int64_t n = n_chunks(max_pages * page_size) * T * H, row = (chunk * T + t) * H + head;
  return {parts + row * Dv, 0, Dv, parts + n * Dv + row, parts + n * (Dv + 1) + row};
}

void Cached::merge_parts(int64_t t, int64_t head) const {
  const Unit row{t, t + 1, 0, head, 1};
  float largest, sum;
  const SoftmaxRows whole{out + (t * H + head) * Dv, Dv, &largest, &sum};
  start_rows(whole, 1, Dv);
  for (int64_t chunk = first_chunk(t); chunk <= last_chunk(t); ++chunk)
    merge_rows(whole, part_of_token(t, chunk, head).of(row, 0), 1, Dv);
  finish_rows(whole, 1, Dv);
}

// The end of the run of tokens of one sequence that starts at t.
int64_t run_end(const Cached& c, int64_t t) {
  constexpr int64_t kMaxTokens = 32;
  int64_t end = t + 1;
  while (end < c.T && end - t < kMaxTokens && c.seq_of_token[end] == c.seq_of_token[t] && c.positions[end] >= 0) ++end;
  return end;
}

template <class F>
void for_each_unit_of(const Cached& c, int64_t begin, int64_t end, F f) {
  const int64_t group = c.H / c.K;
  for (int64_t kv = 0; kv < c.K; ++kv)
    for (int64_t i = 0; i < group; i += kMaxHeads)
      f(Unit{begin, end, kv, kv * group + i, group - i < kMaxHeads ? group - i : kMaxHeads});
}

template <class F>
void for_each_unit(const Cached& c, F f) {
  for (int64_t t = 0, end; t < c.T; t = end) {
    end = c.positions[t] < 0 ? t + 1 : run_end(c, t);
    if (c.positions[t] >= 0) for_each_unit_of(c, t, end, f);
  }
}

// Too few units for the team, and some of them long. Every thread finds the same.
bool is_to_be_split(const Cached& c, const Worker& me) {
  if (c.T > kMaxTokensToSplit || me.size == 1) return false;
  int64_t n_units = 0, n_parts = 0;
  for_each_unit(c, [&](const Unit& u) {
    ++n_units;
    n_parts += c.last_chunk(u.end - 1) - c.first_chunk(u.end - 1) + 1;
  });
  return n_units < 2 * me.size && n_parts > n_units;
}

void run_split(const Cached& c, const Worker& me) {
  int64_t i = 0;
  for (int64_t t = 0; t < c.T; ++t) {
    if (c.positions[t] < 0) continue;
    for_each_unit_of(c, t, t + 1, [&](const Unit& u) {
      for (int64_t chunk = c.first_chunk(t); chunk <= c.last_chunk(t); ++chunk)
        if (i++ % me.size == me.rank)
          c.attend_chunk(u, chunk, c.part_of_token(t, chunk, u.head),
                         thread_scratch(static_cast<size_t>(c.work_floats(u))));
    });
  }
  me.sync();
  const auto [begin, end] = me.share(c.T * c.H);
  for (int64_t row = begin; row < end; ++row)
    if (c.positions[row / c.H] >= 0) c.merge_parts(row / c.H, row % c.H);
}

void run(const KernelArgs& args, const Worker& me) {
  const Cached c(args);
  const auto [first, last] = me.share(c.T * c.K);
  for (int64_t unit = first; unit < last; ++unit) c.append(unit / c.K, unit % c.K);
  const auto [row, row_end] = me.share(c.T);
  for (int64_t t = row; t < row_end; ++t)
    if (c.positions[t] < 0) memset(c.out + t * c.H * c.Dv, 0, static_cast<size_t>(c.H * c.Dv) * 4);
  me.sync();
  if (is_to_be_split(c, me)) return run_split(c, me);
  int64_t i = 0;
  for_each_unit(c, [&](const Unit& u) {
    if (i++ % me.size == me.rank) c.attend(u);
  });
}

}  // namespace

template <>
Kernel kernel_for(const AttentionCached& op, Types inputs) {
  const int64_t T = inputs[0].shape[0], max_positions = inputs[7].shape[1] * inputs[3].shape[2];
  if (T > kMaxTokensToSplit) return {run};  // never split
  const int64_t n_rows = n_chunks(max_positions) * T * op.heads.n_heads;
  return {run, static_cast<size_t>(n_rows * (op.heads.v_dim() + 2)) * 4};
}

}  // namespace hearth::HEARTH_ISA
