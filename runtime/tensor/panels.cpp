// See panels.h: one table of units by dtype, read in both directions.
#include "runtime/tensor/panels.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/check.h"

namespace hearth {
namespace {

// `n` units of `bytes` bytes each.
struct Units {
  int bytes, n;
};

std::span<const Units> units_of(Dtype dtype) {
  static constexpr Units kQ4_0[] = {{2, 1}, {4, 4}}, kMxfp4[] = {{1, 1}, {4, 4}}, kQ4K[] = {{2, 2}, {1, 12}, {4, 32}},
                         kQ5K[] = {{2, 2}, {1, 12}, {4, 8}, {4, 32}}, kQ6K[] = {{4, 32}, {4, 16}, {1, 16}, {2, 1}};
  switch (dtype) {
    case Dtype::q4_0:
      return kQ4_0;
    case Dtype::mxfp4:
      return kMxfp4;
    case Dtype::q4_k:
      return kQ4K;
    case Dtype::q5_k:
      return kQ5K;
    case Dtype::q6_k:
      return kQ6K;
    default:
      return {};
  }
}

// copy(at in the row's block, at in the panel's, bytes) for each unit of row r of R.
template <class Copy>
void for_units(Dtype dtype, int64_t r, int64_t at_once, Copy copy) {
  int64_t at = 0;
  for (const Units& units : units_of(dtype))
    for (int i = 0; i < units.n; ++i, at += units.bytes) copy(at, at * at_once + r * units.bytes, units.bytes);
}

// The usual sizes, so that the compiler moves them in registers.
void copy_unit(std::byte* to, const std::byte* from, int bytes) {
  if (bytes == 4)
    std::memcpy(to, from, 4);
  else if (bytes == 2)
    std::memcpy(to, from, 2);
  else
    *to = *from;
}

struct Blocks {
  int64_t n, bytes;  // of a row; of one
};
Blocks blocks_of(const TensorType& type) {
  const DtypeInfo& info = dtype_info(type.dtype);
  return {type.shape.last() / info.block_elements, info.block_bytes};
}

}  // namespace

bool has_panels(Dtype dtype) {
  return !units_of(dtype).empty();
}

void pack_panels(const TensorView& rows, const TensorView& panels, int64_t begin, int64_t end) {
  CHECK(rows.type.dtype == panels.type.dtype && rows.shape() == panels.shape() && has_panels(rows.type.dtype));
  CHECK(rows.type.layout == Layout::row_major && panels.type.layout != Layout::row_major);
  const int64_t at_once = panel_rows(panels.type.layout), n_rows = rows.shape().n_rows();
  const Blocks blocks = blocks_of(rows.type);
  for (int64_t p = begin; p < end; ++p) {
    std::byte* out = panels.as<std::byte>() + p * at_once * blocks.n * blocks.bytes;
    if ((p + 1) * at_once > n_rows) std::memset(out, 0, static_cast<size_t>(at_once * blocks.n * blocks.bytes));
    for (int64_t b = 0; b < blocks.n; ++b, out += at_once * blocks.bytes)
      for (int64_t r = 0; r < std::min(at_once, n_rows - p * at_once); ++r) {
        const auto* from = static_cast<const std::byte*>(rows.row(p * at_once + r)) + b * blocks.bytes;
        for_units(rows.type.dtype, r, at_once,
                  [&](int64_t in_row, int64_t in_panel, int n) { copy_unit(out + in_panel, from + in_row, n); });
      }
  }
}

Tensor unpack_panels(const TensorView& panels) {
  Tensor out({panels.type.dtype, panels.shape()});
  const int64_t at_once = panel_rows(panels.type.layout);
  const Blocks blocks = blocks_of(panels.type);
  for (int64_t row = 0; row < panels.shape().n_rows(); ++row)
    for (int64_t b = 0; b < blocks.n; ++b) {
      const std::byte* from = panels.as<std::byte>() + (row / at_once * blocks.n + b) * at_once * blocks.bytes;
      auto* to = static_cast<std::byte*>(out.view().row(row)) + b * blocks.bytes;
      for_units(panels.type.dtype, row % at_once, at_once,
                [&](int64_t in_row, int64_t in_panel, int n) { copy_unit(to + in_row, from + in_panel, n); });
    }
  return out;
}

}  // namespace hearth
