// Counts bytes of a long operation for its Control: reports at most every few MiB, and turns a stop request into an
// Error.
#pragma once

#include "model_store/store.h"

namespace hearth::store {

class Meter {
 public:
  Meter(const Control& control, uint64_t total_bytes) : control_(control), total_(total_bytes) { report(); }

  Result<void> add(uint64_t bytes) {
    done_ += bytes;
    if (done_ - reported_ >= kReportEvery || done_ == total_) report();
    return check();
  }
  Result<void> check() const {
    if (control_.stop.stop_requested()) return error(Code::cancelled, "stopped as asked; nothing was changed");
    return {};
  }

 private:
  static constexpr uint64_t kReportEvery = uint64_t{4} << 20;
  void report() {
    reported_ = done_;
    if (control_.progress) control_.progress(done_, total_);
  }
  const Control& control_;
  uint64_t total_ = 0, done_ = 0, reported_ = 0;
};

}  // namespace hearth::store
