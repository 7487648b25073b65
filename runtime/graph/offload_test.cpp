// offload: what stays on the host, where it is fetched, and that every wait between the lanes is one that is needed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "runtime/exec/devices.h"
#include "runtime/exec/executor.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/rules.h"

namespace hearth::offload_test {
namespace {

constexpr int kLayers = 4;
constexpr int64_t kTokens = 3, kModel = 16, kFeedForward = 40;
constexpr int64_t kMatrixBytes = kModel * kFeedForward * 4, kSharedBytes = kModel * kModel * 4;
constexpr int64_t kVectorBytes = kLayers * kModel * 4;
constexpr int64_t kAllBytes = 2 * kLayers * kMatrixBytes + kSharedBytes + kVectorBytes;

// Layers of feed-forward between two products with one matrix.
Graph layers() {
  Builder b;
  b.set_scope("embed");
  const Value shared = b.parameter("shared", {Dtype::f32, {kModel, kModel}});
  Value x = b.linear(b.input("x", {Dtype::f32, {kTokens, kModel}}), shared);
  for (int l = 0; l < kLayers; ++l) {
    const std::string scope = "layers." + std::to_string(l);
    b.set_scope(scope);
    const Value norm = b.parameter(scope + ".norm", {Dtype::f32, {kModel}});
    const Value up = b.parameter(scope + ".up", {Dtype::f32, {kFeedForward, kModel}});
    const Value down = b.parameter(scope + ".down", {Dtype::f32, {kModel, kFeedForward}});
    x = b.add(x, b.linear(b.silu(b.linear(b.rms_norm(x, norm, 1e-5f), up)), down));
  }
  b.set_scope("head");
  b.output(b.linear(x, shared));
  return *b.finish();
}

int64_t bytes_of(const Graph& graph, const std::set<std::string>& names) {
  int64_t bytes = 0;
  for (const std::string& name : names) bytes += graph.type(graph.find(name)).bytes();
  return bytes;
}

TEST(Offload, KeepsAllThatFits) {
  EXPECT_TRUE(choose_streamed(layers(), kAllBytes).empty());
  EXPECT_EQ(choose_streamed(layers(), 0).size(), 2u * kLayers + 1) << "all but the vectors";
  const Graph graph = layers();
  for (int64_t budget = kVectorBytes; budget < kAllBytes; budget += 777) {
    const int64_t resident = kAllBytes - bytes_of(graph, choose_streamed(graph, budget));
    EXPECT_LE(resident, budget);
    EXPECT_GT(resident, budget - 2 * kMatrixBytes) << "room is left";
  }
}

TEST(Offload, KeepsWhatIsReadTwiceAndSpreadsTheRest) {
  const std::set<std::string> streamed = choose_streamed(layers(), kAllBytes - kLayers * kMatrixBytes);
  EXPECT_FALSE(streamed.contains("shared"));
  for (int l = 0; l < kLayers; ++l) {
    const std::string scope = "layers." + std::to_string(l);
    EXPECT_NE(streamed.contains(scope + ".up"), streamed.contains(scope + ".down")) << "one of each layer";
  }
}

TEST(Offload, FetchesOneAhead) {
  const Graph graph = *offload(layers(), choose_streamed(layers(), 0));
  std::vector<std::string> order;
  for (const Node& node : graph.nodes()) order.emplace_back(node.op->name());
  const std::vector<std::string> begin{"fetch", "fetch", "matmul", "rms_norm", "fetch", "matmul", "silu", "fetch"};
  ASSERT_GT(order.size(), begin.size());
  EXPECT_TRUE(std::equal(begin.begin(), begin.end(), order.begin())) << graph.to_string();
  EXPECT_EQ(std::ranges::count(order, "fetch"), 2 * kLayers + 2) << "the shared one comes twice";
}

TEST(Offload, KnowsTheParameters) {
  for (const char* name : {"x", "layers.9.up"}) {
    const auto graph = offload(layers(), {name});
    ASSERT_FALSE(graph);
    EXPECT_EQ(graph.error().code, Code::invalid_argument);
    EXPECT_NE(graph.error().message.find(name), std::string::npos);
  }
}

// Two of the streamed ones are there at once, not more.
TEST(Offload, TakesADoubleBuffer) {
  const auto device = *open_device("emulated", 1);
  const Plan all = *make_plan(layers(), *device);
  const Plan none = *make_plan(*offload(layers(), choose_streamed(layers(), 0)), *device);
  EXPECT_LE(none.arena_bytes, all.arena_bytes + 2 * kMatrixBytes);
  EXPECT_EQ(none.bytes[static_cast<size_t>(Tier::host)], kAllBytes - kVectorBytes);
}

// A device that forgets one of the waits between lanes; -1: none.
class Forgetful final : public Backend {
 public:
  Forgetful(Backend& device, int forgotten) : device_(device), forgotten_(forgotten) {}
  std::string name() const override { return device_.name(); }
  const KernelTable& kernels() const override { return device_.kernels(); }
  bool is_host_memory() const override { return device_.is_host_memory(); }
  Result<Buffer> allocate(int64_t bytes) override { return device_.allocate(bytes); }
  Result<void> write(std::byte* to, const void* host, int64_t bytes) override { return device_.write(to, host, bytes); }
  Result<void> read(void* host, const std::byte* from, int64_t bytes) override {
    return device_.read(host, from, bytes);
  }
  Result<std::unique_ptr<Tape>> record(std::vector<Call> calls) override {
    for (Call& call : calls)
      if (call.waits_for >= 0 && n_waits++ == forgotten_) call.waits_for = -1;
    return device_.record(std::move(calls));
  }
  int n_waits = 0;

