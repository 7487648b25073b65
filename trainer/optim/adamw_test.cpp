// AdamW against plain double loops, and that threads change nothing.
#include "trainer/optim/adamw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "trainer/random.h"

namespace hearth::train {
namespace {

Trainable make(const std::string& name, int64_t n, bool decays, uint64_t key) {
  Trainable t{name, decays, Tensor({Dtype::f32, {n}}), Tensor({Dtype::f32, {n}}), Tensor({Dtype::f32, {n}})};
  Random random(key);
  for (int64_t i = 0; i < n; ++i) t.weight.f32()[i] = random.normal();
  return t;
}

std::vector<float> noise(int64_t n, uint64_t key) {
  Random random(key);
  std::vector<float> out(static_cast<size_t>(n));
  for (float& x : out) x = random.normal();
  return out;
}

TEST(AdamW, FollowsTheFormula) {
  Team team(2);
  const AdamWOptions options{.learning_rate = 1e-2, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0.1};
  for (bool decays : {true, false}) {
    std::vector<Trainable> list;
    list.push_back(make("w", 1000, decays, 1));
    std::vector<double> w(1000), m(1000), v(1000);
    for (size_t i = 0; i < 1000; ++i) w[i] = list[0].weight.f32()[i];
    for (int64_t step = 1; step <= 5; ++step) {
      const std::vector<float> g = noise(1000, 10 + static_cast<uint64_t>(step));
      const std::span<const float> grads[] = {g};
      adamw_step(team, list, grads, 0.5, step, options);
      for (size_t i = 0; i < 1000; ++i) {
        const double gradient = 0.5 * g[i];
        m[i] = 0.9 * m[i] + 0.1 * gradient;
        v[i] = 0.95 * v[i] + 0.05 * gradient * gradient;
        const double mean = m[i] / (1 - std::pow(0.9, step)), root = std::sqrt(v[i] / (1 - std::pow(0.95, step)));
        w[i] -= 1e-2 * (mean / (root + 1e-8) + (decays ? 0.1 * w[i] : 0));
      }
    }
    for (size_t i = 0; i < 1000; ++i) ASSERT_NEAR(list[0].weight.f32()[i], w[i], 1e-5);
  }
}

TEST(AdamW, SameBitsAtEveryThreadCount) {
  const int64_t n = 100'003;
  const std::vector<float> g = noise(n, 3), h = noise(77, 4);
  const std::span<const float> grads[] = {g, h};
  std::vector<std::vector<float>> results;
  std::vector<double> norms;
  for (int threads : {1, 2, 3}) {
    Team team(threads);
    std::vector<Trainable> list;
    list.push_back(make("a", n, true, 1));
    list.push_back(make("b", 77, false, 2));
    adamw_step(team, list, grads, 1, 1, {.learning_rate = 1e-3, .weight_decay = 0.1});
    results.emplace_back(list[0].weight.f32(), list[0].weight.f32() + n);
    norms.push_back(global_norm(team, grads));
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
  EXPECT_EQ(norms[0], norms[1]);
  EXPECT_EQ(norms[0], norms[2]);
  double sum = 0;
  for (float x : g) sum += double(x) * x;
  for (float x : h) sum += double(x) * x;
  EXPECT_NEAR(norms[0], std::sqrt(sum), 1e-6);
}

TEST(AdamW, NormShowsNotANumber) {
  Team team(1);
  std::vector<float> g = noise(50, 1);
  g[13] = NAN;
  const std::span<const float> grads[] = {g};
  EXPECT_TRUE(std::isnan(global_norm(team, grads)));
}

}  // namespace
}  // namespace hearth::train
