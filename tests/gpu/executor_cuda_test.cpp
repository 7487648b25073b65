// A forward and backward graph on the GPU against the interpreter, launched and captured.
#include <gtest/gtest.h>

#include <cmath>

#include "runtime/exec/cuda_executor.h"
#include "runtime/exec/interpreter.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/rules.h"

namespace hearth {
namespace {

TEST(CudaExecutor, ForwardAndBackwardEqualTheInterpreter) {
  if (n_cuda_devices() == 0) GTEST_SKIP() << "no GPU is visible here";
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
  const Value loss = b.reshape(b.matmul(b.reshape(y, {1, T * C}), sum, false, false), {1});
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

  std::map<std::string, TensorView, std::less<>> host;
  std::map<std::string, DeviceBuffer> buffers;
  DeviceBindings device;
  for (const auto& [name, tensor] : tensors) {
    host[name] = tensor.view();
    auto buffer = DeviceBuffer::copy_of(tensor.view());
    ASSERT_TRUE(buffer);
    device[name] = {tensor.type(), buffer->data()};
    buffers[name] = std::move(*buffer);
  }
  auto expected = interpret(graph, host);
  ASSERT_TRUE(expected);
  auto executor = CudaExecutor::create(*make_cuda_plan(graph), device);
  ASSERT_TRUE(executor) << executor.error().to_string();
  for (int run = 0; run < 3; ++run) {
    for (const auto& [name, tensor] : tensors) {
      if (graph.info(graph.find(name)).kind != ValueKind::input) continue;
      ASSERT_TRUE(executor->write_input(name, tensor.view().data));
    }
    auto ran = executor->run();
    ASSERT_TRUE(ran) << ran.error().to_string();
    for (size_t i = 0; i < expected->size(); ++i) {
      const Tensor& want = (*expected)[i];
      Tensor got(want.type());
      ASSERT_TRUE(executor->read_output(i, got.view().data));
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
}  // namespace hearth
