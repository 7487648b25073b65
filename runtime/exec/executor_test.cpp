// The executor against the interpreter, on a forward and backward graph, and its refusals.
#include "runtime/exec/executor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "hwdetect/cpu_features.h"
#include "runtime/exec/devices.h"
#include "runtime/exec/interpreter.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/cpu_kernels.h"

namespace hearth::executor_test {
namespace {

constexpr int64_t T = 67, C = 96, F = 160;  // enough work for a team

Tensor wavy(TensorType type, float phase) {
  Tensor t(type);
  for (int64_t i = 0; i < type.shape.n_elements(); ++i)
    t.f32()[i] = 0.3f * std::sin(phase + 1.7f * static_cast<float>(i));
  return t;
}

struct Case {
  Graph graph;
  std::map<std::string, Tensor> tensors;
  Bindings bindings() const {
    Bindings out;
    for (const auto& [name, tensor] : tensors) out[name] = tensor.view();
    return out;
  }
};

// A feed-forward block with a norm, its sum as the loss, and the gradients of its weights.
Case feed_forward() {
  Case c;
  Builder b;
  auto leaf = [&](bool is_input, const std::string& name, const TensorType& type) {
    c.tensors[name] = wavy(type, static_cast<float>(c.tensors.size()));
    return is_input ? b.input(name, type) : b.parameter(name, type);
  };
  const Value x = leaf(true, "x", {Dtype::f32, {T, C}});
  const Value norm = leaf(false, "norm", {Dtype::f32, {C}});
  const Value gate = leaf(false, "gate", {Dtype::f32, {F, C}});
  const Value up = leaf(false, "up", {Dtype::f32, {F, C}});
  const Value down = leaf(false, "down", {Dtype::f32, {C, F}});
  const Value ones = leaf(true, "ones", {Dtype::f32, {T * C, 1}});
  const Value n = b.rms_norm(x, norm, 1e-5f);
  const Value y = b.add(x, b.linear(b.swiglu(b.linear(n, gate), b.linear(n, up)), down));
  const Value loss = b.merge(b.matmul(b.split(b.merge(y, 0), 0, T * C), ones, false, false), 0);
  b.output(y);
  b.output(loss);
  const Value wrt[] = {norm, gate, up, down, x};
  auto differentiated = differentiate(*b.finish(), loss, wrt);
  EXPECT_TRUE(differentiated);
  c.graph = std::move(differentiated->graph);
  // The backward graph may ask for a seed gradient.
  for (const ValueInfo& info : c.graph.values())
    if (info.kind == ValueKind::input && !c.tensors.contains(info.name)) {
      Tensor seed(info.type);
      for (int64_t i = 0; i < info.type.shape.n_elements(); ++i) seed.f32()[i] = 1;
      c.tensors[info.name] = std::move(seed);
    }
  return c;
}

void fill_inputs(Executor& executor, const Case& c) {
  for (const auto& [name, tensor] : c.tensors)
    if (executor.has_input(name))
      std::memcpy(executor.input(name).data, tensor.view().data, static_cast<size_t>(tensor.type().bytes()));
}

std::vector<Tensor> outputs_of(const Executor& executor) {
  std::vector<Tensor> out;
  for (size_t i = 0; i < executor.plan().graph.outputs().size(); ++i) {
    Tensor copy(executor.output(i).type);
    std::memcpy(copy.view().data, executor.output(i).data, static_cast<size_t>(copy.type().bytes()));
    out.push_back(std::move(copy));
  }
  return out;
}

std::vector<Tensor> execute_on(Backend& backend, const Case& c, int n_runs) {
  Arena arena(backend);
  std::vector<Buffer> keep;
  auto bindings = place_on(backend, c.bindings(), keep);
  EXPECT_TRUE(bindings);
  auto executor = Executor::create(*make_plan(c.graph, backend), arena, *bindings);
  EXPECT_TRUE(executor);
  for (int i = 0; i < n_runs; ++i) {
    fill_inputs(*executor, c);
    EXPECT_TRUE(executor->run());
  }
  return outputs_of(*executor);
}

std::vector<Tensor> execute(const Case& c, const CpuFeatures& features, int n_threads, int n_runs) {
  CpuBackend backend(cpu_kernels(features), n_threads);
  return execute_on(backend, c, n_runs);
}

double relative_error(const Tensor& got, const Tensor& want) {
  double difference = 0, largest = 1e-30;
  for (int64_t i = 0; i < want.type().shape.n_elements(); ++i) {
    difference = std::max(difference, std::fabs(static_cast<double>(got.f32()[i]) - want.f32()[i]));
    largest = std::max(largest, std::fabs(static_cast<double>(want.f32()[i])));
  }
  return difference / largest;
}

TEST(Executor, EqualsTheInterpreter) {
  const Case c = feed_forward();
  auto expected = interpret(c.graph, c.bindings());
  ASSERT_TRUE(expected) << expected.error().to_string();
  const auto got = execute(c, cpu_features(), 2, 2), portable = execute(c, CpuFeatures{}, 2, 1);
  ASSERT_EQ(got.size(), expected->size());
  // Wider than an op by itself: the gradients sum over tokens with cancellation.
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_LT(relative_error(got[i], (*expected)[i]), 1e-4) << "output " << i;
    EXPECT_LT(relative_error(portable[i], (*expected)[i]), 1e-4) << "output " << i;
  }
}

TEST(Executor, SameBitsForAnyNumberOfThreads) {
  const Case c = feed_forward();
  const auto one = execute(c, cpu_features(), 1, 1);
  for (int n_threads : {2, 3, 5}) {
    const auto many = execute(c, cpu_features(), n_threads, 3);
    for (size_t i = 0; i < one.size(); ++i)
      EXPECT_EQ(std::memcmp(one[i].view().data, many[i].view().data, static_cast<size_t>(one[i].type().bytes())), 0)
          << n_threads << " threads, output " << i;
  }
}

TEST(Executor, ProfileCountsEveryStep) {
  const Case c = feed_forward();
  const auto backend = open_cpu(2);
  Arena arena(*backend);
  auto executor = Executor::create(*make_plan(c.graph, *backend), arena, c.bindings());
  ASSERT_TRUE(executor);
  fill_inputs(*executor, c);
  int64_t n_calls = 0;
  double flops = 0;
  const auto timings = executor->profile();
  ASSERT_TRUE(timings);
  for (const OpTiming& timing : *timings) {
    n_calls += timing.n_calls;
    flops += timing.flops;
    EXPECT_GE(timing.seconds, 0);
  }
  EXPECT_EQ(n_calls, static_cast<int64_t>(executor->plan().steps.size()));
  EXPECT_DOUBLE_EQ(flops, executor->plan().cost.flops);
}

TEST(Executor, RefusesWrongBindings) {
  const Case c = feed_forward();
  const auto backend = open_cpu(1);
  Arena arena(*backend);
  auto create = [&](const Bindings& bindings) {
    return Executor::create(*make_plan(c.graph, *backend), arena, bindings);
  };
  Bindings missing = c.bindings();
  missing.erase("gate");
  auto result = create(missing);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("\"gate\""), std::string::npos);

