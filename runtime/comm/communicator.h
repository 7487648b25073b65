// What the ranks of one mesh axis say to each other, on the host's memory. Every rank makes the same calls in the same
// order; a call returns when this rank has what it wants and its own memory is read by nobody any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "base/result.h"

namespace hearth {

enum class Reduction : uint8_t { sum, max, log_sum_exp };

class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  // Element by element, in the order of ranks: the same bits on every rank. `out` is not `mine`.
  virtual Result<void> all_reduce(Reduction how, std::span<const float> mine, std::span<float> out) = 0;
  // Rank r has offsets[r] to offsets[r + 1] of `all` (in bytes); offsets has size() + 1 entries.
  virtual Result<void> all_gather(std::span<const std::byte> mine, std::span<const int64_t> offsets,
                                  std::span<std::byte> all) = 0;
  // This rank's range of the reduction, offsets in elements.
  virtual Result<void> reduce_scatter(Reduction how, std::span<const float> all, std::span<const int64_t> offsets,
                                      std::span<float> mine) = 0;
  // Rank r gets to_each[to_offsets[r], to_offsets[r + 1]) and gives from_each[from_offsets[r], ...), in bytes.
  virtual Result<void> all_to_all(std::span<const std::byte> to_each, std::span<const int64_t> to_offsets,
                                  std::span<std::byte> from_each, std::span<const int64_t> from_offsets) = 0;
  // The first error of this axis, which every later call returns: what a rank did wrong, or why one left.
  virtual Result<void> status() const = 0;
};

// By mesh axis. They outlive who uses them.
using Communicators = std::map<std::string, Communicator*, std::less<>>;

}  // namespace hearth
