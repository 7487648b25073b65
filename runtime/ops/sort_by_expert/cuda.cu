// sort_by_expert, CUDA
// math:     a stable counting sort of the slots by expert
// shapes:   ids [T,k] i32, S = T·k, positions [T] i32 or none; token_of_row, expert_of_row [S], expert_begin [E+1],
//           row_of_slot [T,k], all i32
// traffic:  2·E·S·4 B from L2: every block reads all ids, so that one launch without atomics does it
// mapping:  one block an expert, and one for padding: it counts the slots of lower experts, then places its own in order
// needs:    nothing
// numerics: integers
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/sort_by_expert/sort_by_expert.h"

namespace hearth::HEARTH_GPU {
namespace {

constexpr int kThreads = 256, kWarps = kThreads / kWarp;

__device__ int block_count(int mine) {
  HEARTH_SHARED(parts, int[kWarps]);
  for (int offset = kWarp / 2; offset > 0; offset /= 2) mine += __shfl_xor_sync(0xffffffffu, mine, offset);
  if (threadIdx.x % kWarp == 0) parts[threadIdx.x / kWarp] = mine;
  __syncthreads();
  int total = 0;
  for (int w = 0; w < kWarps; ++w) total += parts[w];
  __syncthreads();
  return total;
}

// n_experts: padding
__device__ int expert_of(const int32_t* ids, const int32_t* positions, int64_t slot, int k, int n_experts) {
  if (positions != nullptr && positions[slot / k] < 0) return n_experts;
  const int id = ids[slot];
  return id < 0 || id >= n_experts ? n_experts - 1 : id;
}

__global__ void sort_kernel(const int32_t* ids, const int32_t* positions, int64_t S, int k, int n_experts,
                            int32_t* token_of_row, int32_t* expert_of_row, int32_t* expert_begin,
                            int32_t* row_of_slot) {
  HEARTH_SHARED(in_warp, int[kWarps]);
  const int mine = static_cast<int>(blockIdx.x), lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  int below = 0;
  for (int64_t slot = threadIdx.x; slot < S; slot += kThreads)
    below += expert_of(ids, positions, slot, k, n_experts) < mine;
  int next = block_count(below);
  if (threadIdx.x == 0) expert_begin[mine] = next;
  for (int64_t first = 0; first < S; first += kThreads) {
    const int64_t slot = first + threadIdx.x;
    const bool is_mine = slot < S && expert_of(ids, positions, slot, k, n_experts) == mine;
    const unsigned votes = __ballot_sync(0xffffffffu, is_mine);
    if (lane == 0) in_warp[warp] = __popc(votes);
    __syncthreads();
    int before = __popc(votes & ((1u << lane) - 1)), all = 0;
    for (int w = 0; w < kWarps; ++w) {
      before += w < warp ? in_warp[w] : 0;
      all += in_warp[w];
    }
    if (is_mine) {
      const int row = next + before;
      token_of_row[row] = static_cast<int32_t>(slot / k);
      expert_of_row[row] = mine < n_experts ? mine : n_experts - 1;
      row_of_slot[slot] = row;
    }
    next += all;
    __syncthreads();
  }
}

void launch(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const SortByExpert&>(*args.op);
  const int64_t S = args.inputs[0].shape().n_elements();
  const int32_t* positions = args.inputs.size() == 2 ? args.inputs[1].i32() : nullptr;
  launch_kernel<sort_kernel>(static_cast<unsigned>(op.n_experts) + 1, kThreads, 0, stream_of(me), args.inputs[0].i32(),
                             positions, S, static_cast<int>(args.inputs[0].dim(1)), op.n_experts, args.outputs[0].i32(),
                             args.outputs[1].i32(), args.outputs[2].i32(), args.outputs[3].i32());
}

}  // namespace

template <>
Kernel kernel_for(const SortByExpert&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
