// See arena.h.
#include "runtime/memory/arena.h"

namespace hearth {

Result<void> Arena::ensure(int64_t bytes) {
  if (memory_.data() != nullptr && bytes <= memory_.bytes()) return {};
  const int64_t before = memory_.bytes();
  memory_ = Buffer();  // given back first: a device may not hold both
  ++generation_;
  auto larger = backend_->allocate(bytes);
  if (!larger && before > 0) memory_ = TRY(backend_->allocate(before));  // what ran so far goes on
  memory_ = TRY_WITH(std::move(larger), "while making room for {} bytes of working memory", bytes);
  return {};
}

}  // namespace hearth
