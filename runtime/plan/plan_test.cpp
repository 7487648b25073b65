// Placement is checked by an independent simulation: a step's reads must find what was last written there, whatever the
// planner believes about lifetimes.
#include "runtime/plan/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "hwdetect/cpu_features.h"
#include "runtime/exec/devices.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/fetch/fetch.h"
#include "runtime/plan/place_buffers.h"

namespace hearth::plan_test {
namespace {

TEST(PlaceBuffers, LiveBuffersNeverOverlap) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    std::vector<BufferLifetime> buffers(60);
    for (BufferLifetime& b : buffers) {
      b.first = static_cast<int>(random() % 40);
      b.last = b.first + static_cast<int>(random() % 10);
      b.bytes = static_cast<int64_t>(random() % 5000);
    }
    const BufferLayout layout = place_buffers(buffers);
    int64_t peak = 0;
    for (int step = 0; step < 50; ++step) {
      std::vector<std::pair<int64_t, int64_t>> live;
      int64_t bytes = 0;
      for (size_t i = 0; i < buffers.size(); ++i)
        if (buffers[i].first <= step && step <= buffers[i].last) {
          live.push_back({layout.offsets[i], layout.offsets[i] + buffers[i].bytes});
          bytes += buffers[i].bytes;
        }
      std::sort(live.begin(), live.end());
      for (size_t i = 1; i < live.size(); ++i) ASSERT_LE(live[i - 1].second, live[i].first);
      for (const auto& range : live) ASSERT_LE(range.second, layout.arena_bytes);
      peak = std::max(peak, bytes);
    }
    EXPECT_LE(layout.arena_bytes, peak * 3 / 2 + 60 * kBufferAlignment) << "placement wastes memory";
  }
}

// A random graph of adds, scales and views over values of random sizes, with random outputs.
Graph random_graph(uint32_t seed) {
  std::mt19937 random(seed);
  Builder b;
  std::vector<Value> values;
  const int64_t sizes[] = {16, 64, 256};
  for (int i = 0; i < 3; ++i) {
    values.push_back(b.input("x" + std::to_string(i), {Dtype::f32, {sizes[i], 2}}));
    values.push_back(b.parameter("w" + std::to_string(i), {Dtype::f32, {sizes[i], 2}}));
  }
  for (int i = 0; i < 60; ++i) {
    const Value a = values[random() % values.size()], c = values[random() % values.size()];
    const Shape shape = b.type(a).shape;
    if (random() % 4 == 0)
      values.push_back(b.split(b.merge(a, 0), 0, shape[0]));
    else if (b.type(a) == b.type(c))
      values.push_back(b.add(a, c));
    else
      values.push_back(b.scale(a, 2));
  }
  for (int i = 0; i < 4; ++i) b.output(values[random() % values.size()]);
  return std::move(*b.finish());
}

struct Range {
  int64_t begin, end;
  bool meets(const Range& o) const { return begin < o.end && o.begin < end; }
};

std::vector<size_t> in_order(const Plan& plan) {
  std::vector<size_t> out(plan.steps.size());
  std::iota(out.begin(), out.end(), size_t{0});
  return out;
}

// Steps as two lanes may run them: each in its order, and as the waits allow.
std::vector<size_t> any_order(const Plan& plan, std::mt19937& random) {
  std::vector<size_t> lanes[kLanes], out;
  for (size_t s = 0; s < plan.steps.size(); ++s) lanes[static_cast<size_t>(plan.steps[s].lane)].push_back(s);
  std::vector<bool> is_done(plan.steps.size(), false);
  size_t at[kLanes] = {};
  while (out.size() < plan.steps.size()) {
    const size_t lane = random() % kLanes;
    if (at[lane] == lanes[lane].size()) continue;
    const size_t step = lanes[lane][at[lane]];
    const int after = plan.steps[step].waits_for;
    if (after >= 0 && !is_done[static_cast<size_t>(after)]) continue;
    is_done[step] = true;
    out.push_back(step);
    ++at[lane];
  }
  return out;
}

// Walks the plan. For each arena byte range the last writer is remembered; reads must see their producer.
class Simulation {
 public:
  explicit Simulation(const Plan& plan) : plan_(plan), intact_(plan.places.size(), false) {}

  void run(const std::vector<size_t>& order) {
    for (size_t id = 0; id < intact_.size(); ++id)
      if (plan_.graph.values()[id].kind == ValueKind::input) write({static_cast<int>(id)});
    for (const size_t s : order) {
      const PlanStep& step = plan_.steps[s];
      const Node& node = plan_.graph.nodes()[static_cast<size_t>(step.node)];
      for (Value v : node.inputs) expect_intact(v);
      for (Value v : node.outputs) write(v);
      for (Value v : node.inputs) expect_intact(v);  // outputs do not overwrite the step's own inputs
      if (step.kernel.scratch_bytes > 0)
        clobber({step.scratch_offset, step.scratch_offset + static_cast<int64_t>(step.kernel.scratch_bytes)});
      for (Value v : node.inputs) expect_intact(v);
      for (Value v : node.outputs) expect_intact(v);
    }
    for (Value v : plan_.graph.outputs()) expect_intact(v);
    for (size_t id = 0; id < intact_.size(); ++id)
      if (plan_.graph.values()[id].kind == ValueKind::input) expect_intact({static_cast<int>(id)});
  }

