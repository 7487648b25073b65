// Where parameters are cut: at whole heads, at whole blocks of their dtype, and not at all where there are too few.
#include "runtime/architectures/tensor_parallel.h"

#include <gtest/gtest.h>

#include "runtime/architectures/parameter_table.h"

namespace hearth::tensor_parallel_test {
namespace {

// Heads of 48: a block of 32 ends with a head at every second one.
std::vector<ParameterSpec> attention_of(int n_heads, int n_kv_heads) {
  ModelConfig c;
  c.n_layers = 1, c.d_model = 64, c.n_heads = n_heads, c.n_kv_heads = n_kv_heads, c.head_dim = 48, c.d_ff = 96;
  c.vocab_size = 10;
  ParameterTable t(c);
  t.embed();
  t.begin_layer(0);
  t.attention({.qkv_bias = true});
  t.glu();
  return t.take();
}

LeafShardings cut(const std::vector<ParameterSpec>& specs, Dtype dtype, int n) {
  return cut_parameters(
      specs, [dtype](const ParameterSpec& spec) { return is_vector(spec.kind) ? Dtype::f32 : dtype; },
      tensor_parallel_axes(), n);
}

TEST(TensorParallel, HeadsStayWhole) {
  const LeafShardings halves = cut(attention_of(8, 4), Dtype::f32, 2);
  EXPECT_EQ(halves.at("layers.0.wq"), Sharding::cut(0, {0, 192, 384}));
  EXPECT_EQ(halves.at("layers.0.wq_bias"), Sharding::cut(0, {0, 192, 384}));
  EXPECT_EQ(halves.at("layers.0.wk"), Sharding::cut(0, {0, 96, 192}));
  EXPECT_EQ(halves.at("layers.0.wo"), Sharding::cut(1, {0, 192, 384}));
  EXPECT_EQ(halves.at("layers.0.w_down"), Sharding::cut(1, {0, 48, 96}));
  EXPECT_EQ(halves.at("embed"), Sharding::cut(0, {0, 5, 10}));
}

// Query heads go with their key heads, also where these do not divide.
TEST(TensorParallel, UnevenHeadsKeepTheirKeyHeads) {
  const LeafShardings thirds = cut(attention_of(8, 4), Dtype::f32, 3);
  EXPECT_EQ(thirds.at("layers.0.wk"), Sharding::cut(0, {0, 48, 96, 192}));
  EXPECT_EQ(thirds.at("layers.0.wq"), Sharding::cut(0, {0, 96, 192, 384}));
}

TEST(TensorParallel, FewerKeyHeadsThanPartsStayWhole) {
  for (int n_kv_heads : {1, 2}) {
    const LeafShardings quarters = cut(attention_of(8, n_kv_heads), Dtype::f32, 4);
    EXPECT_FALSE(quarters.contains("layers.0.wk"));
    EXPECT_FALSE(quarters.contains("layers.0.wv_bias"));
    EXPECT_EQ(quarters.at("layers.0.wq"), Sharding::cut(0, {0, 96, 192, 288, 384}));
  }
  EXPECT_FALSE(cut(attention_of(2, 1), Dtype::f32, 3).contains("layers.0.wq"));
}

// wq's heads are rows and wo's are columns, where blocks of 32 lie: 96 is their least common multiple.
TEST(TensorParallel, BlocksStayWhole) {
  const LeafShardings halves = cut(attention_of(6, 6), Dtype::q8_0, 2);
  EXPECT_EQ(halves.at("layers.0.wq"), Sharding::cut(0, {0, 144, 288}));
  EXPECT_EQ(halves.at("layers.0.wo"), Sharding::cut(1, {0, 96, 288}));
  EXPECT_FALSE(cut(attention_of(2, 2), Dtype::q8_0, 2).contains("layers.0.wo"));
}

}  // namespace
}  // namespace hearth::tensor_parallel_test
