// attention_cached: rules.
#include "runtime/ops/attention_cached/attention_cached.h"

#include <algorithm>
#include <cmath>
#include "runtime/ops/rules.h"

namespace hearth {

std::string_view AttentionCached::name() const {
  return "attention_cached";
}
std::string AttentionCached::attributes() const {
  return heads.to_string();
}

namespace {

constexpr size_t kCachedInputs = 8;  // without sinks

// The row of a cache [n_pages, K, page_size, D] (in units of D elements) that holds position p of a sequence.
int64_t cache_row(Views inputs, int64_t seq, int64_t position, int64_t kv_head) {
  const int64_t n_kv_heads = inputs[3].dim(1), page_size = inputs[3].dim(2);
  const int64_t page = inputs[7].i32()[seq * inputs[7].dim(1) + position / page_size];
  return (page * n_kv_heads + kv_head) * page_size + position % page_size;
}

void append(const AttentionAttributes& a, Views inputs) {
  const int32_t *positions = inputs[5].i32(), *seqs = inputs[6].i32();
  for (int64_t t = 0; t < inputs[0].dim(0); ++t)
    for (int64_t h = 0; positions[t] >= 0 && h < a.n_kv_heads; ++h)
      for (size_t which : {1u, 2u}) {
        const int64_t width = which == 1 ? a.head_dim : a.v_dim();
        from_float(inputs[3].type.dtype, inputs[which].f32() + (t * a.n_kv_heads + h) * width,
                   inputs[which + 2].row(cache_row(inputs, seqs[t], positions[t], h)), width);
      }
}

// out [Dv]: token t, head h. Padding gets zeros.
void attend(const AttentionAttributes& a, Views inputs, int64_t t, int64_t h, double sink, float* out) {
  const int64_t position = inputs[5].i32()[t], seq = inputs[6].i32()[t], kv = h / (a.n_heads / a.n_kv_heads);
  if (position < 0) return std::fill(out, out + a.v_dim(), 0.0f);
  const int64_t first = a.window > 0 ? std::max<int64_t>(0, position - a.window + 1) : 0;
  const float* q = inputs[0].f32() + (t * a.n_heads + h) * a.head_dim;
  std::vector<float> row(static_cast<size_t>(std::max(a.head_dim, a.v_dim())));
  std::vector<double> p, sums(static_cast<size_t>(a.v_dim()));
  double largest = sink, total = 0;
  for (int64_t s = first; s <= position; ++s) {
    to_float(inputs[3].type.dtype, inputs[3].row(cache_row(inputs, seq, s, kv)), row.data(), a.head_dim);
    double score = 0;
    for (int d = 0; d < a.head_dim; ++d) score += static_cast<double>(q[d]) * row[static_cast<size_t>(d)];
    score *= a.softmax_scale;
    p.push_back(a.softcap > 0 ? a.softcap * std::tanh(score / a.softcap) : score);
    largest = std::max(largest, p.back());
  }
  for (double& x : p) total += x = std::exp(x - largest);
  total += std::exp(sink - largest);
  for (int64_t s = first; s <= position; ++s) {
    to_float(inputs[4].type.dtype, inputs[4].row(cache_row(inputs, seq, s, kv)), row.data(), a.v_dim());
    for (size_t d = 0; d < sums.size(); ++d) sums[d] += p[static_cast<size_t>(s - first)] / total * row[d];
  }
  std::copy(sums.begin(), sums.end(), out);
}

}  // namespace

Result<std::vector<TensorType>> AttentionCached::infer(Types inputs) const {
  const Operand q{"q", Accept::f32, 3}, k{"k", Accept::f32, 3}, v{"v", Accept::f32, 3},
      k_cache{"k_cache", Accept::cache, 4}, v_cache{"v_cache", Accept::cache, 4},
      positions{"positions", Accept::i32, 1}, seqs{"seq_of_token", Accept::i32, 1}, table{"page_table", Accept::i32, 2},
      sinks{"sinks", Accept::cache, 1};
  TRY(heads.has_sinks ? check_operands(*this, inputs, {q, k, v, k_cache, v_cache, positions, seqs, table, sinks})
                      : check_operands(*this, inputs, {q, k, v, k_cache, v_cache, positions, seqs, table}));
  TRY(check_attention(name(), heads, inputs, kCachedInputs));
  if (!heads.causal)
    return error(Code::unimplemented, "{}: bidirectional attention has no cache; run the whole sequence at once",
                 name());
  const int64_t n_tokens = inputs[0].shape[0];
  const Shape pages = inputs[3].shape;
  const Shape wanted_k{pages[0], heads.n_kv_heads, pages[2], heads.head_dim},
      wanted_v{pages[0], heads.n_kv_heads, pages[2], heads.v_dim()};
  if (!(pages == wanted_k) || !(inputs[4].shape == wanted_v) || inputs[3].dtype != inputs[4].dtype)
    return shape_error(name(), "caches", wanted_k.to_string() + " and " + wanted_v.to_string() + " of one dtype",
                       inputs[3].to_string() + " and " + inputs[4].to_string());
  for (size_t i : {5u, 6u})
    if (inputs[i].shape[0] != n_tokens)
      return shape_error(name(), "positions and seq_of_token", "one per token", inputs[i].to_string());
  return std::vector{TensorType{inputs[0].dtype, heads.out_shape(n_tokens)}};
}

void AttentionCached::reference(Views inputs, Views outputs) const {
  append(heads, inputs);
  const Tensor sinks = heads.has_sinks ? to_f32(inputs[kCachedInputs]) : Tensor();
  for (int64_t t = 0; t < inputs[0].dim(0); ++t)
    for (int64_t h = 0; h < heads.n_heads; ++h)
      attend(heads, inputs, t, h, heads.has_sinks ? sinks.f32()[h] : -INFINITY,
             outputs[0].f32() + (t * heads.n_heads + h) * heads.v_dim());
}

Result<std::vector<Value>> AttentionCached::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it writes to a cache; train with `attention`");
}

