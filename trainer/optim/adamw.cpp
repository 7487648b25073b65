// adamw, one fused pass
// math:     see adamw.h
// traffic:  reads weight, m, v, gradient, writes weight, m, v: 28 B a parameter, ~15 flops: memory bound
// mapping:  all tensors as one list of chunks, each thread takes a contiguous part of the list
// numerics: element-wise f32; the norm sums chunks in double, then the chunks in order: the same at every thread count
#include "trainer/optim/adamw.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace hearth::train {
namespace {

constexpr int64_t kChunk = 1 << 15;  // 128 KiB of each array: fine grained enough to share, far above call cost

struct Chunk {
  size_t tensor;
  int64_t begin, n;
};

template <class Spans>
std::vector<Chunk> chunks_of(const Spans& spans) {
  std::vector<Chunk> out;
  for (size_t i = 0; i < spans.size(); ++i)
    for (int64_t begin = 0, n = static_cast<int64_t>(spans[i].size()); begin < n; begin += kChunk)
      out.push_back({i, begin, std::min(kChunk, n - begin)});
  return out;
}

template <class Body>
void for_chunks(Team& team, const std::vector<Chunk>& chunks, const Body& body) {
  team.run([&](const Worker& worker) {
    const auto [begin, end] = worker.share(static_cast<int64_t>(chunks.size()));
    for (int64_t i = begin; i < end; ++i) body(static_cast<size_t>(i));
  });
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HEARTH_CLONES __attribute__((target_clones("default", "arch=haswell"), optimize("O3")))
#else
#define HEARTH_CLONES
#endif

struct Coefficients {
  float scale, lr, beta1, beta2, eps, decay, correct1, correct2;
};

HEARTH_CLONES void update(float* __restrict w, float* __restrict m, float* __restrict v, const float* __restrict g, int64_t n, Coefficients c) {
  for (int64_t i = 0; i < n; ++i) {
    const float gradient = c.scale * g[i];
    m[i] += (1 - c.beta1) * (gradient - m[i]);
    v[i] += (1 - c.beta2) * (gradient * gradient - v[i]);
    const float direction = m[i] * c.correct1 / (std::sqrt(v[i] * c.correct2) + c.eps);
    w[i] -= c.lr * (direction + c.decay * w[i]);
  }
}

HEARTH_CLONES double sum_of_squares(const float* g, int64_t n) {
  double lanes[8] = {};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int k = 0; k < 8; ++k) lanes[k] += static_cast<double>(g[i + k]) * static_cast<double>(g[i + k]);
  double sum = 0;
  for (double lane : lanes) sum += lane;
  for (; i < n; ++i) sum += static_cast<double>(g[i]) * static_cast<double>(g[i]);
  return sum;
}

HEARTH_CLONES void add_to(float* __restrict sum, const float* __restrict g, int64_t n) {
  for (int64_t i = 0; i < n; ++i) sum[i] += g[i];
}

}  // namespace

double global_norm(Team& team, std::span<const std::span<const float>> grads) {
  const std::vector<Chunk> chunks = chunks_of(grads);
  std::vector<double> sums(chunks.size());
  for_chunks(team, chunks, [&](size_t i) { sums[i] = sum_of_squares(grads[chunks[i].tensor].data() + chunks[i].begin, chunks[i].n); });
  double sum = 0;
  for (double s : sums) sum += s;
  return std::sqrt(sum);
}

void adamw_step(Team& team, std::span<Trainable> trainables, std::span<const std::span<const float>> grads, double grad_scale,
                int64_t step, const AdamWOptions& options) {
  CHECK(trainables.size() == grads.size() && step >= 1);
  Coefficients c{};
  c.scale = static_cast<float>(grad_scale);
  c.lr = static_cast<float>(options.learning_rate);
  c.beta1 = static_cast<float>(options.beta1);
  c.beta2 = static_cast<float>(options.beta2);
  c.eps = static_cast<float>(options.eps);
  c.correct1 = static_cast<float>(1 / (1 - std::pow(options.beta1, static_cast<double>(step))));
  c.correct2 = static_cast<float>(1 / (1 - std::pow(options.beta2, static_cast<double>(step))));
  const std::vector<Chunk> chunks = chunks_of(grads);
  for_chunks(team, chunks, [&](size_t i) {
    const Chunk& chunk = chunks[i];
    Trainable& t = trainables[chunk.tensor];
    Coefficients own = c;
    own.decay = t.decays ? static_cast<float>(options.weight_decay) : 0.0f;
    update(t.weight.f32() + chunk.begin, t.m.f32() + chunk.begin, t.v.f32() + chunk.begin, grads[chunk.tensor].data() + chunk.begin, chunk.n, own);
  });
}

void accumulate(Team& team, std::span<const std::span<float>> sums, std::span<const std::span<const float>> grads) {
  CHECK(sums.size() == grads.size());
  const std::vector<Chunk> chunks = chunks_of(grads);
  for_chunks(team, chunks, [&](size_t i) {
    const Chunk& chunk = chunks[i];
    add_to(sums[chunk.tensor].data() + chunk.begin, grads[chunk.tensor].data() + chunk.begin, chunk.n);
  });
}

}  // namespace hearth::train
