// A forward and backward graph on the GPU against the interpreter, launched and captured.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "runtime/exec/devices.h"
#include "runtime/exec/executor.h"
#include "runtime/exec/interpreter.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/rules.h"

namespace hearth::executor_cuda_test {
namespace {

TEST(Cuda, ForwardAndBackwardEqualTheInterpreter) {
  const auto opened = open_device("cuda", 0);
  if (!opened) GTEST_SKIP() << opened.error().to_string();
  constexpr int64_t T = 37, C = 48, F = 80;
  std::map<std::string, Tensor> tensors;
  tensors["x"] = random_tensor({T, C}, 1);
  tensors["norm"] = random_tensor({C}, 2);
  tensors["gate"] = random_tensor({F, C}, 3);
  tensors["down"] = random_tensor({C, F}, 4);
  tensors["sum"] = random_tensor({T * C, 1}, 5);
  Builder b;
  const Value x = b.input("x", tensors["x"].type()), sum = b.input("sum", tensors["sum"].type());
  const Value norm = b.parameter("norm", tensors["norm"].type());
  const Value gate = b.parameter("gate", tensors["gate"].type()), down = b.parameter("down", tensors["down"].type());
  const Value y = b.add(x, b.linear(b.silu(b.linear(b.rms_norm(x, norm, 1e-5f), gate)), down));
  const Value loss = b.merge(b.matmul(b.split(b.merge(y, 0), 0, T * C), sum, false, false), 0);
  b.output(y);
  b.output(loss);
  const Value wrt[] = {norm, gate, down};
  auto differentiated = differentiate(*b.finish(), loss, wrt);
  ASSERT_TRUE(differentiated);
  const Graph& graph = differentiated->graph;
  for (const ValueInfo& info : graph.values())
    if (info.kind == ValueKind::input && !tensors.contains(info.name)) {
      Tensor one(info.type);
      for (int64_t i = 0; i < info.type.shape.n_elements(); ++i) one.f32()[i] = 1;
      tensors[info.name] = std::move(one);
    }

  Bindings host;
  for (const auto& [name, tensor] : tensors) host[name] = tensor.view();
  auto expected = interpret(graph, host);
  ASSERT_TRUE(expected);
  const std::unique_ptr<Backend>& gpu = *opened;
  std::vector<Buffer> keep;
  const Bindings device = *place_on(*gpu, host, keep);
  Arena arena(*gpu);
  auto executor = Executor::create(*make_plan(graph, *gpu), arena, device);
  ASSERT_TRUE(executor) << executor.error().to_string();
  for (int run = 0; run < 3; ++run) {
    for (const auto& [name, tensor] : tensors)
      if (executor->has_input(name))
        std::memcpy(executor->input(name).data, tensor.view().data, static_cast<size_t>(tensor.type().bytes()));
    auto ran = executor->run();
    ASSERT_TRUE(ran) << ran.error().to_string();
    for (size_t i = 0; i < expected->size(); ++i) {
      const Tensor& want = (*expected)[i];
      const TensorView got = executor->output(i);
      double difference = 0, largest = 1e-30;
      for (int64_t e = 0; e < want.type().shape.n_elements(); ++e) {
        difference = std::max(difference, std::fabs(static_cast<double>(got.f32()[e]) - want.f32()[e]));
        largest = std::max(largest, std::fabs(static_cast<double>(want.f32()[e])));
      }
      EXPECT_LT(difference / largest, 1e-4) << "run " << run << ", output " << i;
    }
  }
}

}  // namespace
}  // namespace hearth::executor_cuda_test
