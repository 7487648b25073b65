// Where the positions of a sequence are cut, so that threads can share one long sequence: 16 chunks of 256 positions,
// then 16 of 1024, 16 of 4096, and so on. The borders depend on nothing else, and chunks are merged in order: so a
// row's sums are the same however many threads, neighbours and pages there are.
#pragma once

#include "runtime/kernels/attention_block.h"

namespace hearth::HEARTH_ISA {

constexpr int64_t kFirstChunk = 256, kChunksALength = 16, kChunkGrowth = 4;
static_assert(kFirstChunk % kKeys == 0);

HEARTH_INLINE int64_t chunk_begin(int64_t chunk) {
  int64_t begin = 0, length = kFirstChunk;
  for (; chunk >= kChunksALength; chunk -= kChunksALength, length *= kChunkGrowth) begin += kChunksALength * length;
  return begin + chunk * length;
}

HEARTH_INLINE int64_t chunk_of(int64_t position) {
  int64_t chunk = 0, length = kFirstChunk;
  for (; position >= kChunksALength * length; chunk += kChunksALength, length *= kChunkGrowth)
    position -= kChunksALength * length;
  return chunk + position / length;
}

}  // namespace hearth::HEARTH_ISA
