// attention_cached: rules.
#include "runtime/ops/attention_cached/attention_cached.h"

#include <cmath>
#include "runtime/ops/rules.h"

namespace hearth {

std::string_view AttentionCached::name() const {
  return "attention_cached";
}
std::string AttentionCached::attributes() const {
  return fmt::format("n_heads={} n_kv_heads={} head_dim={} softmax_scale={}", n_heads, n_kv_heads, head_dim,
                     softmax_scale);
}

Result<std::vector<TensorType>> AttentionCached::infer(Types inputs) const {
  TRY(check_operands(name(), inputs,
                     {{"q", Accept::f32, 2},
                      {"k", Accept::f32, 2},
                      {"v", Accept::f32, 2},
                      {"k_cache", Accept::cache, 4},
                      {"v_cache", Accept::cache, 4},
                      {"positions", Accept::i32, 1},
                      {"seq_of_token", Accept::i32, 1},
                      {"page_table", Accept::i32, 2}}));
  const int64_t n_tokens = inputs[0].shape[0], q = int64_t{n_heads} * head_dim, kv = int64_t{n_kv_heads} * head_dim;
  if (n_heads < 1 || n_kv_heads < 1 || n_heads % n_kv_heads != 0)
    return shape_error(name(), "n_heads", "a positive multiple of n_kv_heads",
                       fmt::format("{} and {}", n_heads, n_kv_heads));
  if (inputs[0].shape[1] != q) return shape_error(name(), "q", Shape{n_tokens, q}.to_string(), inputs[0].to_string());
  for (size_t i : {1u, 2u})
    if (!(inputs[i].shape == Shape{n_tokens, kv}))
      return shape_error(name(), "k and v", Shape{n_tokens, kv}.to_string(), inputs[i].to_string());
  if (!(inputs[3] == inputs[4]) || inputs[3].shape[1] != n_kv_heads || inputs[3].shape[3] != head_dim)
    return shape_error(name(), "caches", fmt::format("[n_pages, {}, page_size, {}]", n_kv_heads, head_dim),
                       inputs[3].to_string() + " and " + inputs[4].to_string());
  for (size_t i : {5u, 6u})
    if (inputs[i].shape[0] != n_tokens)
      return shape_error(name(), "positions and seq_of_token", "one per token", inputs[i].to_string());
  return std::vector{inputs[0]};
}

namespace {

// The row of the cache (in units of head_dim elements) that holds position p of a sequence.
int64_t cache_row(Views inputs, int64_t seq, int64_t position, int64_t kv_head) {
  const int64_t n_kv_heads = inputs[3].dim(1), page_size = inputs[3].dim(2);
  const int64_t page = inputs[7].i32()[seq * inputs[7].dim(1) + position / page_size];
  return (page * n_kv_heads + kv_head) * page_size + position % page_size;
}

}  // namespace

void AttentionCached::reference(Views inputs, Views outputs) const {
  const int64_t n_tokens = inputs[0].dim(0), kv_width = int64_t{n_kv_heads} * head_dim, group = n_heads / n_kv_heads;
  const int32_t *positions = inputs[5].i32(), *seqs = inputs[6].i32();
  for (int64_t t = 0; t < n_tokens; ++t)
    for (int64_t h = 0; h < n_kv_heads; ++h)
      for (size_t which : {1u, 2u})
        from_float(inputs[3].type.dtype, inputs[which].f32() + t * kv_width + h * head_dim,
                   inputs[which + 2].row(cache_row(inputs, seqs[t], positions[t], h)), head_dim);
  std::vector<float> row(static_cast<size_t>(head_dim));
  for (int64_t t = 0; t < n_tokens; ++t)
    for (int64_t h = 0; h < n_heads; ++h) {
      const float* q = inputs[0].f32() + (t * n_heads + h) * head_dim;
      std::vector<double> p(static_cast<size_t>(positions[t]) + 1);
      double largest = -INFINITY, sum = 0;
      for (int64_t s = 0; s <= positions[t]; ++s) {
        to_float(inputs[3].type.dtype, inputs[3].row(cache_row(inputs, seqs[t], s, h / group)), row.data(), head_dim);
        double dot = 0;
        for (int d = 0; d < head_dim; ++d) dot += static_cast<double>(q[d]) * row[static_cast<size_t>(d)];
        p[static_cast<size_t>(s)] = dot * softmax_scale;
        largest = std::max(largest, p[static_cast<size_t>(s)]);
      }
      for (double& x : p) sum += x = std::exp(x - largest);
      std::vector<double> out(static_cast<size_t>(head_dim));
      for (int64_t s = 0; s <= positions[t]; ++s) {
        to_float(inputs[4].type.dtype, inputs[4].row(cache_row(inputs, seqs[t], s, h / group)), row.data(), head_dim);
        for (int d = 0; d < head_dim; ++d)
          out[static_cast<size_t>(d)] += p[static_cast<size_t>(s)] / sum * row[static_cast<size_t>(d)];
      }
      std::copy(out.begin(), out.end(), outputs[0].f32() + (t * n_heads + h) * head_dim);
    }
}

Result<std::vector<Value>> AttentionCached::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it writes to a cache; train with `attention`");
}

