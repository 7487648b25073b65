// Turns of threads, barriers, and meetings of lanes.
#include "runtime/backend/emulated/block.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/sanitizers.h"
#include "runtime/backend/emulated/cuda.h"

namespace hearth::emulator {
namespace {

constexpr size_t kStackBytes = (HEARTH_HAS_ASAN ? 512 : 128) << 10;  // instrumented frames are large

}  // namespace

Block::Block() = default;

Block::~Block() {
  quits_ = true;
  for (auto& worker : workers_) Fiber::jump(home_, *worker->fiber);
}

void Block::begin(Size3 size, size_t dynamic_shared_bytes, Filling filling, bool shuffles, Random random) {
  size_ = size;
  n_threads_ = static_cast<unsigned>(size.count());
  filling_ = filling;
  shuffles_ = shuffles;
  random_ = random;
  order_.resize(n_threads_);
  std::iota(order_.begin(), order_.end(), 0u);
  if (shuffles_)
    for (unsigned i = n_threads_; i > 1; --i) std::swap(order_[i - 1], order_[random_.below(i)]);
  shared_.clear();
  dynamic_ = std::make_unique<Guarded>(dynamic_shared_bytes, filling);
  shared_bytes_ = dynamic_shared_bytes;
}

Result<void> Block::run(Body body, const void* arguments) {
  body_ = body;
  arguments_ = arguments;
  n_taken_ = n_ended_ = 0;
  copies_.clear();
  std::fill_n(n_groups_.begin(), n_threads_, size_t{0});
  first_ = shuffles_ ? random_.below(n_threads_) : 0;
  for (SharedArray& array : shared_) fill(array.memory.data(), array.memory.bytes(), filling_);
  fill(dynamic_->data(), dynamic_->bytes(), filling_);
  current_ = idle_worker();
  Fiber::jump(home_, *current_->fiber);
  if (failure_.empty() && n_ended_ < n_threads_) failure_ = who_waits();
  if (!failure_.empty()) {
    abandon();
    return error(Code::internal, "{}", std::exchange(failure_, {}));
  }
  return check_shared();
}

void Block::end() {
  shared_.clear();
  dynamic_.reset();
}

bool Block::take_thread(Index3& index) {
  if (n_taken_ == n_threads_) return false;
  const unsigned at = first_ + n_taken_++, thread = order_[at < n_threads_ ? at : at - n_threads_];
  current_->thread = thread;
  index = size_.y == 1 && size_.z == 1 ? Index3{thread, 0, 0} : size_.at(thread);
  return true;
}

// ---- whose turn it is ----

void Block::work(Worker& me) {
  while (!quits_) {
    try {
      body_(*this, arguments_);
    } catch (const Abandoned&) {
      // what failed is kept
    }
    idle_.push_back(&me);
    go_on();
  }
}

Block::Worker* Block::idle_worker() {
  if (!idle_.empty()) {
    Worker* worker = idle_.back();
    idle_.pop_back();
    return worker;
  }
  Worker* worker = workers_.emplace_back(std::make_unique<Worker>()).get();
  worker->fiber = std::make_unique<Fiber>(kStackBytes, home_, [this, worker] { work(*worker); });
  return worker;
}

// To a thread that may go on, or one that has not begun, or home when there is none.
void Block::go_on() {
  Worker* from = current_;
  const bool has_ready = next_ready_ < ready_.size(), has_new = n_taken_ < n_threads_;
  Worker* to = nullptr;
  if (has_ready && (!has_new || (shuffles_ && random_.coin()))) {
    to = take_ready();
  } else if (has_new) {
    to = idle_worker();
  }
  if (to == from) return;
  current_ = to;
  Fiber::jump(*from->fiber, to != nullptr ? *to->fiber : home_);
  current_ = from;
}

Block::Worker* Block::take_ready() {
  if (shuffles_)
    std::swap(ready_[next_ready_],
              ready_[next_ready_ + random_.below(static_cast<uint32_t>(ready_.size() - next_ready_))]);
  Worker* worker = ready_[next_ready_++];
  if (next_ready_ == ready_.size()) {
    ready_.clear();
    next_ready_ = 0;
  }
  return worker;
}

void Block::wait(int line) {
  Worker* me = current_;
  me->line = line;
  me->index = threadIdx;
  go_on();
  me->line = 0;
  threadIdx = me->index;
  if (!failure_.empty()) throw Abandoned{};
}

// Who came last is not always the first to go on.
void Block::maybe_pass_turn(int line) {
  if (!shuffles_ || random_.coin()) return;
  make_ready(current_);
  wait(line);
}

void Block::fail(std::string what) {
  if (failure_.empty()) failure_ = std::move(what);
  n_taken_ = n_threads_;  // nobody else begins
  throw Abandoned{};
}

// Every thread that waits leaves its kernel.
void Block::abandon() {
  n_taken_ = n_threads_;
  ready_.clear();
  next_ready_ = 0;
  for (auto& worker : workers_)
    if (worker->line != 0) make_ready(worker.get());
  if (!ready_.empty()) {
    current_ = take_ready();
    Fiber::jump(home_, *current_->fiber);
  }
  at_barrier_.clear();
  n_votes_ = 0;
  for (auto& list : meetings_) list.clear();
}

std::string Block::who_waits() const {
  const auto waiting = std::ranges::find_if(workers_, [](const auto& worker) { return worker->line != 0; });
  const auto n = std::ranges::count_if(workers_, [](const auto& worker) { return worker->line != 0; });
  return fmt::format("{} of the block's {} threads wait for the others for ever (thread {} at line {}); {} have ended",
                     n, n_threads_, (*waiting)->thread, (*waiting)->line, n_ended_);
}

// ---- barriers ----

int Block::barrier(bool vote, int line) {
  if (at_barrier_.empty()) barrier_line_ = line;
  if (barrier_line_ != line)
    fail(fmt::format("threads of a block meet at different barriers, of lines {} and {}", barrier_line_, line));
  n_votes_ += vote;
  if (at_barrier_.size() + 1 < n_threads_) {
    at_barrier_.push_back(current_);
    wait(line);
    return static_cast<int>(current_->result);
  }
  const int result = std::exchange(n_votes_, 0);
  for (Worker* worker : at_barrier_) {
    worker->result = static_cast<uint64_t>(result);
    make_ready(worker);
  }
  at_barrier_.clear();
  maybe_pass_turn(line);
  return result;
}

// ---- meetings of lanes ----

// The one that the thread's mask belongs to.
Block::Meeting& Block::meeting(uint32_t mask, int line) {
  const unsigned first_thread = current_->thread - lane();
  if ((mask >> lane() & 1) == 0) fail(fmt::format("line {}: lane {} is not in its mask {:#x}", line, lane(), mask));
  if (first_thread + static_cast<unsigned>(std::bit_width(mask)) > n_threads_)
    fail(fmt::format("line {}: the mask {:#x} names lanes that the block of {} threads lacks", line, mask, n_threads_));
  std::vector<Meeting>& list = meetings_[current_->thread / kWarpSize];
  for (Meeting& open : list) {
    if (open.mask == mask && open.line == line) return open;
    if ((open.mask & mask) != 0)
      fail(fmt::format("lanes of a warp meet at lines {} and {} with masks {:#x} and {:#x}", open.line, line, open.mask,
                       mask));
  }
  Meeting& opened = list.emplace_back();
  opened.mask = mask;
  opened.line = line;
  return opened;
}

uint32_t Block::ballot(uint32_t mask, bool vote, int line) {
  Meeting& m = meeting(mask, line);
  const unsigned me = lane();
  m.arrived |= 1u << me;
  m.votes |= static_cast<uint32_t>(vote) << me;
  m.workers[me] = current_;
  if (m.arrived != m.mask) {
    wait(line);
    return static_cast<uint32_t>(current_->result);
  }
  const uint32_t votes = m.votes;
  for (unsigned i = 0; i < kWarpSize; ++i)
    if (mask >> i & 1) m.workers[i]->result = votes;
  disperse(m, line);
  return votes;
}

uint64_t Block::exchange(uint32_t mask, uint64_t value, unsigned source, int line) {
  Meeting& m = meeting(mask, line);
  const unsigned me = lane();
  if ((mask >> source & 1) == 0)
    fail(fmt::format("line {}: lane {} reads lane {}, which its mask lacks", line, me, source));
  m.arrived |= 1u << me;
  m.values[me] = value;
  m.sources[me] = static_cast<uint8_t>(source);
  m.workers[me] = current_;
  if (m.arrived != m.mask) {
    wait(line);
    return current_->result;
  }
  for (unsigned i = 0; i < kWarpSize; ++i)
    if (mask >> i & 1) m.workers[i]->result = m.values[m.sources[i]];
  disperse(m, line);
  return current_->result;
}

void Block::together(void* mine, Together work, int line) {
  Meeting& m = meeting(0xffffffffu, line);
  const unsigned me = lane();
  m.arrived |= 1u << me;
  m.brought[me] = mine;
  m.workers[me] = current_;
  if (m.arrived != m.mask) return wait(line);
  work(m.brought);
  disperse(m, line);
}

void Block::disperse(Meeting& m, int line) {
  for (unsigned i = 0; i < kWarpSize; ++i)
    if ((m.mask >> i & 1) && m.workers[i] != current_) make_ready(m.workers[i]);
  std::vector<Meeting>& list = meetings_[current_->thread / kWarpSize];
  list.erase(list.begin() + (&m - list.data()));
  maybe_pass_turn(line);
}

// ---- asynchronous copies ----

void Block::copy_later(void* to, const void* from, size_t bytes, int line) {
  const auto addresses = reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from);
  if ((bytes != 4 && bytes != 8 && bytes != 16) || addresses % bytes != 0)
    fail(fmt::format("line {}: an asynchronous copy of {} bytes; 4, 8 or 16 aligned ones can be copied", line, bytes));
  fill(static_cast<std::byte*>(to), bytes, filling_);
  copies_.push_back({current_->thread, n_groups_[current_->thread], to, from, bytes});
}

