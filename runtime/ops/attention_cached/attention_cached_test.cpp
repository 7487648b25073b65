// attention_cached on the CPU: a token's bits depend neither on its neighbours nor on the number of threads, and the
// borders of chunks are where they are said to be.
#include "runtime/ops/attention_cached/attention_cached.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "hwdetect/cpu_features.h"
#include "runtime/backend/cpu/team.h"
#include "runtime/ops/cpu_kernels.h"
#include "runtime/ops/rules.h"

namespace hearth::attention_cached_test {
namespace {

constexpr int64_t kPages = 40, kPageSize = 64;

struct Step {
  std::vector<int32_t> positions, seqs;
  Tensor q, k, v;
};

Tensor ids_of(const std::vector<int32_t>& ids) {
  Tensor out(TensorType{Dtype::i32, {static_cast<int64_t>(ids.size())}});
  std::copy(ids.begin(), ids.end(), out.i32());
  return out;
}

Tensor row_of(const Tensor& all, int64_t t) {
  const int64_t n = all.type().shape.last();
  Tensor out(TensorType{Dtype::f32, {1, n}});
  std::copy(all.f32() + t * n, all.f32() + (t + 1) * n, out.f32());
  return out;
}

// The rows of the step, in caches of their own that hold the same past each time.
Tensor run(const AttentionAttributes& a, const Step& step, int n_threads) {
  const auto n = static_cast<int64_t>(step.positions.size());
  Tensor k_cache = random_weights(Dtype::f16, {2 * kPages, a.n_kv_heads, kPageSize, a.head_dim}, 4),
         v_cache = random_weights(Dtype::f16, {2 * kPages, a.n_kv_heads, kPageSize, a.v_dim()}, 5);
  Tensor table(TensorType{Dtype::i32, {2, kPages}}), sinks = random_tensor({a.n_heads}, 6, 2);
  for (int32_t i = 0; i < 2 * kPages; ++i) table.i32()[i] = i;
  const Tensor positions = ids_of(step.positions), seqs = ids_of(step.seqs);
  std::vector<TensorView> inputs{step.q.view(),  step.k.view(),    step.v.view(), k_cache.view(),
                                 v_cache.view(), positions.view(), seqs.view(),   table.view()};
  if (a.has_sinks) inputs.push_back(sinks.view());
  std::vector<TensorType> types;
  for (const TensorView& view : inputs) types.push_back(view.type);
  const AttentionCached op(a);
  const Kernel kernel = cpu_kernels(cpu_features()).find(op, types);
  Tensor out(TensorType{Dtype::f32, {n, int64_t{a.n_heads} * a.v_dim()}});
  Tensor scratch(TensorType{Dtype::f32, {static_cast<int64_t>(kernel.scratch_bytes / 4 + 16)}});
  const TensorView outputs[] = {out.view()};
  Team team(n_threads);
  const KernelArgs args{&op, inputs, outputs, scratch.view().as<std::byte>()};
  team.run([&](const Worker& me) { kernel.run(args, me); });
  return out;
}

// To the bit, where the compiler contracts a product and a sum alike in every copy of a loop; unoptimised as it is
// beside a sanitizer, clang does not.
bool same_row(const Tensor& a, int64_t row_a, const Tensor& b, int64_t row_b) {
  const auto *x = static_cast<const float*>(a.view().row(row_a)), *y = static_cast<const float*>(b.view().row(row_b));
  const int64_t n = a.type().shape.last();
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  return std::equal(x, x + n, y, [](float p, float q) { return std::fabs(p - q) <= 1e-5f; });
#endif
#endif
  return std::memcmp(x, y, static_cast<size_t>(n) * sizeof(float)) == 0;
}

// Each token alone, with as many threads as there may be, gives the row that it has among all others.
void expect_rows_alone(const AttentionAttributes& a) {
  Step step;
  // A chunk of a prompt across the border at 256, decodes before, at and behind borders, padding.
  for (int32_t p = 250; p < 262; ++p) step.positions.push_back(p), step.seqs.push_back(0);
  for (int32_t p : {3, 255, 256, 700, -1, 2047}) step.positions.push_back(p), step.seqs.push_back(1);
  const auto n = static_cast<int64_t>(step.positions.size());
  step.q = random_tensor({n, a.q_width()}, 1, 2), step.k = random_tensor({n, a.k_width()}, 2, 2);
  step.v = random_tensor({n, a.v_width()}, 3);
  const Tensor together = run(a, step, 2);
  for (int64_t t = 0; t < n; ++t) {
    // What the others store before this position is part of its past.
    const auto at = static_cast<size_t>(t);
    Step past{{}, {}, Tensor(), Tensor(), Tensor()};
    std::vector<int64_t> rows;
    for (size_t i = 0; i < step.positions.size(); ++i)
      if (i == at || (step.positions[at] >= 0 && step.seqs[i] == step.seqs[at] && step.positions[i] >= 0 &&
                      step.positions[i] < step.positions[at]))
        rows.push_back(static_cast<int64_t>(i));
    const auto m = static_cast<int64_t>(rows.size());
    past.q = Tensor(TensorType{Dtype::f32, {m, a.q_width()}}),
    past.k = Tensor(TensorType{Dtype::f32, {m, a.k_width()}});
    past.v = Tensor(TensorType{Dtype::f32, {m, a.v_width()}});
    for (int64_t i = 0; i < m; ++i) {
      const int64_t from = rows[static_cast<size_t>(i)];
      past.positions.push_back(step.positions[static_cast<size_t>(from)]);
      past.seqs.push_back(step.seqs[static_cast<size_t>(from)]);
      for (auto [to, all] : {std::pair{&past.q, &step.q}, {&past.k, &step.k}, {&past.v, &step.v}})
        std::memcpy(to->view().row(i), row_of(*all, from).f32(), static_cast<size_t>(to->type().row_bytes()));
    }
    for (int n_threads : {1, 2, 5, 16}) {
      const Tensor alone = run(a, past, n_threads);
      const int64_t mine = std::find(rows.begin(), rows.end(), t) - rows.begin();
      EXPECT_TRUE(same_row(alone, mine, together, t)) << "token " << t << " with " << n_threads << " threads";
    }
  }
}

TEST(AttentionCached, ATokensBitsDependOnItsPastAlone) {
  const AttentionAttributes latent{
      .n_heads = 40, .n_kv_heads = 1, .head_dim = 24, .value_dim = 20, .softmax_scale = 0.2f};
  expect_rows_alone(latent);
  AttentionAttributes windowed{.n_heads = 4, .n_kv_heads = 2, .head_dim = 16, .softmax_scale = 0.25f};
  windowed.window = 300, windowed.has_sinks = true;
  expect_rows_alone(windowed);
}

}  // namespace
}  // namespace hearth::attention_cached_test
