// Initial weights: the right spread, and the same for the same seed.
#include "trainer/initialise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace hearth::train::initialise_test {
namespace {

double spread(const Tensor& t) {
  double sum = 0;
  for (int64_t i = 0; i < t.type().shape.n_elements(); ++i) sum += double(t.f32()[i]) * t.f32()[i];
  return std::sqrt(sum / static_cast<double>(t.type().shape.n_elements()));
}

Tensor initialised(const std::string& role, ParameterKind kind, uint64_t seed) {
  ModelConfig config;
  config.n_layers = 8;
  Tensor t({Dtype::f32, {256, 128}});
  ParameterSpec spec;
  spec.role = role;
  spec.kind = kind;
  spec.shape = t.type().shape;
  initialise(spec, config, seed, t.view());
  return t;
}

TEST(Initialise, SpreadFollowsTheKind) {
  EXPECT_NEAR(spread(initialised("layers.0.wq", ParameterKind::matrix, 1)), 0.02, 0.0005);
  EXPECT_NEAR(spread(initialised("embed", ParameterKind::embedding, 1)), 0.02, 0.0005);
  EXPECT_NEAR(spread(initialised("layers.0.wo", ParameterKind::matrix, 1)), 0.005, 0.0002);
  EXPECT_NEAR(spread(initialised("layers.3.w_down", ParameterKind::matrix, 1)), 0.005, 0.0002);
  EXPECT_EQ(initialised("final_norm", ParameterKind::norm, 1).f32()[7], 1);
}

TEST(Initialise, SeedAndRoleDecideEverything) {
  const Tensor a = initialised("layers.0.wq", ParameterKind::matrix, 1),
               b = initialised("layers.0.wq", ParameterKind::matrix, 1);
  EXPECT_EQ(std::memcmp(a.f32(), b.f32(), 256 * 128 * 4), 0);
  EXPECT_NE(a.f32()[0], initialised("layers.0.wq", ParameterKind::matrix, 2).f32()[0]);
  EXPECT_NE(a.f32()[0], initialised("layers.0.wk", ParameterKind::matrix, 1).f32()[0]);
}

TEST(Initialise, LoraStartsAtNothing) {
  Tensor a({Dtype::f32, {8, 64}}), b({Dtype::f32, {64, 8}});
  initialise_lora("layers.0.wq.lora_a", 1, a.view());
  initialise_lora("layers.0.wq.lora_b", 1, b.view());
  EXPECT_NEAR(spread(a), 0.125 / std::sqrt(3), 0.01);
  EXPECT_EQ(spread(b), 0);
}

}  // namespace
}  // namespace hearth::train::initialise_test
