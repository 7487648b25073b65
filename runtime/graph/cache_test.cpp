// cache: which states a forward graph needs, and what cannot go on where a sequence stood. That results are the same
// through the cache, the golden tests compare for every family.
#include <gtest/gtest.h>

#include "runtime/exec/interpreter.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/attention/attention.h"
#include "runtime/ops/causal_conv1d/causal_conv1d.h"
#include "runtime/ops/linear_attention/linear_attention.h"
#include "runtime/ops/rules.h"

namespace hearth::cache_test {
namespace {

constexpr int kTokens = 5;
const CacheConfig kConfig{.n_pages = 6, .page_size = 4, .dtype = Dtype::f32, .max_pages_per_seq = 3, .max_seqs = 2};

// A forward graph's inputs, and attention over rows of two heads of 4.
struct Forward {
  Builder b;
  Value positions = b.input("positions", {Dtype::i32, {kTokens}});
  Value segments = b.input("segment_begin", {Dtype::i32, {kTokens}});
  Value rows(const std::string& name) { return b.input(name, {Dtype::f32, {kTokens, 2, 4}}); }
  Value columns(const std::string& name) { return b.input(name, {Dtype::f32, {kTokens, 8}}); }
  std::vector<Value> attention(Value q, Value k, Value v, AttentionAttributes heads = {}) {
    heads.n_heads = heads.n_kv_heads = 2, heads.head_dim = 4;
    return b.apply_all(std::make_shared<Attention>(heads), {q, k, v, segments});
  }
  Value conv(Value x, const std::string& taps) {
    return b.apply(std::make_shared<CausalConv1d>(), {x, b.parameter(taps, {Dtype::f32, {8, 3}}), segments});
  }
  Value recurrence(Value x, Value gates) {
    const LinearAttentionAttributes heads{.n_k_heads = 2, .n_v_heads = 2, .k_dim = 4, .v_dim = 4};
    return b.apply(std::make_shared<LinearAttention>(heads), {x, x, x, gates, gates, segments});
  }
};

std::vector<std::string> states_of(const Graph& graph) {
  std::vector<std::string> out;
  for (const ValueInfo& info : graph.values())
    if (info.kind == ValueKind::state)
      out.push_back(info.name + " " + info.type.to_string() +
                    (info.state_kind == StateKind::per_position ? "" : " per sequence"));
  return out;
}

TEST(Cache, LayersThatAttendToTheSameKeysAndValuesShareTheirPages) {
  Forward f;
  const Value q = f.rows("q"), k = f.rows("k"), v = f.rows("v");
  f.b.set_scope("layers.0");
  f.b.output(f.attention(q, k, v)[0]);
  f.b.set_scope("layers.1");
  f.b.output(f.attention(q, k, k)[0]);  // other values
  f.b.set_scope("layers.2");
  f.b.output(f.attention(q, k, v, {.window = 2})[0]);
  auto cached = cache(*f.b.finish(), kConfig);
  ASSERT_TRUE(cached) << cached.error().to_string();
  EXPECT_EQ(states_of(*cached),
            (std::vector<std::string>{"layers.0.k_cache f32[6, 2, 4, 4]", "layers.0.v_cache f32[6, 2, 4, 4]",
                                      "layers.1.k_cache f32[6, 2, 4, 4]", "layers.1.v_cache f32[6, 2, 4, 4]"}));
  EXPECT_EQ(cached->nodes()[2].inputs[3], cached->nodes()[0].inputs[3]);
  EXPECT_FALSE(cached->find("segment_begin"));
  EXPECT_EQ(cached->type(cached->find("seq_of_token")).to_string(), "i32[5]");
  EXPECT_EQ(cached->type(cached->find("page_table")).to_string(), "i32[2, 3]");
}

TEST(Cache, EveryRecurrenceHasAStateOfItsOwn) {
  Forward f;
  f.b.set_scope("layers.3");
  const Value x = f.columns("x"), gates = f.b.input("gates", {Dtype::f32, {kTokens, 2}});
  const Value once = f.conv(x, "layers.3.conv_q"), twice = f.conv(once, "layers.3.conv_q");
  f.b.output(f.recurrence(f.recurrence(f.b.split(twice, 1, 4), gates), gates));
  auto cached = cache(*f.b.finish(), kConfig);
  ASSERT_TRUE(cached) << cached.error().to_string();
  EXPECT_EQ(states_of(*cached), (std::vector<std::string>{"layers.3.conv_q_state f32[2, 2, 8] per sequence",
                                                          "layers.3.conv_q_state.2 f32[2, 2, 8] per sequence",
                                                          "layers.3.recurrent_state f32[2, 2, 4, 4] per sequence",
                                                          "layers.3.recurrent_state.2 f32[2, 2, 4, 4] per sequence"}));
}

// One sequence at once equals one document, attended with sinks, which stand after what the cache adds.
TEST(Cache, SaysWhatTheForwardGraphSays) {
  Forward f;
  const AttentionAttributes heads{.n_heads = 2, .n_kv_heads = 2, .head_dim = 4, .has_sinks = true};
  const Value q = f.rows("q"), sinks = f.b.parameter("sinks", {Dtype::f32, {2}});
  const Value attended =
      f.b.apply(std::make_shared<Attention>(heads), {q, f.rows("k"), f.rows("v"), f.segments, sinks});
  f.b.output(f.b.add(f.conv(f.b.merge(attended, 1), "taps"), f.b.merge(attended, 1)));
  const Graph forward = *f.b.finish();
  const Graph cached = *cache(forward, kConfig);
  std::vector<Tensor> tensors;
  auto bindings = [&](const Graph& graph) {
    std::map<std::string, TensorView, std::less<>> out;
    uint32_t seed = 1;
    for (const std::string name : {"q", "k", "v"})
      tensors.push_back(random_tensor({kTokens, 2, 4}, seed++)), out[name] = tensors.back().view();
    tensors.push_back(random_tensor({8, 3}, seed++)), out["taps"] = tensors.back().view();
    tensors.push_back(random_tensor({2}, seed++)), out["sinks"] = tensors.back().view();
    tensors.push_back(ids_tensor({0, 1, 2, 3, 4})), out["positions"] = tensors.back().view();
    tensors.push_back(ids_tensor({0, 0, 0, 0, 0})), out["segment_begin"] = out["seq_of_token"] = tensors.back().view();
    Tensor table(TensorType{Dtype::i32, {2, 3}});
    for (int i = 0; i < 6; ++i) table.i32()[i] = 5 - i;
    tensors.push_back(std::move(table)), out["page_table"] = tensors.back().view();
    for (const ValueInfo& info : graph.values())
      if (info.kind == ValueKind::state) tensors.emplace_back(info.type), out[info.name] = tensors.back().view();
    return out;
  };
  const std::vector<Tensor> expected = *interpret(forward, bindings(forward)),
                            got = *interpret(cached, bindings(cached));
  for (int64_t i = 0; i < kTokens * 8; ++i) ASSERT_NEAR(got[0].f32()[i], expected[0].f32()[i], 1e-6) << i;
}

Result<Graph> cached(Forward& f, const CacheConfig& config = kConfig) {
  return cache(TRY(f.b.finish()), config);
}

void expect_refused(const Result<Graph>& result, Code code, const std::string& word) {
  ASSERT_FALSE(result) << word;
  EXPECT_EQ(result.error().code, code) << result.error().to_string();
  EXPECT_NE(result.error().to_string().find(word), std::string::npos) << result.error().to_string();
}

TEST(Cache, WhatCannotGoOnIsRefused) {
  Forward encoder;
  const Value x = encoder.rows("x");
  encoder.b.output(encoder.attention(x, x, x, {.causal = false})[0]);
  ASSERT_FALSE(cached(encoder)) << "an encoder needs all tokens at once";

  Forward reader;  // an op that reads documents and has no twin
  reader.b.set_scope("layers.7");
  reader.b.output(reader.b.gather_rows(reader.columns("x"), reader.segments));
  expect_refused(cached(reader), Code::unimplemented, "gather_rows in layers.7 reads segment_begin");

  Forward lse;
  const Value y = lse.rows("y");
  lse.b.output(lse.b.silu(lse.attention(y, y, y)[1]));
  expect_refused(cached(lse), Code::unimplemented, "silu");

  Forward other;
  const Value z = other.rows("z");
  other.segments = other.b.input("other_documents", {Dtype::i32, {kTokens}});
  other.b.output(other.attention(z, z, z)[0]);
  expect_refused(cached(other), Code::unimplemented, "documents of its own");

  Builder plain;
  plain.output(plain.silu(plain.input("x", {Dtype::f32, {2, 2}})));
  expect_refused(cache(*plain.finish(), kConfig), Code::invalid_argument, "positions");

  Forward none;
  none.b.output(none.rows("x"));
  CacheConfig no_pages = kConfig;
  no_pages.n_pages = 0;
  expect_refused(cached(none, no_pages), Code::invalid_argument, "cache pages");
}

}  // namespace
}  // namespace hearth::cache_test
