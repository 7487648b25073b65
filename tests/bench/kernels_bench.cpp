// Every op's CPU kernel at the sizes that training, prefill and decode run it, beside the machine's measured limits.
//
//   kernels_bench [--threads T] [--isa portable|avx2|avx512] [--filter TEXT] [--json] [--openblas] [--cpu-time]
//
// "limit" is the fraction of what the machine could do at most for the op's flops and bytes (its cost rule), whichever
// bounds it. --openblas runs the same dense products with OpenBLAS (loaded at run time, single-threaded: use
// --threads 1). --cpu-time counts this thread's CPU time instead of wall time, for one thread on a busy machine.
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "hwdetect/cpu_features.h"
#include "runtime/ops/add/add.h"
#include "runtime/ops/attention/attention.h"
#include "runtime/ops/attention_cached/attention_cached.h"
#include "runtime/ops/cpu_kernels.h"
#include "runtime/ops/cross_entropy/cross_entropy.h"
#include "runtime/ops/gather_rows/gather_rows.h"
#include "runtime/ops/linear_attention_cached/linear_attention_cached.h"
#include "runtime/ops/matmul/matmul.h"
#include "runtime/ops/rms_norm/rms_norm.h"
#include "runtime/ops/rope/rope.h"
#include "runtime/ops/rules.h"
#include "runtime/ops/swiglu/swiglu.h"
#include "runtime/tensor/panels.h"
#include "tests/bench/machine_limits.h"

