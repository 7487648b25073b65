// See toy_backend.h.
#include "tests/toy_backend/toy_backend.h"

#include <cmath>

#include "runtime/ops/add/add.h"
#include "runtime/ops/gather_rows/gather_rows.h"
#include "runtime/ops/matmul/matmul.h"
#include "runtime/ops/rms_norm/rms_norm.h"
#include "runtime/ops/rope/rope.h"
#include "runtime/ops/swiglu/swiglu.h"
#include "runtime/tensor/scalar.h"

namespace hearth {
namespace {

void run_add(const KernelArgs& args, const Worker&) {
  const float *a = args.inputs[0].f32(), *b = args.inputs[1].f32();
  const int64_t n = args.inputs[0].shape().n_elements(), n_b = args.inputs[1].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) args.outputs[0].f32()[i] = a[i] + b[i % n_b];
}

void run_rope(const KernelArgs& args, const Worker&) {
  const auto& op = static_cast<const Rope&>(*args.op);
  const int64_t T = args.inputs[0].dim(0), n = args.inputs[0].dim(1) * op.head_dim;
  const float* x = args.inputs[0].f32();
  float* y = args.outputs[0].f32();
  for (int64_t at = 0; at < T * n; ++at) {
    const int64_t in_head = at % n % op.head_dim, pair = in_head % op.n_pairs();
    const int32_t position = args.inputs[1].i32()[at / n];
    const float angle = static_cast<float>(position) * op.inverse_frequencies[static_cast<size_t>(pair)];
    const bool is_first = in_head < op.n_pairs();
    y[at] = x[at] * std::cos(angle) + (is_first ? -x[at + op.n_pairs()] : x[at - op.n_pairs()]) * std::sin(angle);
  }
}

void run_swiglu(const KernelArgs& args, const Worker&) {
  const float *gate = args.inputs[0].f32(), *up = args.inputs[1].f32();
  const int64_t n = args.outputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) args.outputs[0].f32()[i] = silu(gate[i]) * up[i];
}

void run_gather(const KernelArgs& args, const Worker&) {
  const auto& op = static_cast<const GatherRows&>(*args.op);
  const int64_t n = args.inputs[0].dim(1);
  for (int64_t t = 0; t < args.inputs[1].dim(0); ++t) {
    const int64_t row = args.inputs[1].i32()[t] - op.row_begin;
    const bool is_there = row >= 0 && row < args.inputs[0].dim(0);
    for (int64_t c = 0; c < n; ++c)
      args.outputs[0].f32()[t * n + c] = is_there ? args.inputs[0].f32()[row * n + c] : 0.0f;
  }
}

void run_rms_norm(const KernelArgs& args, const Worker&) {
  const float eps = static_cast<const RmsNorm&>(*args.op).eps;
  const int64_t T = args.inputs[0].shape().n_rows(), C = args.inputs[0].shape().last();
  for (int64_t t = 0; t < T; ++t) {
    const float* x = args.inputs[0].f32() + t * C;
    float sum = 0;
    for (int64_t c = 0; c < C; ++c) sum += x[c] * x[c];
    const float r = 1.0f / std::sqrt(sum / static_cast<float>(C) + eps);
    for (int64_t c = 0; c < C; ++c) args.outputs[0].f32()[t * C + c] = x[c] * r * args.inputs[1].f32()[c];
  }
}

// a [M,K] f32, b [N,K] f32 → [M,N]
void run_matmul(const KernelArgs& args, const Worker&) {
  const float *a = args.inputs[0].f32(), *b = args.inputs[1].f32();
  const int64_t M = args.outputs[0].dim(0), N = args.outputs[0].dim(1), K = args.inputs[0].dim(1);
  for (int64_t i = 0; i < M; ++i)
    for (int64_t j = 0; j < N; ++j) {
      float sum = 0;
      for (int64_t k = 0; k < K; ++k) sum += a[i * K + k] * b[j * K + k];
      args.outputs[0].f32()[i * N + j] = sum;
    }
}

// Whole heads in halves, turned forward by angles alone: what a Llama asks for. The rest is declined.
Kernel rope_kernel(const Rope& op, Types) {
  const bool is_plain = 2 * op.n_pairs() == op.head_dim && !op.layout.interleaved && !op.inverse && op.magnitude == 1;
  return is_plain ? Kernel{run_rope} : Kernel{};
}

Kernel matmul_kernel(const Matmul& op, Types inputs) {
  const bool is_plain = !op.trans_a && op.trans_b && inputs[0].dtype == Dtype::f32 && inputs[1].dtype == Dtype::f32;
  return is_plain ? Kernel{run_matmul} : Kernel{};
}

class ToyTape final : public Tape {
 public:
  explicit ToyTape(std::vector<Call> calls) : calls_(std::move(calls)) {}
  Result<void> play() override {
    for (const Call& call : calls_) call.run(call.args, Worker{});
    return {};
  }
  Result<std::vector<double>> play_timed() override {
    return run_timed(calls_, [](const Call& call) -> Result<void> {
      call.run(call.args, Worker{});
      return {};
    });
  }

 private:
  const std::vector<Call> calls_;
};

}  // namespace

ToyBackend::ToyBackend() {
  kernels_.add<Add>([](const Add&, Types) { return Kernel{run_add}; });
  kernels_.add<Swiglu>([](const Swiglu&, Types) { return Kernel{run_swiglu}; });
  kernels_.add<RmsNorm>([](const RmsNorm&, Types in) { return in.size() == 2 ? Kernel{run_rms_norm} : Kernel{}; });
  kernels_.add<GatherRows>(
      [](const GatherRows&, Types in) { return in[0].dtype == Dtype::f32 ? Kernel{run_gather} : Kernel{}; });
  kernels_.add<Matmul>(matmul_kernel);
  kernels_.add<Rope>(rope_kernel);
}

Result<std::unique_ptr<Tape>> ToyBackend::record(std::vector<Call> calls) {
  return std::unique_ptr<Tape>(std::make_unique<ToyTape>(std::move(calls)));
}

}  // namespace hearth
