// adapters: the update stands beside the product it belongs to, and nowhere else.
#include <gtest/gtest.h>

#include <map>

#include "runtime/exec/interpreter.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/rules.h"

namespace hearth::adapters_test {
namespace {

// Tensors for all leaves of a graph, the same for the same name.
class Leaves {
 public:
  std::vector<Tensor> run(const Graph& graph) {
    std::map<std::string, TensorView, std::less<>> bindings;
    for (const ValueInfo& info : graph.values()) {
      if (info.kind == ValueKind::computed) continue;
      if (!tensors_.contains(info.name))
        tensors_[info.name] = info.type.dtype == Dtype::f32
                                  ? random_tensor(info.type.shape, static_cast<uint32_t>(tensors_.size()))
                                  : random_weights(info.type.dtype, info.type.shape, 7);
      bindings[info.name] = tensors_[info.name].view();
    }
    auto out = interpret(graph, bindings);
    EXPECT_TRUE(out) << out.error().to_string();
    return out ? std::move(*out) : std::vector<Tensor>();
  }

 private:
  std::map<std::string, Tensor> tensors_;
};

void expect_equal(const Tensor& a, const Tensor& b) {
  ASSERT_EQ(a.type(), b.type());
  for (int64_t i = 0; i < a.type().shape.n_elements(); ++i) ASSERT_EQ(a.f32()[i], b.f32()[i]) << "element " << i;
}

const TensorType kX{Dtype::f32, {3, 32}};

Graph two_products(Dtype dtype) {
  Builder b;
  b.set_scope("layers.0");
  const Value x = b.input("x", kX);
  const Value y = b.add(b.linear(x, b.parameter("wq", {dtype, {6, 32}})), b.parameter("wq_bias", {Dtype::f32, {6}}));
  b.output(b.silu(y));
  b.output(b.linear(x, b.parameter("wk", {dtype, {4, 32}})));
  return *b.finish();
}

TEST(Adapters, AddAScaledLowRankUpdateAfterTheBias) {
  for (Dtype dtype : {Dtype::f32, Dtype::q8_0}) {
    const LowRank updates[] = {{"wq", 2, 3}};
    auto adapted = adapters(two_products(dtype), updates);
    ASSERT_TRUE(adapted) << adapted.error().to_string();
    Builder b;  // by hand
    const Value x = b.input("x", kX);
    const Value y = b.add(b.linear(x, b.parameter("wq", {dtype, {6, 32}})), b.parameter("wq_bias", {Dtype::f32, {6}}));
    const Value a = b.parameter("wq.lora_a", {Dtype::f32, {2, 32}}),
                up = b.parameter("wq.lora_b", {Dtype::f32, {6, 2}});
    b.output(b.silu(b.add(y, b.scale(b.linear(b.linear(x, a), up), 3))));
    b.output(b.linear(x, b.parameter("wk", {dtype, {4, 32}})));
    Leaves leaves;
    const std::vector<Tensor> expected = leaves.run(*b.finish()), got = leaves.run(*adapted);
    for (size_t i = 0; i < 2; ++i) expect_equal(got[i], expected[i]);
    EXPECT_EQ(adapted->nodes()[2].scope, "layers.0");
  }
}

TEST(Adapters, NoneChangeNothing) {
  const Graph graph = two_products(Dtype::f32), same = *adapters(graph, {});
  EXPECT_EQ(same.nodes().size(), graph.nodes().size());
  EXPECT_EQ(same.values().size(), graph.values().size());
}

// A weight that two products read has one update, read twice; an addition that is no bias stays after it.
TEST(Adapters, FollowAParameterToEachOfItsProducts) {
  auto build = [](bool by_hand) {
    Builder b;
    const Value x = b.input("x", kX), w = b.parameter("w", {Dtype::f32, {32, 32}});
    const Value a = by_hand ? b.parameter("w.lora_a", {Dtype::f32, {1, 32}}) : Value(),
                up = by_hand ? b.parameter("w.lora_b", {Dtype::f32, {32, 1}}) : Value();
    auto linear = [&](Value in) {
      const Value y = b.linear(in, w);
      return by_hand ? b.add(y, b.scale(b.linear(b.linear(in, a), up), 0.5f)) : y;
    };
    b.output(linear(b.add(linear(x), x)));
    return *b.finish();
  };
  const LowRank updates[] = {{"w", 1, 0.5f}};
  auto adapted = adapters(build(false), updates);
  ASSERT_TRUE(adapted) << adapted.error().to_string();
  Leaves leaves;
  const std::vector<Tensor> expected = leaves.run(build(true)), got = leaves.run(*adapted);
  expect_equal(got[0], expected[0]);
}

TEST(Adapters, WhatCannotBeUpdatedIsNamed) {
  const Graph graph = two_products(Dtype::f32);
  const LowRank unknown[] = {{"wq", 2, 1}, {"wv", 2, 1}}, empty[] = {{"wq", 0, 1}}, bias[] = {{"wq_bias", 1, 1}};
  for (const auto& [updates, word] :
       {std::pair<std::span<const LowRank>, const char*>{unknown, "\"wv\""}, {empty, "rank"}, {bias, "wq_bias"}}) {
    auto refused = adapters(graph, updates);
    ASSERT_FALSE(refused) << word;
    EXPECT_EQ(refused.error().code, Code::invalid_argument);
    EXPECT_NE(refused.error().message.find(word), std::string::npos) << refused.error().message;
  }
}

// Updates of two products of one input and one of another, of three adapters.
constexpr int kAdapters = 3, kRank = 2;
const LowRank kByToken[] = {{"wq", kRank, 1}, {"wk", kRank, 0.5f}, {"wo", kRank, 1}};

Graph three_products() {
  Builder b;
  b.set_scope("layers.0");
  const Value x = b.input("x", {Dtype::f32, {5, 32}});
  const Value y =
      b.add(b.linear(x, b.parameter("wq", {Dtype::f32, {6, 32}})), b.parameter("wq_bias", {Dtype::f32, {6}}));
  b.output(b.linear(b.silu(y), b.parameter("wo", {Dtype::f32, {8, 6}})));
  b.output(b.linear(x, b.parameter("wk", {Dtype::f32, {4, 32}})));
  return *b.finish();
}

Tensor ids_of(const std::vector<int32_t>& ids) {
  Tensor out({Dtype::i32, {static_cast<int64_t>(ids.size())}});
  std::copy(ids.begin(), ids.end(), out.i32());
  return out;
}

struct ByToken {
  std::map<std::string, Tensor> tensors;
  std::vector<std::string> stacked;
  ByToken() {
    uint32_t seed = 1;
    const auto put = [&](const std::string& name, Shape shape) { tensors[name] = random_tensor(shape, seed++); };
    put("x", {5, 32});
    for (const auto& [name, out, in] : {std::tuple{"wq", 6, 32}, {"wk", 4, 32}, {"wo", 8, 6}}) {
      put(name, {out, in});
      put(std::string(name) + ".lora_a", {kAdapters, kRank, in});
      put(std::string(name) + ".lora_b", {kAdapters, out, kRank});
      stacked.push_back(std::string(name) + ".lora_a");
      stacked.push_back(std::string(name) + ".lora_b");
    }
    put("wq_bias", {6});
    put(std::string(kAdapterScale), {kAdapters, 1});
  }
  std::map<std::string, TensorView, std::less<>> bindings() const {
    std::map<std::string, TensorView, std::less<>> out;
    for (const auto& [name, tensor] : tensors) out[name] = tensor.view();
    return out;
  }
  std::vector<Tensor> mixed(const std::vector<int32_t>& adapters) const {
    auto all = bindings();
    const Tensor chosen = ids_of(adapters);
    all[std::string(kAdapterOfToken)] = chosen.view();
    auto out = interpret(*adapters_by_token(three_products(), kByToken, kAdapters), all);
    EXPECT_TRUE(out) << out.error().to_string();
    return out ? std::move(*out) : std::vector<Tensor>();
  }
  // By the rewrite for one; -1: by the graph without.
  std::vector<Tensor> single(int adapter) const {
    if (adapter < 0) return *interpret(three_products(), bindings());
    auto all = bindings();
    for (const std::string& name : stacked) {
      const TensorType& type = tensors.at(name).type();
      all[name] = {{type.dtype, {type.shape[1], type.shape[2]}},
                   tensors.at(name).view().as<std::byte>() + adapter * type.bytes() / kAdapters};
    }
    std::vector<LowRank> updates(std::begin(kByToken), std::end(kByToken));
    for (LowRank& u : updates) u.scale *= tensors.at(std::string(kAdapterScale)).f32()[adapter];
    return *interpret(*adapters(three_products(), updates), all);
  }
};

void expect_row_near(const Tensor& got, const Tensor& want, int64_t row) {
  const int64_t n = want.type().shape[1];
  for (int64_t i = 0; i < n; ++i)
    EXPECT_NEAR(got.f32()[row * n + i], want.f32()[row * n + i], 1e-5) << "token " << row << " element " << i;
}

TEST(AdaptersByToken, EachTokenIsWhatItsOwnAdapterMakesOfIt) {
  const ByToken run;
  for (const std::vector<int32_t>& mix :
       {std::vector<int32_t>{0, 2, -1, 0, 1}, {1, 1, 1, 1, 1}, {-1, -1, -1, -1, -1}, {2, -1, 0, 1, 2}}) {
    const std::vector<Tensor> got = run.mixed(mix);
    ASSERT_EQ(got.size(), 2u);
    for (int64_t t = 0; t < 5; ++t) {
      const std::vector<Tensor> want = run.single(mix[static_cast<size_t>(t)]);
      for (size_t i = 0; i < 2; ++i) expect_row_near(got[i], want[i], t);
    }
  }
}

TEST(AdaptersByToken, NoneChangesNothingAndNeighboursDoNot) {
  const ByToken run;
  const std::vector<Tensor> none = run.mixed({-1, -1, -1, -1, -1}), plain = run.single(-1);
  for (size_t i = 0; i < 2; ++i) expect_equal(none[i], plain[i]);
  const std::vector<Tensor> alone = run.mixed({1, -1, -1, -1, -1}), together = run.mixed({1, 0, 2, 2, 1});
  for (size_t i = 0; i < 2; ++i)
    for (int64_t k = 0; k < alone[i].type().shape[1]; ++k) EXPECT_EQ(alone[i].f32()[k], together[i].f32()[k]);
  const std::vector<Tensor> outside =
      run.mixed({kAdapters, 99, -7, kAdapters, -1});  // an adapter that is not there is none
  for (size_t i = 0; i < 2; ++i) expect_equal(outside[i], plain[i]);
}

TEST(AdaptersByToken, SortTheTokensOnceAndGatherAnInputOnce) {
  const Graph graph = *adapters_by_token(three_products(), kByToken, kAdapters);
  std::map<std::string_view, int> n;
  for (const Node& node : graph.nodes()) ++n[node.op->name()];
  EXPECT_EQ(n["sort_by_expert"], 1);
  EXPECT_EQ(n["gather_rows"], 1 + 2);  // scales; x for wq and wk; what wo reads
  EXPECT_EQ(n["grouped_matmul"], 2 * 3);
}

// Where one adapter is chosen for all, the gradients are those of the rewrite for one.
TEST(AdaptersByToken, TrainAsOneAloneDoes) {
  ByToken run;
  Tensor& scale = run.tensors[std::string(kAdapterScale)];
  const auto gradients = [&](bool by_token) {
    Builder b = Builder::continuing(by_token ? *adapters_by_token(three_products(), kByToken, kAdapters)
                                             : *adapters(three_products(), kByToken));
    const Value y = b.graph().outputs()[0];
    const Value loss = b.merge(b.matmul(b.matmul(b.input("ones", {Dtype::f32, {1, 5}}), y, false, false),
                                        b.input("sum", {Dtype::f32, {8, 1}}), false, false),
                               0);
    const Graph graph = *b.finish();
    const Value wrt[] = {graph.find("wq.lora_a"), graph.find("wo.lora_b")};
    auto differentiated = differentiate(graph, loss, wrt);
    EXPECT_TRUE(differentiated) << differentiated.error().to_string();
    auto all = run.bindings();
    for (const std::string& name : run.stacked) {
      if (by_token) continue;
      const TensorType type = all[name].type;
      all[name] = {{type.dtype, {type.shape[1], type.shape[2]}}, all[name].as<std::byte>() + type.bytes() / kAdapters};
    }
    const Tensor chosen = ids_tensor({1, 1, 1, 1, 1}), ones = random_tensor({1, 5}, 50),
                 sum = random_tensor({8, 1}, 51), one = random_tensor({1}, 52);
    all[std::string(kAdapterOfToken)] = chosen.view(), all["ones"] = ones.view(), all["sum"] = sum.view(),
    all["dloss"] = one.view();
    auto out = interpret(differentiated->graph, all);
    EXPECT_TRUE(out) << out.error().to_string();
    return std::move(*out);
  };
  for (int i = 0; i < kAdapters; ++i) scale.f32()[i] = 1;
  const std::vector<Tensor> stacked = gradients(true), alone = gradients(false);
  for (size_t i = 2; i < 4; ++i) {
    const int64_t n = alone[i].type().shape.n_elements();
    ASSERT_EQ(stacked[i].type().shape.n_elements(), kAdapters * n);
    for (int64_t k = 0; k < n; ++k) {
      EXPECT_EQ(stacked[i].f32()[k], 0) << "of an adapter that no token chose";
      EXPECT_NEAR(stacked[i].f32()[n + k], alone[i].f32()[k], 1e-5);
    }
  }
}

TEST(AdaptersByToken, WhatCannotBeChosenFromIsNamed) {
  const Graph graph = three_products();
  for (const int n : {0, -1, 1 << 20})
    EXPECT_EQ(adapters_by_token(graph, kByToken, n).error().code, Code::invalid_argument) << n;
  const LowRank unknown[] = {{"wv", 2, 1}}, empty[] = {{"wq", 0, 1}};
  EXPECT_NE(adapters_by_token(graph, unknown, 2).error().message.find("\"wv\""), std::string::npos);
  EXPECT_EQ(adapters_by_token(graph, empty, 2).error().code, Code::invalid_argument);
  Builder b;  // a product of other rows than tokens
  const Value x = b.input("x", {Dtype::f32, {5, 32}}), y = b.input("y", {Dtype::f32, {3, 32}});
  b.output(b.linear(x, b.parameter("wq", {Dtype::f32, {6, 32}})));
  b.output(b.linear(y, b.parameter("wk", {Dtype::f32, {6, 32}})));
  const LowRank both[] = {{"wq", 1, 1}, {"wk", 1, 1}};
  EXPECT_EQ(adapters_by_token(*b.finish(), both, 2).error().code, Code::invalid_argument);
}

}  // namespace
}  // namespace hearth::adapters_test