ShardingRule AttentionCached::sharding(Types) const {
  const AttentionAttributes a = heads;
  const AxisName queries("heads", a.n_heads / a.n_kv_heads);
  const Axes q{"", queries, ""}, k{"", "heads", ""}, pages{"", "heads", "", ""};
  ShardingRule rule{{q, k, k, pages, pages, {""}, {""}, {"", ""}}, {q}, {"heads"}};
  if (a.has_sinks) rule.inputs.push_back({queries});
  rule.local["heads"] = [a, group = queries.unit](int64_t begin, int64_t end) {
    AttentionAttributes part = a;
    part.n_kv_heads = static_cast<int>(end - begin);
    part.n_heads = static_cast<int>((end - begin) * group);
    return std::make_shared<AttentionCached>(part);
  };
  if (a.n_kv_heads > 1) return rule;
  Alternative shared;  // one key head, which every part keeps
  shared.axis = "query heads";
  shared.inputs.resize(rule.inputs.size());
  shared.inputs[0] = {Spread::cut, 1, 1};
  if (a.has_sinks) shared.inputs.back() = {Spread::cut, 0, 1};
  shared.outputs = {{Spread::cut, 1, 1}};
  shared.local = [a](int64_t begin, int64_t end) {
    AttentionAttributes part = a;
    part.n_heads = static_cast<int>(end - begin);
    return std::make_shared<AttentionCached>(part);
  };
  rule.more = {std::move(shared)};
  return rule;
}

// Lengths are data, so the bound is what the page table can address, or the window.
Cost AttentionCached::cost(Types inputs, Types outputs) const {
  double context = static_cast<double>(inputs[7].shape[1] * inputs[3].shape[2]);
  if (heads.window > 0) context = std::min(context, static_cast<double>(heads.window));
  const double n_tokens = static_cast<double>(inputs[0].shape[0]), n_seqs = static_cast<double>(inputs[7].shape[0]);
  const double per_position = static_cast<double>(inputs[3].row_bytes() + inputs[4].row_bytes()) * heads.n_kv_heads;
  return {2.0 * n_tokens * context * heads.n_heads * (heads.head_dim + heads.v_dim()), context * n_seqs * per_position,
          static_cast<double>(outputs[0].bytes()) + n_tokens * per_position};
}

}  // namespace hearth
