// Memory that a kernel needs per thread: packed panels and tiles. Kept by the thread and grown to the largest request,
// so only a thread's first calls allocate. Plans do not count it: a few MiB a thread at most.
#pragma once

#include <cstddef>

namespace hearth {

// 64-byte aligned, undefined content, valid until this thread's next call.
float* thread_scratch(size_t n_floats);

}  // namespace hearth
