// See nearest.h: dynamic programming over one row.
#include "base/nearest.h"

#include <algorithm>
#include <vector>

namespace hearth {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

bool is_near(std::string_view unknown, std::string_view known) {
  return edit_distance(unknown, known) <= std::max<size_t>(1, std::min(unknown.size(), known.size()) / 3);
}

std::optional<std::string> nearest(std::string_view unknown, std::span<const std::string> known) {
  auto by_distance = [&](const std::string& a, const std::string& b) {
    return edit_distance(unknown, a) < edit_distance(unknown, b);
  };
  auto best = std::min_element(known.begin(), known.end(), by_distance);
  if (best == known.end() || !is_near(unknown, *best)) return std::nullopt;
  return *best;
}

}  // namespace hearth
