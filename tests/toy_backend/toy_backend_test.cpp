// A two-layer Llama on the toy equals the interpreter, and the page that describes the toy quotes it as it is.
#include "tests/toy_backend/toy_backend.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <set>

#include "base/files.h"
#include "runtime/architectures/model_graphs.h"
#include "runtime/exec/executor.h"
#include "runtime/exec/interpreter.h"
#include "runtime/ops/rules.h"

namespace hearth::toy_backend_test {
namespace {
namespace fs = std::filesystem;

constexpr int kTokens = 9;

ModelConfig two_layers() {
  ModelConfig c;
  c.family = "llama";
  c.n_layers = 2, c.d_model = 16, c.n_heads = 2, c.n_kv_heads = 1, c.head_dim = 8, c.d_ff = 24, c.vocab_size = 20;
  c.max_seq_len = 32;
  c.rope.rotary_dim = 8;
  return c;
}

std::map<std::string, Tensor> tensors_of(const Graph& graph) {
  std::map<std::string, Tensor> out;
  uint32_t seed = 1;
  for (const ValueInfo& info : graph.values())
    if (info.kind == ValueKind::parameter) out[info.name] = random_tensor(info.type.shape, seed++, 0.5f);
  out["tokens"] = random_ids(kTokens, 20, 91);
  out["positions"] = ids_tensor({0, 1, 2, 3, 4, 0, 1, 2, 3});
  out["segment_begin"] = ids_tensor({0, 0, 0, 0, 0, 5, 5, 5, 5});
  return out;
}

// By op: whether the toy computes it itself.
std::map<std::string, bool> kernels_in(const Plan& plan) {
  std::map<std::string, bool> out;
  for (const PlanStep& step : plan.steps)
    out[std::string(plan.graph.nodes()[static_cast<size_t>(step.node)].op->name())] = step.kernel.run != nullptr;
  return out;
}

TEST(ToyBackend, RunsATwoLayerLlama) {
  const Graph graph = *build_logits_graph(two_layers(), [](const ParameterSpec&) { return Dtype::f32; }, kTokens, {});
  const std::map<std::string, Tensor> tensors = tensors_of(graph);
  Bindings bindings;
  for (const auto& [name, tensor] : tensors) bindings[name] = tensor.view();
  const auto expected = interpret(graph, bindings);
  ASSERT_TRUE(expected) << expected.error().to_string();

  ToyBackend toy;
  Arena arena(toy);
  auto executor = Executor::create(*make_plan(graph, toy), arena, bindings);
  ASSERT_TRUE(executor) << executor.error().to_string();
  const std::map<std::string, bool> kernels = kernels_in(executor->plan());
  for (const char* op : {"add", "gather_rows", "matmul", "rms_norm", "rope", "swiglu"})
    EXPECT_TRUE(kernels.at(op)) << op;
  EXPECT_FALSE(kernels.at("attention"));  // its reference runs
  for (const char* name : {"tokens", "positions", "segment_begin"})
    std::memcpy(executor->input(name).data, tensors.at(name).view().data, kTokens * sizeof(int32_t));
  ASSERT_TRUE(executor->run());
  const TensorView got = executor->output(0);
  for (int64_t i = 0; i < got.shape().n_elements(); ++i)
    EXPECT_NEAR(got.f32()[i], (*expected)[0].f32()[i], 1e-4) << "logit " << i;
}

std::set<std::string> lines_of(const fs::path& file) {
  std::set<std::string> out;
  const std::string text = *read_file(fs::path(HEARTH_SOURCE_DIR) / file);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const size_t first = std::min(text.find_first_not_of(' ', begin), end);
    out.insert(text.substr(first, end - first));
    begin = end + 1;
  }
  return out;
}

TEST(ToyBackend, IsWhatItsPageQuotes) {
  std::set<std::string> code = lines_of("tests/toy_backend/toy_backend.cpp");
  code.merge(lines_of("tests/toy_backend/toy_backend.h"));
  code.merge(lines_of("runtime/exec/devices.cpp"));
  bool is_code = false;
  int n_quoted = 0;
  const std::string page = *read_file(fs::path(HEARTH_SOURCE_DIR) / "docs/how_to_add_a_backend.md");
  for (size_t begin = 0; begin < page.size();) {
    const size_t end = std::min(page.find('\n', begin), page.size());
    std::string line = page.substr(begin, end - begin);
    begin = end + 1;
    if (line.starts_with("```")) {
      is_code = line == "```cpp";
      continue;
    }
    if (!is_code || line.find_first_not_of(' ') == std::string::npos) continue;
    line.erase(0, line.find_first_not_of(' '));
    EXPECT_TRUE(code.contains(line)) << "the page quotes what is not there: " << line;
    ++n_quoted;
  }
  EXPECT_GT(n_quoted, 15);
}

}  // namespace
}  // namespace hearth::toy_backend_test
