// Boxes of tensors: a range of every axis. What parts of a tensor are copied with.
#pragma once

#include <array>

#include "runtime/tensor/tensor.h"

namespace hearth {

struct Box {
  std::array<int64_t, kMaxRank> begin{}, size{};
  static Box whole(const Shape& shape);
  Box range(int axis, int64_t from, int64_t to) const;  // the same, but for one axis
  int64_t n_elements(int rank) const;
};

// Elements of a box of `from` to the box of the same size that begins at `to_begin` of `to`. Along the last axis boxes
// hold whole blocks.
void copy_box(const TensorView& from, const Box& box, const TensorView& to,
              const std::array<int64_t, kMaxRank>& to_begin);

}  // namespace hearth