void Block::wait_for_copies(size_t n_pending_groups) {
  const unsigned me = current_->thread;
  const auto has_arrived = [&](const Copy& copy) {
    if (copy.thread != me || copy.group + n_pending_groups >= n_groups_[me]) return false;
    std::memcpy(copy.to, copy.from, copy.bytes);
    return true;
  };
  std::erase_if(copies_, has_arrived);
}

// ---- shared memory ----

void* Block::shared(const void* key, size_t bytes) {
  for (SharedArray& array : shared_)
    if (array.key == key) return array.memory.data();
  shared_bytes_ += bytes;
  if (shared_bytes_ > kMaxSharedBytes)
    fail(fmt::format("{} bytes of shared memory, a block has {}", shared_bytes_, kMaxSharedBytes));
  return shared_.emplace_back(SharedArray{key, Guarded(bytes, filling_)}).memory.data();
}

bool Block::is_shared(const void* data, size_t bytes) const {
  const auto holds = [&](const Guarded& memory) {
    const auto* at = static_cast<const std::byte*>(data);
    return at >= memory.data() && at + bytes <= memory.data() + memory.bytes();
  };
  return holds(*dynamic_) ||
         std::ranges::any_of(shared_, [&](const SharedArray& array) { return holds(array.memory); });
}

void* Block::dynamic_shared() {
  return dynamic_->data();
}

Result<void> Block::check_shared() const {
  if (dynamic_->bytes() > 0 && !dynamic_->is_intact())
    return error(Code::internal, "memory beside the dynamic shared memory was written");
  for (const SharedArray& array : shared_)
    if (!array.memory.is_intact())
      return error(Code::internal, "memory beside a shared array of {} bytes was written", array.memory.bytes());
  return {};
}

}  // namespace hearth::emulator