 private:
  Range range(Value v) const {
    const int64_t offset = plan_.places[static_cast<size_t>(v.id)].offset;
    return {offset, offset + plan_.graph.type(v).bytes()};
  }
  bool bound(Value v) const { return plan_.places[static_cast<size_t>(v.id)].where == ValuePlace::Where::bound; }
  // Follows views by the graph, not by the planner's roots.
  Value producer(Value v) const {
    while (plan_.graph.info(v).node >= 0 && (name_of(v) == "split_axis" || name_of(v) == "merge_axes"))
      v = plan_.graph.nodes()[static_cast<size_t>(plan_.graph.info(v).node)].inputs[0];
    return v;
  }
  std::string_view name_of(Value v) const {
    return plan_.graph.nodes()[static_cast<size_t>(plan_.graph.info(v).node)].op->name();
  }
  void clobber(Range r) {
    for (size_t id = 0; id < intact_.size(); ++id)
      if (intact_[id] && range({static_cast<int>(id)}).meets(r)) intact_[id] = false;
  }
  void write(Value v) {
    ASSERT_FALSE(bound(v));
    ASSERT_LE(range(v).end, plan_.arena_bytes);
    clobber(range(v));
    intact_[static_cast<size_t>(v.id)] = true;
  }
  void expect_intact(Value v) {
    const Value p = producer(v);
    if (bound(v)) {
      EXPECT_EQ(plan_.graph.info(p).kind, ValueKind::parameter);
      return;
    }
    EXPECT_EQ(range(v).begin, range(p).begin);
    EXPECT_TRUE(intact_[static_cast<size_t>(p.id)]) << "value " << v.id << " was overwritten";
  }

  const Plan& plan_;
  std::vector<bool> intact_;
};

TEST(Plan, RandomGraphsKeepWhatIsRead) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    auto plan = make_plan(random_graph(seed), *open_cpu(1));
    ASSERT_TRUE(plan) << plan.error().to_string();
    Simulation(*plan).run(in_order(*plan));
  }
}

// Buffers are re-used across lanes too: whatever order the waits allow, nobody finds what he reads written over.
TEST(Plan, LanesKeepWhatIsRead) {
  const auto device = *open_device("emulated", 1);
  std::mt19937 random(3);
  size_t n_waits = 0;
  for (uint32_t seed = 0; seed < 40; ++seed) {
    const Graph graph = random_graph(seed);
    std::set<std::string> streamed;
    for (const ValueInfo& info : graph.values())
      if (info.kind == ValueKind::parameter && seed % 4 != 0) streamed.insert(info.name);
    std::vector<Value> outputs;
    for (Value v : graph.outputs())
      if (graph.info(v).kind != ValueKind::parameter) outputs.push_back(v);
    Graph computed = graph;
    computed.set_outputs(outputs);
    auto plan = make_plan(*offload(computed, streamed), *device);
    ASSERT_TRUE(plan) << plan.error().to_string();
    for (const PlanStep& step : plan->steps) n_waits += step.waits_for >= 0 ? 1 : 0;
    for (int i = 0; i < 10; ++i) Simulation(*plan).run(any_order(*plan, random));
  }
  EXPECT_GT(n_waits, 50u);
}

TEST(Plan, SaysWhatTakesWhichMemory) {
  Builder b;
  const TensorType type{Dtype::f32, {64, 64}};
  const Value x = b.input("x", type), w = b.parameter("w", type), v = b.parameter("v", type);
  b.output(b.add(b.add(x, w), v));
  const Graph graph = *offload(*b.finish(), {"w"});
  const auto device = *open_device("emulated", 1);
  const auto plan = make_plan(graph, *device), host = make_plan(graph, *open_cpu(1));
  ASSERT_TRUE(plan) << plan.error().to_string();
  EXPECT_EQ(plan->places[static_cast<size_t>(w.id)].tier, Tier::host);
  EXPECT_EQ(plan->bytes[static_cast<size_t>(Tier::host)], type.bytes());
  EXPECT_EQ(plan->bytes[static_cast<size_t>(Tier::device)], type.bytes() + plan->arena_bytes);
  EXPECT_EQ(plan->steps[0].lane, Lane::copy);
  EXPECT_EQ(plan->steps[1].waits_for, 0);
  EXPECT_EQ(host->bytes[static_cast<size_t>(Tier::host)], 0) << "the host's memory is the device's";
  EXPECT_EQ(host->steps[0].lane, Lane::compute);
}

TEST(Plan, RefusesAKernelThatReadsTheHostsMemory) {
  Builder b;
  const Value w = b.parameter("w", {Dtype::f32, {4, 4}});
  b.output(b.add(b.apply(std::make_shared<Fetch>(), {w}), w));
  const auto plan = make_plan(*b.finish(), **open_device("emulated", 1));
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::invalid_argument);
  EXPECT_NE(plan.error().message.find("add reads \"w\""), std::string::npos) << plan.error().message;
}

TEST(Plan, ChainsReuseMemory) {
  Builder b;
  Value x = b.input("x", {Dtype::f32, {1024, 1024}});
  for (int i = 0; i < 20; ++i) x = b.silu(x);
  b.output(x);
  auto plan = make_plan(*b.finish(), *open_cpu(1));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->steps.size(), 20u);
  EXPECT_LE(plan->arena_bytes, 4 * 1024 * 1024 * 4);  // the input, and three buffers in turn
}

TEST(Plan, ViewsHaveNoStep) {
  Builder b;
  const Value x = b.input("x", {Dtype::f32, {8, 4}});
  const Value y = b.split(b.merge(x, 0), 0, 8);
  b.output(b.merge(y, 0));
  auto plan = make_plan(*b.finish(), *open_cpu(1));
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->steps.empty());
  EXPECT_EQ(plan->arena_bytes, 32 * 4);
}

}  // namespace
}  // namespace hearth::plan_test
