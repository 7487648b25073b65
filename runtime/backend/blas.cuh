// The one BLAS routine that kernels call, at the level of its descriptors: cuBLASLt behind it on a GPU, loops in the
// emulator, which refuse what cuBLASLt refuses (backend/cuda/blas.cpp, backend/emulated/blas.cpp).
#pragma once

#include "runtime/backend/blas.h"
#include "runtime/backend/cuda_language.cuh"

namespace hearth::HEARTH_GPU {

// Allocates nothing on the device and may be captured. What is refused stays with the stream, as with launches.
void multiply(Stream stream, const BlasProduct& product, const void* a, const void* b, void* c);

}  // namespace hearth::HEARTH_GPU
