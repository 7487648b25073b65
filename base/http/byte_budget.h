// A number of bytes that many may hold together: each takes its share as it needs it and gives it back when it goes.
// Any thread; shares may outlive the budget.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace hearth::http {

class ByteBudget {
 public:
  explicit ByteBudget(uint64_t max_bytes) : pool_(std::make_shared<Pool>()) { pool_->max_bytes = max_bytes; }
  uint64_t used_bytes() const { return pool_->used_bytes; }

 private:
  struct Pool {
    uint64_t max_bytes = 0;
    std::atomic<uint64_t> used_bytes{0};
  };
  std::shared_ptr<Pool> pool_;

 public:
  class Share {
   public:
    explicit Share(const ByteBudget& budget) : pool_(budget.pool_) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { pool_->used_bytes -= bytes_; }
    // False, and nothing is taken, when the budget has not so much left.
    bool grow_to(uint64_t bytes) {
      if (bytes <= bytes_) return true;
      const uint64_t more = bytes - bytes_;
      const bool fits = pool_->used_bytes.fetch_add(more) + more <= pool_->max_bytes;
      if (!fits) pool_->used_bytes -= more;
      if (fits) bytes_ = bytes;
      return fits;
    }

   private:
    std::shared_ptr<Pool> pool_;
    uint64_t bytes_ = 0;
  };
};

}  // namespace hearth::http
