// combine_experts and its backward, CPU
// math:     out[t] = Σ_j weights[t,j] y[row_of_slot[t,j]];  dy[row] = weights[slot] dout[t], dweights[slot] = dout[t] ·
//           y[row]
// shapes:   y, dy [S,C] f32, row_of_slot [T,k] i32, weights, dweights [T,k] f32, out, dout [T,C] f32, S = T·k
// traffic:  (S + T)·C·4 B, backward (2·S + T)·C·4 B: memory bound
// mapping:  tokens are split; with fewer tokens than threads, columns of the forward
// needs:    nothing
// numerics: fp32, in the order of j
#include "runtime/ops/combine_experts/combine_experts.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_forward(const KernelArgs& args, const Worker& me) {
  const TensorView &y = args.inputs[0], &out = args.outputs[0];
  const int64_t T = out.dim(0), C = out.dim(1), k = args.inputs[1].dim(1);
  const bool by_token = T >= me.size;
  const auto [t_begin, t_end] = by_token ? me.share(T) : std::pair{int64_t{0}, T};
  const auto [c_begin, c_end] = by_token ? std::pair{int64_t{0}, C} : me.share(C, 16);
  for (int64_t t = t_begin; t < t_end; ++t) {
    const int32_t* rows = args.inputs[1].i32() + t * k;
    const float* weights = args.inputs[2].f32() + t * k;
    over(c_begin, c_end, [&](int64_t c, auto lanes) {
      Vec sum{};
      for (int64_t j = 0; j < k; ++j) sum += weights[j] * load(y.f32() + rows[j] * C + c, lanes);
      store(out.f32() + t * C + c, sum, lanes);
    });
  }
}

void run_backward(const KernelArgs& args, const Worker& me) {
  const int64_t C = args.inputs[0].dim(1), k = args.inputs[1].dim(1);
  const auto [begin, end] = me.share(args.inputs[1].shape().n_elements());
  for (int64_t slot = begin; slot < end; ++slot) {
    const int64_t row = args.inputs[1].i32()[slot];
    const float *dout = args.inputs[3].f32() + slot / k * C, weight = args.inputs[2].f32()[slot];
    float* dy = args.outputs[0].f32() + row * C;
    over(0, C, [&](int64_t c, auto lanes) { store(dy + c, weight * load(dout + c, lanes), lanes); });
    args.outputs[1].f32()[slot] = dot(dout, args.inputs[0].f32() + row * C, C);
  }
}

}  // namespace

template <>
Kernel kernel_for(const CombineExperts&, Types) {
  return {run_forward};
}
template <>
Kernel kernel_for(const CombineExpertsBackward&, Types) {
  return {run_backward};
}

}  // namespace hearth::HEARTH_ISA
