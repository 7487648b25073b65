// One growing buffer per thread.
#include "runtime/kernels/thread_scratch.h"

#include <cstdlib>
#include <memory>

#include "base/check.h"

namespace hearth {
namespace {

struct Free {
  void operator()(float* p) const { std::free(p); }
};
struct Scratch {
  std::unique_ptr<float, Free> data;
  size_t n_floats = 0;
};

}  // namespace

float* thread_scratch(size_t n_floats) {
  thread_local Scratch buffer;
  if (buffer.n_floats < n_floats) {
    buffer.data.reset();
    const size_t rounded = (n_floats + 15) / 16 * 16;
    buffer.data.reset(static_cast<float*>(std::aligned_alloc(64, rounded * sizeof(float))));
    CHECK(buffer.data != nullptr);
    buffer.n_floats = rounded;
  }
  return buffer.data.get();
}

}  // namespace hearth
