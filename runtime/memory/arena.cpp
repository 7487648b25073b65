// See arena.h.
#include "runtime/memory/arena.h"

namespace hearth {

Result<void> Arena::ensure(int64_t bytes) {
  if (memory_.data() != nullptr && bytes <= memory_.bytes()) return {};
  memory_ = Buffer();  // given back first: a device may not hold both
  ++generation_;
  memory_ = TRY_WITH(backend_->allocate(bytes), "while making room for {} bytes of working memory", bytes);
  return {};
}

}  // namespace hearth
