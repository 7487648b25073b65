// Where the elements of a tensor lie. Row-major unless its type says otherwise; weights may lie in panels, as a
// backend's products read them best (KernelTable::layout_for).
#pragma once

#include <cstdint>

namespace hearth {

enum class Layout : uint8_t {
  row_major,
  // Rows of block-quantised weights side by side, so that a vector holds one piece of each: see tensor/panels.h.
  panels_of_8,
  panels_of_16,
};

// Rows that lie side by side. A tensor in panels has the bytes of whole panels.
constexpr int panel_rows(Layout layout) {
  return layout == Layout::panels_of_16 ? 16 : layout == Layout::panels_of_8 ? 8 : 1;
}

}  // namespace hearth
