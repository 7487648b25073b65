// Working memory that executors which never run at the same time share: as large as the largest of them needs.
#pragma once

#include "runtime/backend/backend.h"

namespace hearth {

class Arena {
 public:
  explicit Arena(Backend& backend) : backend_(&backend) {}  // empty; the backend must outlive it
  // Makes room; when that takes other memory, what was in it is lost and generation() changes. resource_exhausted: the
  // device has not that much, and the arena is empty.
  Result<void> ensure(int64_t bytes);
  std::byte* data() const { return memory_.data(); }
  int64_t bytes() const { return memory_.bytes(); }
  uint64_t generation() const { return generation_; }
  Backend& backend() const { return *backend_; }

 private:
  Backend* backend_;
  Buffer memory_;
  uint64_t generation_ = 0;
};

}  // namespace hearth