  Bindings wrong = c.bindings();
  wrong["gate"].type.dtype = Dtype::f16;
  result = create(wrong);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("must be f32[160, 96], got f16[160, 96]"), std::string::npos)
      << result.error().message;
}

// Memory that the executor may reach by copies only.
class FarBackend final : public Backend {
 public:
  explicit FarBackend(int64_t limit) : cpu_(open_cpu(2)), limit_(limit) {}
  std::string name() const override { return "far"; }
  const KernelTable& kernels() const override { return cpu_->kernels(); }
  bool is_host_memory() const override { return false; }
  Result<Buffer> allocate(int64_t bytes) override {
    if (bytes > limit_) return error(Code::resource_exhausted, "far away there are {} bytes", limit_);
    ++n_allocations;
    return cpu_->allocate(bytes);
  }
  Result<void> write(std::byte* to, const void* host, int64_t bytes) override {
    n_written += bytes;
    return cpu_->write(to, host, bytes);
  }
  Result<void> read(void* host, const std::byte* from, int64_t bytes) override { return cpu_->read(host, from, bytes); }
  Result<std::unique_ptr<Tape>> record(std::vector<Call> calls) override { return cpu_->record(std::move(calls)); }

  int n_allocations = 0;
  int64_t n_written = 0;

 private:
  std::unique_ptr<CpuBackend> cpu_;
  int64_t limit_;
};

TEST(Executor, CopiesWhereTheDeviceHasMemoryOfItsOwn) {
  const Case c = feed_forward();
  FarBackend far(int64_t{1} << 30);
  const auto got = execute_on(far, c, 2), want = execute(c, cpu_features(), 2, 2);
  EXPECT_EQ(far.n_allocations, 1 + static_cast<int>(c.bindings().size()));  // the arena, and every binding
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_EQ(std::memcmp(got[i].view().data, want[i].view().data, static_cast<size_t>(want[i].type().bytes())), 0)
        << i;
}

TEST(Executor, SaysWhatDoesNotFit) {
  Builder b;
  b.output(b.silu(b.input("x", {Dtype::f32, {1024, 1024}})));
  FarBackend far(1 << 20);
  Arena arena(far);
  const auto result = Executor::create(*make_plan(*b.finish(), far), arena, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::resource_exhausted);
}