Sharding AttentionCached::sharding(Types) const {
  Sharding rule{
      {{"", "H"}, {"", "H"}, {"", "H"}, {"", "H", "", ""}, {"", "H", "", ""}, {""}, {""}, {"", ""}}, {{"", "H"}}, {}};
  if (n_kv_heads % 2 == 0) rule.shardable.push_back("H");
  return rule;
}

std::shared_ptr<const Op> AttentionCached::shard(std::string_view, int, int n, Types) const {
  return std::make_shared<AttentionCached>(n_heads / n, n_kv_heads / n, head_dim, softmax_scale);
}

// Lengths are data, so the bound is what the page table can address.
Cost AttentionCached::cost(Types inputs, Types outputs) const {
  const double context = static_cast<double>(inputs[7].shape[1] * inputs[3].shape[2]);
  const double n_seqs = static_cast<double>(inputs[7].shape[0]);
  const double per_position = 2.0 * static_cast<double>(inputs[3].row_bytes()) * n_kv_heads;
  return {4.0 * static_cast<double>(inputs[0].shape[0]) * context * n_heads * head_dim, context * n_seqs * per_position,
          static_cast<double>(outputs[0].bytes()) + static_cast<double>(inputs[0].shape[0]) * per_position};
}

// Two sequences whose pages are interleaved; the first continues after a prefix that is already in the cache.
std::vector<Sample> AttentionCached::samples() {
  std::vector<Sample> out;
  auto op = std::make_shared<AttentionCached>(4, 2, 16, 0.25f);
  for (Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
    auto sample = [&](const char* name, Tensor positions, Tensor seqs) {
      const int64_t n = positions.type().shape[0];
      Tensor table(TensorType{Dtype::i32, {2, 3}});
      const int32_t pages[] = {4, 0, 5, 1, 3, 2};
      std::copy(pages, pages + 6, table.i32());
      return make_sample(std::string(name) + "_" + dtype_info(dtype).name, op, {}, random_tensor({n, 64}, 1, 2),
                         random_tensor({n, 32}, 2, 2), random_tensor({n, 32}, 3),
                         random_weights(dtype, {6, 2, 8, 16}, 4), random_weights(dtype, {6, 2, 8, 16}, 5),
                         std::move(positions), std::move(seqs), std::move(table));
    };
    out.push_back(sample("decode", ids_tensor({17}), ids_tensor({1})));
    out.push_back(sample("decode_two", ids_tensor({5, 23}), ids_tensor({1, 0})));
    out.push_back(sample("mixed", ids_tensor({7, 8, 9, 10, 0, 1, 2, 20}), ids_tensor({0, 0, 0, 0, 1, 1, 1, 1})));
  }
  // A chunk of a long prompt beside a decoding sequence; blocks of positions and pages cross in every way.
  for (Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
    constexpr int64_t kPages = 15, kPageSize = 12, kTokens = 45;
    Tensor positions(TensorType{Dtype::i32, {kTokens}}), seqs(TensorType{Dtype::i32, {kTokens}});
    Tensor table(TensorType{Dtype::i32, {2, kPages}});
    for (int64_t i = 0; i < 2 * kPages; ++i) table.i32()[i] = static_cast<int32_t>(i * 7 % (2 * kPages));
    for (int64_t t = 0; t < kTokens; ++t) positions.i32()[t] = static_cast<int32_t>(100 + t), seqs.i32()[t] = 0;
    positions.i32()[kTokens - 1] = 70, seqs.i32()[kTokens - 1] = 1;
    auto wide = std::make_shared<AttentionCached>(6, 2, 20, 0.2f);
    out.push_back(make_sample(fmt::format("long_{}", dtype_info(dtype).name), wide, {},
                              random_tensor({kTokens, 120}, 1, 2), random_tensor({kTokens, 40}, 2, 2),
                              random_tensor({kTokens, 40}, 3), random_weights(dtype, {2 * kPages, 2, kPageSize, 20}, 4),
                              random_weights(dtype, {2 * kPages, 2, kPageSize, 20}, 5), std::move(positions),
                              std::move(seqs), std::move(table)));
  }
  for (Sample& s : out) s.tolerance = 2e-5;
  return out;
}

}  // namespace hearth