 private:
  Backend& device_;
  const int forgotten_;
};

struct Outcome {
  std::vector<float> values;  // empty: it failed
  int n_waits = 0;
};

Outcome run(const std::string& device_name, int64_t resident_bytes, int forgotten) {
  const auto opened = *open_device(device_name, 1);
  Forgetful device(*opened, forgotten);
  const Graph plain = layers();
  const std::set<std::string> streamed = choose_streamed(plain, resident_bytes);
  std::vector<Tensor> tensors;
  Bindings host;
  for (const ValueInfo& info : plain.values())
    if (info.kind == ValueKind::parameter) {
      tensors.push_back(random_tensor(info.type.shape, static_cast<uint32_t>(tensors.size()), 0.5f));
      host[info.name] = tensors.back().view();
    }
  std::vector<Buffer> keep;
  const Bindings bindings = *place_on(device, host, keep, streamed);
  Arena arena(device);
  auto executor = Executor::create(*make_plan(*offload(plain, streamed), device), arena, bindings);
  if (!executor) return {};
  const Tensor x = random_tensor({kTokens, kModel}, 99);
  std::memcpy(executor->input("x").data, x.f32(), static_cast<size_t>(x.type().bytes()));
  const bool ran = executor->run().has_value();
  const TensorView y = executor->output(0);
  return {ran ? std::vector<float>(y.f32(), y.f32() + y.shape().n_elements()) : std::vector<float>(), device.n_waits};
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

const std::string kOrders[] = {"emulated:0", "emulated:1", "emulated:2"};  // copies early, late, at any time

TEST(Offload, ChangesNoBit) {
  for (const std::string& device : kOrders) {
    const Outcome all = run(device, kAllBytes, -1);
    ASSERT_FALSE(all.values.empty());
    EXPECT_EQ(all.n_waits, 0);
    for (const int64_t budget : {int64_t{0}, kAllBytes / 3, kAllBytes / 2, kAllBytes - 1})
      EXPECT_TRUE(same_bits(run(device, budget, -1).values, all.values)) << device << ", " << budget;
  }
}

TEST(Offload, EveryWaitIsNeeded) {
  const Outcome right = run("emulated", 0, -1);
  ASSERT_GT(right.n_waits, 2 * kLayers);
  for (int forgotten = 0; forgotten < right.n_waits; ++forgotten)
    EXPECT_TRUE(std::ranges::any_of(
        kOrders, [&](const std::string& device) { return !same_bits(run(device, 0, forgotten).values, right.values); }))
        << "nobody noticed that wait " << forgotten << " of " << right.n_waits << " is missing";
}

}  // namespace
}  // namespace hearth::offload_test
