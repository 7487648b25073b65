// The CUDA kernels at the sizes that training, prefill and decode run them, beside the GPU's measured memory bandwidth.
//
//   kernels_cuda_bench [--json]
//
// Each case is one op as a captured graph of one node, so a figure contains one graph launch (about 5 µs).
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/json.h"
#include "runtime/exec/devices.h"
#include "runtime/exec/executor.h"
#include "runtime/graph/builder.h"
#include "runtime/ops/add/add.h"
#include "runtime/ops/attention/attention.h"
#include "runtime/ops/matmul/matmul.h"
#include "runtime/ops/rms_norm/rms_norm.h"
#include "runtime/ops/rules.h"
#include "runtime/ops/swiglu/swiglu.h"

namespace hearth::bench {
namespace {

struct Case {
  std::string name;
  std::shared_ptr<const Op> op;
  std::vector<TensorType> inputs;
};

std::vector<Case> all_cases() {
  std::vector<Case> out;
  auto matmul = [&](int64_t M, int64_t N, int64_t K, Dtype dtype) {
    out.push_back({fmt::format("matmul {}x{}x{} {}", M, N, K, dtype_info(dtype).name),
                   std::make_shared<Matmul>(false, true),
                   {{Dtype::f32, {M, K}}, {dtype, {N, K}}}});
  };
  for (Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::q8_0, Dtype::q4_0})
    for (int64_t M : {1, 8, 512}) matmul(M, 8192, 4096, dtype);
  auto attention = [&](int64_t T, int H, int K, int D) {
    out.push_back({fmt::format("attention T={} H={} K={} D={}", T, H, K, D),
                   std::make_shared<Attention>(
                       AttentionAttributes{.n_heads = H, .n_kv_heads = K, .head_dim = D, .softmax_scale = 0.1f}),
                   {{Dtype::f32, {T, H, D}}, {Dtype::f32, {T, K, D}}, {Dtype::f32, {T, K, D}}, {Dtype::i32, {T}}}});
  };
  attention(1024, 32, 8, 64);
  attention(1024, 32, 8, 128);
  const TensorType wide{Dtype::f32, {4096, 4096}};
  out.push_back({"add 4096x4096", std::make_shared<Add>(), {wide, wide}});
  out.push_back({"rms_norm 4096x4096", std::make_shared<RmsNorm>(1e-5f), {wide, {Dtype::f32, {4096}}}});
  out.push_back({"swiglu 4096x4096", std::make_shared<Swiglu>(), {wide, wide}});
  return out;
}

// Seconds of one run, the best of 20; the inputs are zeros in device memory.
Result<double> measure(Backend& gpu, const Case& c) {
  Builder b;
  std::vector<Value> values;
  std::vector<Buffer> buffers;
  Bindings bindings;
  for (const TensorType& type : c.inputs) {
    const std::string name = "x" + std::to_string(values.size());
    buffers.push_back(TRY(gpu.allocate(type.bytes())));
    bindings[name] = {type, buffers.back().data()};
    values.push_back(b.parameter(name, type));
  }
  b.apply_all(c.op, values);
  Arena arena(gpu);
  Executor executor = TRY(Executor::create(TRY(make_plan(TRY(b.finish()), gpu)), arena, bindings));
  for (int i = 0; i < 3; ++i) TRY(executor.run());
  double best = 1e30;
  for (int i = 0; i < 20; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    TRY(executor.run());
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

// Bytes per second of the simplest streaming kernel, two reads and a write of 256 MiB each: the limit of memory-bound
// cases.
Result<double> streaming_bytes_per_s(Backend& gpu) {
  const TensorType type{Dtype::f32, {int64_t{64} << 20}};
  const Case add{"limit", std::make_shared<Add>(), {type, type}};
  return 3.0 * static_cast<double>(type.bytes()) / TRY(measure(gpu, add));
}

Result<Json> run_all(bool json) {
  const std::unique_ptr<Backend> gpu = TRY(open_device("cuda", 0));
  const double limit = TRY(streaming_bytes_per_s(*gpu));
  if (!json) fmt::print("measured limit: {:.0f} GB/s of device memory\n", limit * 1e-9);
  Json out = {{"limits", {{"memory_bytes_per_s", limit}}}, {"results", Json::array()}};
  for (const Case& c : all_cases()) {
    const double seconds = TRY_WITH(measure(*gpu, c), "while measuring {}", c.name);
    const Cost cost = c.op->cost(c.inputs, TRY(c.op->infer(c.inputs)));
    const double bytes = cost.bytes_read + cost.bytes_written;
    if (!json)
      fmt::print("{:<36} {:>10.1f} us {:>9.1f} GFLOP/s {:>8.1f} GB/s {:>5.0f} % of memory\n", c.name, seconds * 1e6,
                 cost.flops / seconds * 1e-9, bytes / seconds * 1e-9, bytes / seconds / limit * 100);
    out["results"].push_back({{"name", c.name},
                              {"seconds", seconds},
                              {"gflops", cost.flops / seconds * 1e-9},
                              {"gb_per_s", bytes / seconds * 1e-9}});
  }
  return out;
}

}  // namespace
}  // namespace hearth::bench

int main(int argc, char** argv) {
  const bool json = argc > 1 && std::strcmp(argv[1], "--json") == 0;
  const auto result = hearth::bench::run_all(json);
  if (!result) {
    fmt::print(stderr, "error: {}\n", result.error().to_string());
    return 1;
  }
  if (json) fmt::print("{}\n", result->dump(2));
  return 0;
}
