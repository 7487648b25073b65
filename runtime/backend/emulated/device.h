// A GPU on the CPU: runs launches, block after block, and keeps what went wrong. In CUDA's words it is a stream.
// One thread at a time.
#pragma once

#include <string_view>
#include <vector>

#include "runtime/backend/emulated/block.h"

namespace hearth::emulator {

struct Options {
  uint64_t seed = 0;  // 0: threads and blocks in the order of their numbers; else shuffled
  Filling filling = Filling::positive_nan;
};

struct Launch {
  std::string_view kernel;
  Size3 grid, block;
  size_t shared_bytes = 0;
};

class Device {
 public:
  explicit Device(Options options = {}) : options_(options) {}
  Filling filling() const { return options_.filling; }

  // Nothing runs any more once something has failed, until take_result().
  void run(const Launch& launch, Block::Body body, const void* arguments);
  void fail(Error error);
  // What went wrong since the last call; names the kernel.
  Result<void> take_result();
  // Memory whose guards are checked after every launch.
  void watch(const Guarded& memory) { watched_.push_back(&memory); }
  void unwatch_all() { watched_.clear(); }

 private:
  Result<void> run_blocks(const Launch& launch, Block::Body body, const void* arguments);
  Result<void> check_watched() const;

  Options options_;
  uint64_t n_launches_ = 0;
  Block block_;
  std::vector<const Guarded*> watched_;
  Result<void> result_;
};

}  // namespace hearth::emulator
