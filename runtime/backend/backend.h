// What a device is: memory, kernels, and lists of calls that it runs again and again. One folder per backend;
// exec/devices.h lists and opens them. docs/how_to_add_a_backend.md walks through one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/backend/kernel_table.h"

namespace hearth {

// Owns memory of a device. It must not outlive the backend that gave it.
class Buffer {
 public:
  using Release = std::function<void(std::byte*)>;
  Buffer() = default;
  Buffer(std::byte* data, int64_t bytes, Release release) : data_(data, std::move(release)), bytes_(bytes) {}
  std::byte* data() const { return data_.get(); }
  int64_t bytes() const { return data_ ? bytes_ : 0; }

 private:
  std::unique_ptr<std::byte, Release> data_;
  int64_t bytes_ = 0;
};

// Calls of one lane run in order, lanes beside each other: a GPU's are streams. Where the device's memory is the host's
// there is nothing to copy, and one lane.
enum class Lane : uint8_t { compute, copy };
inline constexpr size_t kLanes = 2;

// A kernel call with its pointers resolved.
struct Call {
  void (*run)(const KernelArgs&, const Worker&) = nullptr;
  KernelArgs args;     // what its spans and `op` refer to lives as long as the tape
  bool waits = false;  // it touches what a call since the last waiting one of its lane writes, or writes what it reads
  double flops = 0, bytes = 0;  // what it computes and moves
  size_t scratch_bytes = 0;
  std::vector<int> written_inputs;  // explicit state; a kernel may write to no other input
  Lane lane = Lane::compute;
  int waits_for = -1;  // the call of the other lane that must have ended before it; -1: none that is not known to have
};

// Calls in order, ready to be played any number of times; nothing is allocated or looked up in play(). A call waits for
// earlier ones only, so that the order of the list is always one that is right.
class Tape {
 public:
  virtual ~Tape() = default;
  // Returns when the device is done. internal: what the device said.
  virtual Result<void> play() = 0;
  // The same, call by call with a clock: seconds of each.
  virtual Result<std::vector<double>> play_timed() = 0;
};

// Runs calls in order with a clock, for play_timed(): seconds of each.
Result<std::vector<double>> run_timed(const std::vector<Call>& calls,
                                      const std::function<Result<void>(const Call&)>& run);

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;  // as open_device() takes it: "cpu", "cuda:0"
  virtual const KernelTable& kernels() const = 0;
  // The host reads and writes its memory in place. Then an op without a kernel runs its reference there.
  virtual bool is_host_memory() const = 0;
  // What graphs for it compute with: f32, or bf16, whose products are summed in f32 (graph/precision.cpp).
  virtual Dtype activations() const { return Dtype::f32; }
  // Zeroed, 64-byte aligned. On the CPU, memory is taken as it is first touched. resource_exhausted: there is not that
  // much left.
  virtual Result<Buffer> allocate(int64_t bytes) = 0;
  // The same of the host's memory, from which its lane of copies reads fast: pinned, where the device wants that.
  virtual Result<Buffer> allocate_on_host(int64_t bytes);
  virtual int64_t free_bytes() const { return 0; }  // what it could still give; 0: nobody knows
  virtual Result<void> write(std::byte* to, const void* host, int64_t bytes) = 0;  // returns when done
  virtual Result<void> read(void* host, const std::byte* from, int64_t bytes) = 0;
  virtual Result<std::unique_ptr<Tape>> record(std::vector<Call> calls) = 0;
};

}  // namespace hearth
