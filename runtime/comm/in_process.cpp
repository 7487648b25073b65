// A call is two meetings: after the first all ranks have shown where their memory is, after the second all have read
// it. Sums run by rank, so that they are the same bits everywhere and always.
#include "runtime/comm/in_process.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>

#include "base/check.h"

namespace hearth {
namespace {

float reduce(Reduction how, float a, float b) {
  if (how == Reduction::sum) return a + b;
  if (how == Reduction::max) return std::max(a, b);
  const float largest = std::max(a, b);
  if (std::isinf(largest)) return largest;
  return largest + std::log(std::exp(a - largest) + std::exp(b - largest));
}

}  // namespace

class InProcessGroup::Meeting {
 public:
  // What a rank shows to the others.
  struct Shown {
    const char* call = "";
    size_t bytes = 0;  // that must be the same on all ranks; 0: none
    const void* data = nullptr;
    std::span<const int64_t> offsets;
  };

  explicit Meeting(int n) : shown_(static_cast<size_t>(n)) {}
  int size() const { return static_cast<int>(shown_.size()); }
  const Shown& shown(int rank) const { return shown_[static_cast<size_t>(rank)]; }

  Result<void> show(int rank, const Shown& mine) {
    shown_[static_cast<size_t>(rank)] = mine;
    TRY(meet());
    for (int other = 0; other < size(); ++other) {
      const Shown& theirs = shown(other);
      if (std::strcmp(theirs.call, mine.call) == 0 && theirs.bytes == mine.bytes) continue;
      Error wrong = error(Code::internal, "rank {} is in {} of {} bytes, and rank {} in {} of {}", rank, mine.call,
                          mine.bytes, other, theirs.call, theirs.bytes);
      leave(wrong);
      return wrong;
    }
    return {};
  }

  // Returns when all ranks are here.
  Result<void> meet() {
    std::unique_lock lock(mutex_);
    if (why_) return *why_;
    const uint64_t generation = generation_;
    if (++n_here_ == size()) {
      n_here_ = 0;
      ++generation_;
      all_here_.notify_all();
      return {};
    }
    all_here_.wait(lock, [&] { return generation_ != generation || why_; });
    if (generation_ == generation) return *why_;
    return {};
  }

  void leave(Error why) {
    const std::scoped_lock lock(mutex_);
    if (!why_) why_ = std::move(why);
    all_here_.notify_all();
  }

  Result<void> status() const {
    const std::scoped_lock lock(mutex_);
    if (why_) return *why_;
    return {};
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable all_here_;
  int n_here_ = 0;
  uint64_t generation_ = 0;
  std::optional<Error> why_;
  std::vector<Shown> shown_;
};

class InProcessGroup::Rank final : public Communicator {
 public:
  Rank(Meeting& meeting, int rank) : meeting_(meeting), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return meeting_.size(); }

  Result<void> all_reduce(Reduction how, std::span<const float> mine, std::span<float> out) override {
    TRY(meeting_.show(rank_, {"all_reduce", mine.size_bytes(), mine.data(), {}}));
    reduce_range(how, 0, out);
    return meeting_.meet();
  }

  Result<void> all_gather(std::span<const std::byte> mine, std::span<const int64_t> offsets,
                          std::span<std::byte> all) override {
    TRY(meeting_.show(rank_, {"all_gather", all.size_bytes(), mine.data(), {}}));
    for (int r = 0; r < size(); ++r) copy(all.data() + at(offsets, r), meeting_.shown(r).data, bytes(offsets, r));
    return meeting_.meet();
  }

  Result<void> reduce_scatter(Reduction how, std::span<const float> all, std::span<const int64_t> offsets,
                              std::span<float> mine) override {
    TRY(meeting_.show(rank_, {"reduce_scatter", all.size_bytes(), all.data(), {}}));
    reduce_range(how, at(offsets, rank_), mine);
    return meeting_.meet();
  }

  Result<void> all_to_all(std::span<const std::byte> to_each, std::span<const int64_t> to_offsets,
                          std::span<std::byte> from_each, std::span<const int64_t> from_offsets) override {
    TRY(meeting_.show(rank_, {"all_to_all", 0, to_each.data(), to_offsets}));
    for (int r = 0; r < size(); ++r) {
      const auto& theirs = meeting_.shown(r);
      const auto* begin = static_cast<const std::byte*>(theirs.data) + at(theirs.offsets, rank_);
      CHECK(bytes(theirs.offsets, rank_) == bytes(from_offsets, r));
      copy(from_each.data() + at(from_offsets, r), begin, bytes(from_offsets, r));
    }
    return meeting_.meet();
  }

  Result<void> status() const override { return meeting_.status(); }

 private:
  static int64_t at(std::span<const int64_t> offsets, int i) { return offsets[static_cast<size_t>(i)]; }
  static size_t bytes(std::span<const int64_t> offsets, int i) {
    return static_cast<size_t>(at(offsets, i + 1) - at(offsets, i));
  }
  static void copy(void* to, const void* from, size_t bytes) {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
  void reduce_range(Reduction how, int64_t begin, std::span<float> out) const {
    for (size_t i = 0; i < out.size(); ++i) {
      const size_t from = static_cast<size_t>(begin) + i;
      float value = static_cast<const float*>(meeting_.shown(0).data)[from];
      for (int r = 1; r < size(); ++r)
        value = reduce(how, value, static_cast<const float*>(meeting_.shown(r).data)[from]);
      out[i] = value;
    }
  }

  Meeting& meeting_;
  int rank_;
};

InProcessGroup::InProcessGroup(int n_ranks) {
  CHECK(n_ranks >= 1 && n_ranks <= 1024);
  meeting_ = std::make_unique<Meeting>(n_ranks);
  for (int r = 0; r < n_ranks; ++r) ranks_.push_back(std::make_unique<Rank>(*meeting_, r));
}

InProcessGroup::~InProcessGroup() = default;

Communicator& InProcessGroup::communicator(int rank) {
  return *ranks_.at(static_cast<size_t>(rank));
}

void InProcessGroup::leave(Error why) {
  meeting_->leave(std::move(why));
}

}  // namespace hearth