namespace hearth::bench {
namespace {

struct Options {
  int n_threads = Team::default_threads();
  std::string isa, filter;
  bool json = false, openblas = false;
  Clock clock = Clock::wall;
};

struct Case {
  std::string name;
  std::shared_ptr<const Op> op;
  std::function<std::vector<Tensor>()> inputs;
};

Tensor ids_tensor(std::vector<int32_t> values, Shape shape) {
  Tensor out(TensorType{Dtype::i32, shape});
  std::memcpy(out.i32(), values.data(), values.size() * 4);
  return out;
}

Tensor counting(int64_t n) {
  Tensor out(TensorType{Dtype::i32, {n}});
  for (int64_t i = 0; i < n; ++i) out.i32()[i] = static_cast<int32_t>(i);
  return out;
}

// Random weights of a large tensor without drawing each: 1 MiB repeated.
Tensor large_weights(Dtype dtype, int64_t rows, int64_t cols) {
  Tensor out(TensorType{dtype, {rows, cols}});
  const int64_t unit_rows = std::max<int64_t>(1, std::min(rows, (int64_t{1} << 18) / cols));
  const Tensor unit = random_weights(dtype, {unit_rows, cols}, 7);
  for (int64_t r = 0; r < rows; r += unit_rows)
    std::memcpy(out.view().row(r), unit.view().data,
                static_cast<size_t>(std::min(unit_rows, rows - r) * unit.type().row_bytes()));
  return out;
}

void add_matmul(std::vector<Case>& out, int64_t M, int64_t N, int64_t K, bool ta, bool tb, Dtype dtype) {
  out.push_back(
      {fmt::format("matmul {}x{}x{} {}{} {}", M, N, K, ta ? 'T' : 'N', tb ? 'T' : 'N', dtype_info(dtype).name),
       std::make_shared<Matmul>(ta, tb), [=] {
         std::vector<Tensor> in;
         in.push_back(ta ? random_tensor({K, M}, 1) : random_tensor({M, K}, 1));
         in.push_back(tb ? large_weights(dtype, N, K) : large_weights(dtype, K, N));
         return in;
       }});
}

// Rounded activations beside weights in each order; a level of instructions has one of the panels.
void add_integer_matmul(std::vector<Case>& out, int64_t M, int64_t N, int64_t K, Dtype dtype) {
  for (Layout layout : {Layout::row_major, Layout::panels_of_8, Layout::panels_of_16})
    out.push_back({fmt::format("matmul {}x{}x{} NT q8_0 {}{}", M, N, K, dtype_info(dtype).name,
                               layout == Layout::row_major ? "" : " in panels"),
                   std::make_shared<Matmul>(false, true), [=] {
                     std::vector<Tensor> in;
                     in.push_back(random_weights(Dtype::q8_0, {M, K}, 1));
                     in.push_back(large_weights(dtype, N, K));
                     if (layout == Layout::row_major) return in;
                     Tensor panels(TensorType{dtype, {N, K}, layout});
                     pack_panels(in[1].view(), panels.view(), 0, n_panels(panels.type()));
                     in[1] = std::move(panels);
                     return in;
                   }});
}

void add_attention(std::vector<Case>& out, int64_t T, int H, int K, int D, int window = 0) {
  const AttentionAttributes heads{
      .n_heads = H, .n_kv_heads = K, .head_dim = D, .softmax_scale = 0.125f, .window = window};
  auto base = [=] {
    std::vector<Tensor> in;
    in.push_back(random_tensor({T, H, D}, 1));
    in.push_back(random_tensor({T, K, D}, 2));
    in.push_back(random_tensor({T, K, D}, 3));
    in.push_back(ids_tensor(std::vector<int32_t>(static_cast<size_t>(T), 0), {T}));
    return in;
  };
  const std::string shape =
      fmt::format("T={} H={} K={} D={}{}", T, H, K, D, window > 0 ? fmt::format(" window={}", window) : "");
  out.push_back({"attention " + shape, std::make_shared<Attention>(heads), base});
  out.push_back({"attention_backward " + shape, std::make_shared<AttentionBackward>(heads), [=] {
                   std::vector<Tensor> in = base();
                   in.push_back(random_tensor({T, H, D}, 4));
                   Tensor lse = random_tensor({T, H}, 5);
                   for (int64_t i = 0; i < T * H; ++i) lse.f32()[i] += 8;
                   in.push_back(std::move(lse));
                   in.push_back(random_tensor({T, H, D}, 6));
                   return in;
                 }});
}

// n_new tokens of one sequence that end at position `length` - 1.
void add_cached(std::vector<Case>& out, int64_t n_new, int64_t length, int H, int K, int D, Dtype dtype,
                int window = 0) {
  constexpr int64_t kPage = 64;
  const int64_t n_pages = (length + kPage - 1) / kPage;
  const AttentionAttributes heads{
      .n_heads = H, .n_kv_heads = K, .head_dim = D, .softmax_scale = 0.125f, .window = window};
  out.push_back({fmt::format("attention_cached T={} S={} H={} K={} D={} {}{}", n_new, length, H, K, D,
                             dtype_info(dtype).name, window > 0 ? fmt::format(" window={}", window) : ""),
                 std::make_shared<AttentionCached>(heads), [=] {
                   std::vector<Tensor> in;
                   in.push_back(random_tensor({n_new, H, D}, 1));
                   in.push_back(random_tensor({n_new, K, D}, 2));
                   in.push_back(random_tensor({n_new, K, D}, 3));
                   in.push_back(random_weights(dtype, {n_pages, K, kPage, D}, 4));
                   in.push_back(random_weights(dtype, {n_pages, K, kPage, D}, 5));
                   std::vector<int32_t> positions, pages;
                   for (int64_t i = 0; i < n_new; ++i) positions.push_back(static_cast<int32_t>(length - n_new + i));
                   for (int64_t i = 0; i < n_pages; ++i) pages.push_back(static_cast<int32_t>(i));
                   in.push_back(ids_tensor(positions, {n_new}));
                   in.push_back(ids_tensor(std::vector<int32_t>(static_cast<size_t>(n_new), 0), {n_new}));
                   in.push_back(ids_tensor(pages, {1, n_pages}));
                   return in;
                 }});
}

// T tokens of one sequence that goes on.
void add_linear(std::vector<Case>& out, int64_t T, const LinearAttentionAttributes& heads) {
  out.push_back({fmt::format("linear_attention_cached T={} {}", T, heads.to_string()),
                 std::make_shared<LinearAttentionCached>(heads), [=] {
                   std::vector<Tensor> in;
                   in.push_back(random_tensor(heads.k_shape(T), 1));
                   in.push_back(random_tensor(heads.k_shape(T), 2, 0.1f));
                   in.push_back(random_tensor(heads.v_shape(T), 3));
                   in.push_back(random_tensor({T, heads.n_v_heads}, 4));
                   for (int64_t i = 0; i < T * heads.n_v_heads; ++i) in.back().f32()[i] -= 1;
                   in.push_back(random_tensor({T, heads.n_v_heads}, 5));
                   in.push_back(random_tensor({1, heads.n_v_heads, heads.k_dim, heads.v_dim}, 6));
                   std::vector<int32_t> positions;
                   for (int64_t t = 0; t < T; ++t) positions.push_back(static_cast<int32_t>(100 + t));
                   in.push_back(ids_tensor(positions, {T}));
                   in.push_back(ids_tensor(std::vector<int32_t>(static_cast<size_t>(T), 0), {T}));
                   return in;
                 }});
}

void add_row_ops(std::vector<Case>& out, int64_t T, int64_t C, int64_t F, int64_t V) {
  auto tensors = [](const std::vector<Shape>& shapes) {
    return [=] {
      std::vector<Tensor> in;
      for (const Shape& shape : shapes) in.push_back(random_tensor(shape, static_cast<uint32_t>(in.size() + 1)));
      return in;
    };
  };
  const std::string tc = fmt::format(" {}x{}", T, C), tf = fmt::format(" {}x{}", T, F),
                    tv = fmt::format(" {}x{}", T, V);
  out.push_back({"add" + tc, std::make_shared<Add>(), tensors({{T, C}, {T, C}})});
  out.push_back({"rms_norm" + tc, std::make_shared<RmsNorm>(1e-5f), tensors({{T, C}, {C}})});
  out.push_back({"rms_norm_backward" + tc, std::make_shared<RmsNormBackward>(1e-5f), tensors({{T, C}, {C}, {T, C}})});
  out.push_back({"swiglu" + tf, std::make_shared<Swiglu>(), tensors({{T, F}, {T, F}})});
  out.push_back({"swiglu_backward" + tf, std::make_shared<SwigluBackward>(), tensors({{T, F}, {T, F}, {T, F}})});
  std::vector<float> frequencies;
  for (int i = 0; i < 32; ++i) frequencies.push_back(std::pow(10000.0f, -static_cast<float>(i) / 32));
  out.push_back({"rope" + tc, std::make_shared<Rope>(64, frequencies, 1.0f, false), [=] {
                   std::vector<Tensor> in;
                   in.push_back(random_tensor({T, C / 64, 64}, 1));
                   in.push_back(counting(T));
                   return in;
                 }});
  out.push_back({"cross_entropy" + tv, std::make_shared<CrossEntropy>(), [=] {
                   std::vector<Tensor> in;
                   in.push_back(random_tensor({T, V}, 1));
                   in.push_back(random_ids(T, V, 2));
                   in.push_back(random_tensor({T}, 3));
                   return in;
                 }});
  out.push_back({"cross_entropy_backward" + tv, std::make_shared<CrossEntropyBackward>(), [=] {
                   std::vector<Tensor> in;
                   in.push_back(random_tensor({T, V}, 1));
                   in.push_back(random_ids(T, V, 2));
                   in.push_back(random_tensor({T}, 3));
                   Tensor lse = random_tensor({T}, 4);
                   for (int64_t t = 0; t < T; ++t) lse.f32()[t] += 10;
                   in.push_back(std::move(lse));
                   in.push_back(random_tensor({1}, 5));
                   return in;
                 }});
  out.push_back({fmt::format("scatter_add_rows {}x{} into {}", T, C, V), std::make_shared<ScatterAddRows>(V, 0), [=] {
                   std::vector<Tensor> in;
                   in.push_back(random_ids(T, V, 1));
                   in.push_back(random_tensor({T, C}, 2));
                   return in;
                 }});
}

std::vector<Case> all_cases() {
  std::vector<Case> out;
  for (int64_t n : {512, 1024, 2048}) add_matmul(out, n, n, n, false, true, Dtype::f32);
  for (const auto& [ta, tb] : {std::pair{false, false}, {true, false}, {true, true}})
    add_matmul(out, 1024, 1024, 1024, ta, tb, Dtype::f32);
  // Training a model with C = 384, F = 1024, V = 8192 on 2048 tokens: forward, dx, dw.
  add_matmul(out, 2048, 384, 384, false, true, Dtype::f32);
  add_matmul(out, 2048, 1024, 384, false, true, Dtype::f32);
  add_matmul(out, 2048, 384, 1024, false, false, Dtype::f32);
  add_matmul(out, 1024, 384, 2048, true, false, Dtype::f32);
  add_matmul(out, 2048, 8192, 384, false, true, Dtype::f32);
  // Prefill and decode of a 1 B shape.
  for (Dtype dtype : {Dtype::bf16, Dtype::q8_0, Dtype::q4_0})
    for (int64_t M : {16, 64, 512}) add_matmul(out, M, 8192, 2048, false, true, dtype);
  for (Dtype dtype :
       {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::q8_0, Dtype::q4_0, Dtype::q4_k, Dtype::q6_k, Dtype::mxfp4})
    for (int64_t M : {1, 2, 4, 8}) add_matmul(out, M, 32768, 2048, false, true, dtype);
  for (Dtype dtype : {Dtype::q4_0, Dtype::q4_k, Dtype::q5_k, Dtype::q6_k, Dtype::mxfp4})
    for (int64_t M : {1, 8, 512}) add_integer_matmul(out, M, 8192, 2048, dtype);
  for (Dtype dtype : weight_dtypes()) add_matmul(out, 1, 128, 2048, false, true, dtype);  // in L2
  add_attention(out, 512, 6, 2, 64);
  add_attention(out, 2048, 6, 2, 64);
  add_attention(out, 512, 16, 4, 128);
  add_attention(out, 2048, 6, 2, 64, 128);
  add_cached(out, 1, 4096, 32, 8, 64, Dtype::f16);
  add_cached(out, 512, 512, 32, 8, 64, Dtype::f16);
  add_cached(out, 512, 4096, 32, 8, 64, Dtype::f16);
  add_cached(out, 1, 4096, 32, 8, 64, Dtype::f16, 128);
  add_cached(out, 512, 4096, 32, 8, 64, Dtype::f16, 128);
  const LinearAttentionAttributes delta{.n_k_heads = 16, .n_v_heads = 32, .k_dim = 128, .v_dim = 128};
  const LinearAttentionAttributes mamba{
      .n_k_heads = 1, .n_v_heads = 48, .k_dim = 128, .v_dim = 64, .delta_rule = false};
  for (int64_t T : {1, 512}) add_linear(out, T, delta), add_linear(out, T, mamba);
  add_row_ops(out, 2048, 384, 1024, 8192);
  return out;
}

// ---- measuring ----

// The best of at least 5 runs and 0.2 s.
double best_seconds(Clock clock, const std::function<void()>& body) {
  body();
  double best = 1e30;
  const double begin = seconds_now(clock);
  for (int i = 0; i < 5 || (seconds_now(clock) - begin < 0.2 && i < 1000); ++i) {
    const double start = seconds_now(clock);
    body();
    best = std::min(best, seconds_now(clock) - start);
  }
  return best;
}

struct Figures {
  std::string name;
  double seconds, gflops, gb_per_s, limit;
};

Figures figures(const std::string& name, const Cost& cost, double seconds, const MachineLimits& limits) {
  const double bytes = cost.bytes_read + cost.bytes_written;
  const double at_least = std::max(cost.flops / limits.flops_per_s, bytes / limits.read_bytes_per_s);
  return {name, seconds, cost.flops / seconds * 1e-9, bytes / seconds * 1e-9, at_least / seconds};
}

CpuFeatures features_for(const std::string& isa) {
  CpuFeatures features = cpu_features();
  if (isa == "portable") return {};
  if (isa == "avx2") features.avx512f = false;
  return features;
}

using Sgemm = void (*)(int, int, int, int, int, int, float, const float*, int, const float*, int, float, float*, int);

// OpenBLAS on a dense f32 product, row-major.
double openblas_seconds(Clock clock, const Matmul& op, const std::vector<Tensor>& in, Tensor& out) {
  static void* library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return 0;
  static const auto sgemm = reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
  static const auto set_threads = reinterpret_cast<void (*)(int)>(dlsym(library, "openblas_set_num_threads"));
  set_threads(1);
  const auto M = static_cast<int>(out.type().shape[0]), N = static_cast<int>(out.type().shape[1]);
  const auto K = static_cast<int>(in[0].type().shape[op.trans_a ? 0 : 1]);
  constexpr int kRowMajor = 101, kPlain = 111, kTransposed = 112;
  return best_seconds(clock, [&] {
    sgemm(kRowMajor, op.trans_a ? kTransposed : kPlain, op.trans_b ? kTransposed : kPlain, M, N, K, 1.0f, in[0].f32(),
          op.trans_a ? M : K, in[1].f32(), op.trans_b ? K : N, 0.0f, out.f32(), N);
  });
}

void run_case(const Case& c, const Options& options, Team& team, const MachineLimits& limits,
              std::vector<Figures>& results) {
  const std::vector<Tensor> inputs = c.inputs();
  std::vector<TensorType> types;
  std::vector<TensorView> in, out;
  for (const Tensor& t : inputs) types.push_back(t.type()), in.push_back(t.view());
  const std::vector<TensorType> out_types = *c.op->infer(types);
  std::vector<Tensor> outputs;
  for (const TensorType& type : out_types) outputs.emplace_back(type);
  for (const Tensor& t : outputs) out.push_back(t.view());
  const Kernel kernel = cpu_kernels(features_for(options.isa)).find(*c.op, types);
  if (kernel.run == nullptr) return;  // panels of another level
  Tensor scratch(TensorType{Dtype::f32, {static_cast<int64_t>(kernel.scratch_bytes / 4 + 16)}});
  const KernelArgs args{c.op.get(), in, out, scratch.view().as<std::byte>()};
  const std::function<void(const Worker&)> body = [&](const Worker& me) { kernel.run(args, me); };
  const Cost cost = c.op->cost(types, out_types);
  results.push_back(figures(c.name, cost, best_seconds(options.clock, [&] { team.run(body); }), limits));
  const auto* matmul = dynamic_cast<const Matmul*>(c.op.get());
  if (options.openblas && matmul != nullptr && types[1].dtype == Dtype::f32)
    if (const double seconds = openblas_seconds(options.clock, *matmul, inputs, outputs[0]); seconds > 0)
      results.push_back(figures("  OpenBLAS", cost, seconds, limits));
}

void print(const Figures& f) {
  fmt::print("{:<52} {:>10.1f} us {:>8.1f} GFLOP/s {:>7.1f} GB/s {:>6.0f} %\n", f.name, f.seconds * 1e6, f.gflops,
             f.gb_per_s, f.limit * 100);
  std::fflush(stdout);
}

Json to_json(const Figures& f) {
  return {{"name", f.name}, {"seconds", f.seconds}, {"gflops", f.gflops}, {"gb_per_s", f.gb_per_s}, {"limit", f.limit}};
}

int usage() {
  fmt::print(stderr,
             "usage: kernels_bench [--threads T] [--isa portable|avx2|avx512] [--filter TEXT] [--json] [--openblas] "
             "[--cpu-time]\n");
  return 2;
}

int run(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    const bool has_value = i + 1 < argc;
    if (arg == "--json")
      options.json = true;
    else if (arg == "--openblas")
      options.openblas = true;
    else if (arg == "--cpu-time")
      options.clock = Clock::cpu;
    else if (arg == "--threads" && has_value)
      options.n_threads = std::atoi(argv[++i]);
    else if (arg == "--isa" && has_value)
      options.isa = argv[++i];
    else if (arg == "--filter" && has_value)
      options.filter = argv[++i];
    else
      return usage();
  }
  if (options.clock == Clock::cpu) options.n_threads = 1;
  if (options.n_threads < 1 || options.n_threads > 256) return usage();
  Team team(options.n_threads);
  const MachineLimits limits = measure_limits(team, options.clock);
  if (!options.json)
    fmt::print("{} threads; measured limits: {:.1f} GFLOP/s (f32 FMA), {:.1f} GB/s read\n", options.n_threads,
               limits.flops_per_s * 1e-9, limits.read_bytes_per_s * 1e-9);
  std::vector<Figures> results;
  for (const Case& c : all_cases()) {
    if (c.name.find(options.filter) == std::string::npos) continue;
    const size_t before = results.size();
    run_case(c, options, team, limits, results);
    if (!options.json) std::for_each(results.begin() + static_cast<std::ptrdiff_t>(before), results.end(), print);
  }
  if (options.json) {
    Json out = {{"threads", options.n_threads},
                {"limits", {{"flops_per_s", limits.flops_per_s}, {"read_bytes_per_s", limits.read_bytes_per_s}}},
                {"results", Json::array()}};
    for (const Figures& f : results) out["results"].push_back(to_json(f));
    fmt::print("{}\n", out.dump(2));
  }
  return 0;
}

}  // namespace
}  // namespace hearth::bench

int main(int argc, char** argv) {
  return hearth::bench::run(argc, argv);
}