// The arena moves when a larger plan comes; what stands in it already follows.
TEST(Executor, FollowsTheArena) {
  const auto backend = open_cpu(2);
  Arena arena(*backend);
  auto silu_of = [&](int64_t n) {
    Builder b;
    b.output(b.silu(b.input("x", {Dtype::f32, {n}})));
    return Executor::create(*make_plan(*b.finish(), *backend), arena, {});
  };
  auto small = silu_of(3);
  const uint64_t before = arena.generation();
  auto large = silu_of(4 << 20);
  EXPECT_NE(arena.generation(), before);
  small->input("x").f32()[1] = 2;
  ASSERT_TRUE(small->run());
  EXPECT_NEAR(small->output(0).f32()[1], 2 / (1 + std::exp(-2.0)), 1e-6);
  const uint64_t kept = arena.generation();
  auto third = silu_of(5);
  EXPECT_EQ(arena.generation(), kept);
}

TEST(Devices, AreNamedOrRefused) {
  EXPECT_EQ((*open_device("cpu", 1))->name(), "cpu");
  for (const char* name : {"", "gpu", "cpuu", "CPU"})
    EXPECT_EQ(open_device(name, 1).error().code, Code::invalid_argument) << name;
  for (const char* name : {"gpu", "cpu:1", "cuda:x"})
    EXPECT_EQ(check_device_name(name).error().code, Code::invalid_argument) << name;
  for (const char* name : {"auto", "cpu", "cpu:deterministic", "cuda:1"}) EXPECT_TRUE(check_device_name(name)) << name;
  for (const char* name : {"cuda:", "cuda:x", "cuda:-1", "cuda:100", "cuda:0x"})
    EXPECT_EQ(open_device(name, 1).error().code, Code::invalid_argument) << name;
}

TEST(Devices, AnyIsTheFirstThatOpensAndSaysWhyNoneDoes) {
  const std::vector<std::string> names = {"a", "b"};
  const auto choose = [&](std::span<const std::string> accelerators, const char* why_none, std::string_view good) {
    return choose_among(accelerators, why_none, [&](const std::string& name) -> Result<void> {
      if (good.find(name) != std::string_view::npos) return {};
      return error(Code::unavailable, "{} is broken", name);
    });
  };
  EXPECT_EQ(choose(names, "", "b")->name, "b");
  EXPECT_EQ(choose(names, "", "b")->reason, "");
  const auto none = choose(names, "", kHostDevice);
  EXPECT_EQ(none->name, kHostDevice);
  EXPECT_NE(none->reason.find("a: a is broken; b: b is broken"), std::string::npos) << none->reason;
  EXPECT_EQ(choose({}, "no driver", kHostDevice)->reason, "no driver");
  EXPECT_EQ(choose(names, "", "").error().code, Code::unavailable) << "nor does the host";
}

TEST(Devices, OneByNameIsThatOneOrAnError) {
  std::vector<std::string> tried;
  const auto open = [&](const std::string& name) -> Result<void> {
    tried.push_back(name);
    if (name == "cpu") return {};
    return error(Code::unavailable, "it is broken");
  };
  EXPECT_EQ(choose_device("cpu", open)->name, "cpu");
  const auto broken = choose_device("emulated:3", open);
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().to_string().find("while opening emulated:3"), std::string::npos);
  EXPECT_EQ(tried, (std::vector<std::string>{"cpu", "emulated:3"}));
  EXPECT_EQ(choose_device("gpu", open).error().code, Code::invalid_argument);
  EXPECT_EQ(tried.size(), 2u) << "what is no device is not tried";
}

// Outputs beyond the first are read when they are asked for.
TEST(Executor, LeavesOutputsWhereTheyAre) {
  Builder b;
  const Value x = b.input("x", {Dtype::f32, {3}});
  b.output(b.silu(x));
  b.output(b.scale(x, 2));
  const Graph graph = *b.finish();
  FarBackend far(int64_t{1} << 30);
  const auto host = open_cpu(1);
  for (Backend* backend : {static_cast<Backend*>(&far), static_cast<Backend*>(host.get())}) {
    Arena arena(*backend);
    auto executor = Executor::create(*make_plan(graph, *backend), arena, {}, 1);
    ASSERT_TRUE(executor);
    std::fill_n(executor->input("x").f32(), 3, 4.0f);
    ASSERT_TRUE(executor->run());
    EXPECT_GT(executor->output(0).f32()[0], 3);
    EXPECT_EQ(executor->read_output(1)->view.f32()[2], 8);
    EXPECT_EQ(executor->output(1).data == nullptr, !backend->is_host_memory()) << "it is not copied";
  }
}

}  // namespace
}  // namespace hearth::executor_test
