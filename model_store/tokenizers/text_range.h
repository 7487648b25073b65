// Parts of a text, in bytes: which of a prompt people typed. What is typed never becomes a control token.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace hearth {

struct TextRange {
  size_t begin = 0, end = 0;
  friend bool operator==(const TextRange&, const TextRange&) = default;
};
using TextRanges = std::vector<TextRange>;  // in order, none empty, none touching the next

// Adds what lies at or behind the end of the last one.
inline void append_range(TextRanges& ranges, size_t begin, size_t end) {
  if (begin == end) return;
  if (!ranges.empty() && ranges.back().end == begin)
    ranges.back().end = end;
  else
    ranges.push_back({begin, end});
}

// What of the ranges lies in [begin, end), counted from `base`, appended.
inline void append_part(std::span<const TextRange> ranges, TextRange part, size_t base, TextRanges& out) {
  auto it =
      std::upper_bound(ranges.begin(), ranges.end(), part.begin, [](size_t at, const auto& r) { return at < r.end; });
  for (; it != ranges.end() && it->begin < part.end; ++it)
    append_range(out, base + std::max(it->begin, part.begin) - part.begin,
                 base + std::min(it->end, part.end) - part.begin);
}

inline TextRanges part_of(std::span<const TextRange> ranges, TextRange part) {
  TextRanges out;
  append_part(ranges, part, 0, out);
  return out;
}

}  // namespace hearth
