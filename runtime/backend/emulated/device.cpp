// Launches: what CUDA would refuse is refused, then the blocks run.
#include "runtime/backend/emulated/device.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "runtime/backend/emulated/cuda.h"

namespace hearth::emulator {
namespace {

// The limits of compute capability 7.5 and later.
Result<void> check_launch(const Launch& l) {
  if (l.block.count() == 0 || l.block.count() > kMaxThreads || l.block.x > 1024 || l.block.y > 1024 || l.block.z > 64)
    return error(Code::internal, "a block of {} x {} x {} threads; CUDA runs 1 to {}", l.block.x, l.block.y, l.block.z,
                 kMaxThreads);
  if (l.grid.count() == 0 || l.grid.x > 0x7fffffffu || l.grid.y > 65535 || l.grid.z > 65535)
    return error(Code::internal, "a grid of {} x {} x {} blocks; CUDA runs 1 to 2147483647 x 65535 x 65535", l.grid.x,
                 l.grid.y, l.grid.z);
  if (l.shared_bytes > kMaxSharedBytes)
    return error(Code::internal, "{} bytes of shared memory; a block has {}", l.shared_bytes, kMaxSharedBytes);
  return {};
}

// Step through [0, n) so that every number comes once.
uint64_t stride_for(uint64_t n, Random& random) {
  uint64_t stride = n > 1 ? 1 + random.below(static_cast<uint32_t>(std::min<uint64_t>(n - 1, 0x7fffffff))) : 1;
  while (std::gcd(stride, n) != 1) ++stride;
  return stride;
}

}  // namespace

void Device::run(const Launch& launch, Block::Body body, const void* arguments) {
  if (!result_) return;
  Result<void> ran = check_launch(launch);
  if (ran) ran = run_blocks(launch, body, arguments);
  if (ran) ran = check_watched();
  if (!ran) fail(error(Code::internal, "CUDA kernel {}: {}", launch.kernel, ran.error().message));
}

Result<void> Device::run_blocks(const Launch& launch, Block::Body body, const void* arguments) {
  const bool shuffles = options_.seed != 0;
  Random random(options_.seed + n_launches_++);
  const uint64_t n = launch.grid.count(), stride = shuffles ? stride_for(n, random) : 1;
  uint64_t at = shuffles ? random.below(static_cast<uint32_t>(std::min<uint64_t>(n, 0x7fffffff))) : 0;
  gridDim = launch.grid;
  blockDim = launch.block;
  block = &block_;
  block_.begin(launch.block, launch.shared_bytes, options_.filling, shuffles, random);
  Result<void> ran;
  for (uint64_t i = 0; i < n && ran; ++i, at = (at + stride) % n) {
    blockIdx = launch.grid.at(at);
    ran = block_.run(body, arguments);
    if (!ran)
      ran = error(Code::internal, "block ({}, {}, {}): {}", blockIdx.x, blockIdx.y, blockIdx.z, ran.error().message);
  }
  block_.end();
  block = nullptr;
  return ran;
}

Result<void> Device::check_watched() const {
  for (const Guarded* memory : watched_)
    if (!memory->is_intact())
      return error(Code::internal, "memory beside a buffer of {} bytes was written", memory->bytes());
  return {};
}

void Device::fail(Error error) {
  if (result_) result_ = std::move(error);
}

Result<void> Device::take_result() {
  return std::exchange(result_, {});
}

}  // namespace hearth::emulator
