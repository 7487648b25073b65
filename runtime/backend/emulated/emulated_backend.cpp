// See emulated_backend.h.
#include "runtime/backend/emulated/emulated_backend.h"

#include <algorithm>
#include <cstring>
#include <map>

namespace hearth {
namespace {

using emulator::Device;
using emulator::Guarded;

// The operands of one call, in blocks of their own. Operands that share memory share a block.
class Operands {
 public:
  Operands(const Call& call, Device& device) : call_(call), device_(device) {
    for (const TensorView& input : call.args.inputs) inputs_.push_back(copy_of(input));
    for (const TensorView& output : call.args.outputs) outputs_.push_back(blank(output));
    if (call.scratch_bytes > 0) scratch_ = std::make_unique<Guarded>(call.scratch_bytes, device.filling());
    for (const auto& [key, block] : blocks_) device.watch(block);
    if (scratch_) device.watch(*scratch_);
  }
  ~Operands() { device_.unwatch_all(); }
  Operands(const Operands&) = delete;

  KernelArgs args() const { return {call_.args.op, inputs_, outputs_, scratch_ ? scratch_->data() : nullptr}; }

  // What the call wrote goes where it belongs. internal: it wrote to an input that is none of its states.
  Result<void> store() {
    for (const TensorView& output : call_.args.outputs) store(output);
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const TensorView& input = call_.args.inputs[i];
      if (writes_input(i)) {
        store(input);
      } else if (!is_output(input) && bytes_of(input) > 0 &&
                 std::memcmp(input.data, inputs_[i].data, bytes_of(input)) != 0) {
        return error(Code::internal, "a CUDA kernel of this call wrote to input {}, a {}", i, input.type.to_string());
      }
    }
    return {};
  }

 private:
  static size_t bytes_of(const TensorView& view) { return static_cast<size_t>(view.type.bytes()); }

  // Where it is and how large: an empty view may begin where another does.
  using Key = std::pair<const void*, size_t>;
  static Key key_of(const TensorView& view) { return {view.data, bytes_of(view)}; }

  TensorView copy_of(const TensorView& view) {
    return {view.type, blocks_.try_emplace(key_of(view), view.data, bytes_of(view)).first->second.data()};
  }
  TensorView blank(const TensorView& view) {
    return {view.type, blocks_.try_emplace(key_of(view), bytes_of(view), device_.filling()).first->second.data()};
  }
  void store(const TensorView& view) {
    if (bytes_of(view) > 0) std::memcpy(view.data, blocks_.at(key_of(view)).data(), bytes_of(view));
  }
  bool writes_input(size_t i) const {
    return std::ranges::find(call_.written_inputs, static_cast<int>(i)) != call_.written_inputs.end();
  }
  bool is_output(const TensorView& view) const {
    return std::ranges::any_of(call_.args.outputs, [&](const TensorView& output) { return output.data == view.data; });
  }

  const Call& call_;
  Device& device_;
  std::map<Key, Guarded> blocks_;
  std::vector<TensorView> inputs_, outputs_;
  std::unique_ptr<Guarded> scratch_;
};

// Which lane goes on where both may: what comes too early, too late, or at any other time shows where a wait is
// missing.
class LaneOrder {
 public:
  LaneOrder(const std::vector<Call>& calls, uint64_t seed) : calls_(calls), seed_(seed), random_(seed) {
    for (size_t c = 0; c < calls.size(); ++c) lanes_[static_cast<size_t>(calls[c].lane)].push_back(c);
  }
  // The next call; the number of calls at the end.
  size_t next() {
    const bool may[] = {may_go(0), may_go(1)};
    if (!may[0] && !may[1]) return calls_.size();
    const size_t lane = may[0] && may[1] ? chosen() : may[0] ? 0 : 1;
    return lanes_[lane][n_done_[lane]++];
  }

 private:
  bool is_at_end(size_t lane) const { return n_done_[lane] == lanes_[lane].size(); }
  bool may_go(size_t lane) const {
    if (is_at_end(lane)) return false;
    const int after = calls_[lanes_[lane][n_done_[lane]]].waits_for;
    return after < 0 || is_at_end(1 - lane) || lanes_[1 - lane][n_done_[1 - lane]] > static_cast<size_t>(after);
  }
  size_t chosen() {
    constexpr auto kCompute = static_cast<size_t>(Lane::compute), kCopy = static_cast<size_t>(Lane::copy);
    return seed_ % 3 == 0 ? kCopy : seed_ % 3 == 1 ? kCompute : random_.coin() ? kCopy : kCompute;
  }

  const std::vector<Call>& calls_;
  const uint64_t seed_;
  emulator::Random random_;
  std::vector<size_t> lanes_[kLanes];
  size_t n_done_[kLanes] = {};
};

class EmulatedTape final : public Tape {
 public:
  EmulatedTape(std::vector<Call> calls, Device& device, uint64_t seed)
      : calls_(std::move(calls)), device_(device), seed_(seed) {}

  Result<void> play() override {
    LaneOrder order(calls_, seed_);
    for (size_t c = order.next(); c < calls_.size(); c = order.next()) TRY(run(calls_[c]));
    return {};
  }

  Result<std::vector<double>> play_timed() override {
    return run_timed(calls_, [this](const Call& call) { return run(call); });
  }

 private:
  Result<void> run(const Call& call) {
    Operands operands(call, device_);
    Worker me;
    me.queue = &device_;
    call.run(operands.args(), me);
    TRY(device_.take_result());
    return operands.store();
  }

  const std::vector<Call> calls_;
  Device& device_;
  const uint64_t seed_;
};

}  // namespace

EmulatedBackend::EmulatedBackend(KernelTable kernels, uint64_t seed, Dtype activations, int64_t memory_kib)
    : kernels_(std::move(kernels)),
      seed_(seed),
      activations_(activations),
      memory_kib_(memory_kib),
      device_({seed, seed % 2 == 0 ? emulator::Filling::positive_nan : emulator::Filling::negative_nan}) {}

std::string EmulatedBackend::name() const {
  return "emulated:" + std::to_string(seed_) + (activations_ == Dtype::bf16 ? ":bf16" : "") +
         (memory_kib_ > 0 ? fmt::format(":{}KiB", memory_kib_) : "");
}

// Exactly as much as was asked for, where it is counted.
Result<Buffer> EmulatedBackend::allocate(int64_t bytes) {
  if (memory_kib_ == 0) return HostBackend::allocate(bytes);
  if (bytes > left())
    return error(Code::resource_exhausted, "{} bytes were asked for, {} of its {} KiB are left", bytes, left(),
                 memory_kib_);
  auto memory = std::make_shared<Buffer>(TRY(HostBackend::allocate(bytes)));
  allocated_ += bytes;
  return Buffer(memory->data(), bytes, [this, memory, bytes](std::byte*) { allocated_ -= bytes; });
}

int64_t EmulatedBackend::free_bytes() const {
  return memory_kib_ == 0 ? 0 : std::max<int64_t>(left(), 1);
}

Result<std::unique_ptr<Tape>> EmulatedBackend::record(std::vector<Call> calls) {
  return std::unique_ptr<Tape>(new EmulatedTape(std::move(calls), device_, seed_));
}

}  // namespace hearth
