// Any weight dtype to float, vectorised: what to_float() and every packing loop use.
#pragma once

#include <cstdint>

#include "runtime/tensor/dtype.h"

#ifdef HEARTH_ISA
namespace hearth::HEARTH_ISA {

// out[i] = source[offset + i]. Quantised dtypes: offset and n are multiples of kQuantBlock (32), even inside a block.
void widen(Dtype dtype, const void* source, int64_t offset, float* out, int64_t n);

}  // namespace hearth::HEARTH_ISA
#endif

namespace hearth {

// The best of this machine.
using WidenFunction = void (*)(Dtype, const void* source, int64_t offset, float* out, int64_t n);
WidenFunction best_widen();

}  // namespace hearth
