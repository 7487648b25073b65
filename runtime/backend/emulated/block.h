// The threads of one block at a time, on one thread of the host. Each runs until it has to wait for others; only then
// does it get a stack of its own, so a kernel without barriers is a plain loop. Who goes on, and in which order, a seed
// decides. Blocks are run by Device (device.h); kernels reach theirs through cuda.h.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/backend/emulated/fiber.h"
#include "runtime/backend/emulated/guarded.h"
#include "runtime/backend/emulated/index3.h"

namespace hearth::emulator {

inline constexpr unsigned kWarpSize = 32, kMaxThreads = 1024;
inline constexpr size_t kMaxSharedBytes = 99 << 10;  // static and dynamic, of a block, on the smallest GPU (8.6)

// Numbers that a seed determines; small and fast, since every turn of a thread asks.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
  uint32_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 33);
  }
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(uint64_t{next()} * n >> 31); }
  bool coin() { return next() & 1; }

 private:
  uint64_t state_;
};

class Block {
 public:
  // Runs threads until take_thread() says that there are none: a loop over the kernel.
  using Body = void (*)(Block& block, const void* arguments);

  Block();
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  // A launch: the same kernel on many blocks. shuffles: threads go in an order of the random numbers, else of theirs.
  void begin(Size3 size, size_t dynamic_shared_bytes, Filling filling, bool shuffles, Random random);
  // internal: a thread waits for one that does not come, or memory beyond a shared array was written.
  Result<void> run(Body body, const void* arguments);
  void end();

  // ---- for the body ----
  bool take_thread(Index3& index);
  void end_thread() { ++n_ended_; }

  // ---- for the kernel's threads; `line` is where it says so ----
  // Returns how many threads of the block came with true.
  int barrier(bool vote, int line);
  // The lanes of `mask` meet. Bit i of the result: lane i came with true.
  uint32_t ballot(uint32_t mask, bool vote, int line);
  // What lane `source` came with.
  uint64_t exchange(uint32_t mask, uint64_t value, unsigned source, int line);
  // All lanes of the warp meet, and what they bring is worked on by the one that comes last: `mine` stays where it is.
  using Together = void (*)(void* const (&of_lanes)[kWarpSize]);
  void together(void* mine, Together work, int line);
  // Is all of it in this block's shared memory?
  bool is_shared(const void* data, size_t bytes) const;
  // What is wrong with this thread's call. Does not return.
  [[noreturn]] void refuse(std::string what, int line) { fail(fmt::format("line {}: {}", line, what)); }
  unsigned lane() const { return current_->thread % kWarpSize; }
  // Bytes that arrive when the thread waits for their group; until then the place holds NaN.
  void copy_later(void* to, const void* from, size_t bytes, int line);
  void commit_copies() { ++n_groups_[current_->thread]; }
  void wait_for_copies(size_t n_pending_groups);
  // The block's one array of this key, exactly as large, filled anew for each block.
  void* shared(const void* key, size_t bytes);
  void* dynamic_shared();

 private:
  // A stack, and the thread that runs on it or waits.
  struct Worker {
    std::unique_ptr<Fiber> fiber;
    Index3 index;
    unsigned thread = 0;
    int line = 0;  // where it waits; 0: it does not
    uint64_t result = 0;
  };
  // Lanes of a warp that wait for the others of their mask.
  struct Meeting {
    uint32_t mask = 0, arrived = 0, votes = 0;
    int line = 0;
    std::array<uint64_t, kWarpSize> values{};
    std::array<uint8_t, kWarpSize> sources{};
    std::array<Worker*, kWarpSize> workers{};
    void* brought[kWarpSize] = {};
  };
  struct Copy {
    unsigned thread;
    size_t group;
    void* to;
    const void* from;
    size_t bytes;
  };
  struct SharedArray {
    const void* key;
    Guarded memory;
  };
  struct Abandoned {};  // thrown through a kernel whose block has failed

  void work(Worker& me);
  Worker* idle_worker();
  void go_on();
  void wait(int line);
  void maybe_pass_turn(int line);
  void make_ready(Worker* worker) { ready_.push_back(worker); }
  Worker* take_ready();
  [[noreturn]] void fail(std::string what);
  void abandon();
  std::string who_waits() const;
  Meeting& meeting(uint32_t mask, int line);
  void disperse(Meeting& meeting, int line);
  Result<void> check_shared() const;

  // of the launch
  Size3 size_;
  unsigned n_threads_ = 0;
  Filling filling_ = Filling::positive_nan;
  bool shuffles_ = false;
  Random random_{0};
  std::vector<unsigned> order_;
  std::vector<SharedArray> shared_;
  std::unique_ptr<Guarded> dynamic_;
  size_t shared_bytes_ = 0;

  // of the block that runs
  Body body_ = nullptr;
  const void* arguments_ = nullptr;
  unsigned n_taken_ = 0, n_ended_ = 0, first_ = 0;
  std::vector<Worker*> ready_, at_barrier_;
  size_t next_ready_ = 0;
  int barrier_line_ = 0, n_votes_ = 0;
  std::array<std::vector<Meeting>, kMaxThreads / kWarpSize> meetings_;
  std::vector<Copy> copies_;
  std::array<size_t, kMaxThreads> n_groups_{};  // committed, of each thread
  std::string failure_;

  // stacks, kept from block to block
  Fiber home_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;
  Worker* current_ = nullptr;
  bool quits_ = false;
};

}  // namespace hearth::emulator
