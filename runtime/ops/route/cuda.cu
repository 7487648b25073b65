// route and its backward, CUDA
// math:     weight[t,j] = score(logits[t])[id[t,j]], normalised and scaled; ids = the k largest of score + bias
// shapes:   logits [T,E] f32, bias [E] f32, weights [T,k] f32, ids [T,k] i32
// traffic:  T·E·4 B: latency bound at decode
// mapping:  one warp a token, scores in shared memory; an arg-max over the warp per choice
// needs:    E <= kMaxExperts (32 experts a lane: a bit each for "taken")
// numerics: fp32; sums over lanes in the fixed order of warp_sum
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/route/route.h"

namespace hearth::HEARTH_GPU {
namespace {

constexpr unsigned kAllLanes = 0xffffffffu;

__device__ void score(const float* logits, int E, Routing::Scoring scoring, float* out, int lane) {
  if (scoring == Routing::Scoring::sigmoid) {
    for (int e = lane; e < E; e += kWarp) out[e] = sigmoid(logits[e]);
    __syncwarp();
    return;
  }
  float largest = -INFINITY, sum = 0;
  for (int e = lane; e < E; e += kWarp) largest = fmaxf(largest, logits[e]);
  largest = warp_max(largest);
  for (int e = lane; e < E; e += kWarp) sum += out[e] = expf(logits[e] - largest);
  sum = warp_sum(sum);
  for (int e = lane; e < E; e += kWarp) out[e] /= sum;
  __syncwarp();
}

// The largest value that is not taken; of equal ones the lower index. `taken`: bit i is value i * 32 + lane.
__device__ int take_largest(const float* values, int n, uint32_t& taken, int lane) {
  int best = -1;
  float best_value = 0;
  for (int i = lane, bit = 0; i < n; i += kWarp, ++bit)
    if (!(taken >> bit & 1) && (best < 0 || values[i] > best_value)) best = i, best_value = values[i];
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    const int other = __shfl_xor_sync(kAllLanes, best, offset);
    const float other_value = __shfl_xor_sync(kAllLanes, best_value, offset);
    if (other < 0) continue;
    if (best < 0 || other_value > best_value || (!(best_value > other_value) && other < best))
      best = other, best_value = other_value;
  }
  best = __shfl_sync(kAllLanes, best, 0);
  if (best % kWarp == lane) taken |= 1u << (best / kWarp);
  return best;
}

__device__ float group_score(const float* choice, int n, Routing::GroupScore kind) {
  float first = choice[0], second = -INFINITY;
  for (int i = 1; i < n; ++i) {
    if (choice[i] > first) {
      second = first;
      first = choice[i];
    } else if (choice[i] > second) {
      second = choice[i];
    }
  }
  return kind == Routing::GroupScore::sum_of_two && n > 1 ? first + second : first;
}

__device__ void leave_only_best_groups(float* choice, float* groups, int E, const Routing& r, int lane) {
  const int n = E / r.n_groups;
  for (int g = lane; g < r.n_groups; g += kWarp) groups[g] = group_score(choice + g * n, n, r.group_score);
  __syncwarp();
  uint64_t kept = 0;
  uint32_t taken = 0;
  for (int i = 0; i < r.n_chosen_groups; ++i) kept |= uint64_t{1} << take_largest(groups, r.n_groups, taken, lane);
  for (int e = lane; e < E; e += kWarp)
    if (!(kept >> (e / n) & 1)) choice[e] = -INFINITY;
  __syncwarp();
}

__global__ void route_kernel(Routing r, bool by_logits, const float* logits, const float* bias, int E, float* weights,
                             int32_t* ids) {
  HEARTH_DYNAMIC_SHARED(memory, float);
  float *scores = memory, *choice = memory + E, *groups = memory + 2 * E;
  const int lane = static_cast<int>(threadIdx.x);
  const int64_t t = blockIdx.x;
  score(logits + t * E, E, r.scoring, scores, lane);
  const float* ranked = by_logits ? logits + t * E : scores;
  for (int e = lane; e < E; e += kWarp) choice[e] = bias == nullptr ? ranked[e] : ranked[e] + bias[e];
  __syncwarp();
  if (r.n_chosen_groups < r.n_groups) leave_only_best_groups(choice, groups, E, r, lane);
  uint32_t taken = 0;
  float sum = kRouteEpsilon;
  weights += t * r.n_chosen;
  ids += t * r.n_chosen;
  for (int j = 0; j < r.n_chosen; ++j) {
    const int e = take_largest(choice, E, taken, lane);
    sum += scores[e];
    if (lane == 0) ids[j] = e;
    if (lane == 0) weights[j] = r.scale * scores[e];
  }
  if (lane == 0 && r.normalise)
    for (int j = 0; j < r.n_chosen; ++j) weights[j] /= sum;
}

__global__ void route_backward_kernel(Routing r, const float* logits, const int32_t* ids, const float* dweights, int E,
                                      float* dlogits) {
  HEARTH_DYNAMIC_SHARED(scores, float);
  const int lane = static_cast<int>(threadIdx.x);
  const int64_t t = blockIdx.x;
  score(logits + t * E, E, r.scoring, scores, lane);
  ids += t * r.n_chosen;
  dweights += t * r.n_chosen;
  dlogits += t * E;
  float sum = kRouteEpsilon, along = 0, dot = 0;
  for (int j = 0; j < r.n_chosen; ++j) sum += scores[ids[j]], along += dweights[j] * scores[ids[j]];
  auto dscore = [&](int j) { return r.scale * (r.normalise ? (dweights[j] - along / sum) / sum : dweights[j]); };
  for (int j = 0; j < r.n_chosen; ++j) dot += dscore(j) * scores[ids[j]];
  const bool softmax = r.scoring == Routing::Scoring::softmax;
  for (int e = lane; e < E; e += kWarp) dlogits[e] = softmax ? -dot * scores[e] : 0.0f;
  __syncwarp();
  for (int j = lane; j < r.n_chosen; j += kWarp) {
    const float s = scores[ids[j]];
    dlogits[ids[j]] += dscore(j) * (softmax ? s : s * (1 - s));
  }
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const Route&>(*args.op);
  const auto T = static_cast<unsigned>(args.inputs[0].dim(0));
  const int E = static_cast<int>(args.inputs[0].dim(1));
  if (T == 0) return;
  const size_t shared = (2 * static_cast<size_t>(E) + kMaxExpertGroups) * sizeof(float);
  launch_kernel<route_kernel>(T, kWarp, shared, stream_of(me), op.routing, op.routing.by_logits(op.has_bias),
                              args.inputs[0].f32(), op.has_bias ? args.inputs[1].f32() : nullptr, E,
                              args.outputs[0].f32(), args.outputs[1].i32());
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const RouteBackward&>(*args.op);
  const auto T = static_cast<unsigned>(args.inputs[0].dim(0));
  const int E = static_cast<int>(args.inputs[0].dim(1));
  if (T == 0) return;
  launch_kernel<route_backward_kernel>(T, kWarp, static_cast<size_t>(E) * sizeof(float), stream_of(me), op.routing,
                                       args.inputs[0].f32(), args.inputs[1].i32(), args.inputs[2].f32(), E,
                                       args.outputs[0].f32());
}

}  // namespace

template <>
Kernel kernel_for(const Route&, Types) {
  return {launch_forward};
}
template <>
Kernel kernel_for(const RouteBackward&, Types) {
  return {launch_backward};
}

}  // namespace hearth::HEARTH_GPU
