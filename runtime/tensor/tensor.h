// Tensors: a dtype, a shape and a layout, dense. A view is a type and a pointer; ownership is separate.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>

#include "runtime/tensor/dtype.h"
#include "runtime/tensor/layout.h"

namespace hearth {

inline constexpr int kMaxRank = 4;

class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims);  // at most kMaxRank, none negative: else CHECK
  int rank() const { return rank_; }
  int64_t operator[](int axis) const { return dims_[axis]; }
  int64_t& operator[](int axis) { return dims_[axis]; }
  int64_t last() const { return rank_ == 0 ? 1 : dims_[rank_ - 1]; }
  int64_t n_elements() const;
  int64_t n_rows() const { return last() == 0 ? 0 : n_elements() / last(); }  // all axes but the last
  void append(int64_t dim);
  bool operator==(const Shape&) const = default;
  std::string to_string() const;  // "[12, 64]"

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

struct TensorType {
  Dtype dtype = Dtype::f32;
  Shape shape;
  Layout layout = Layout::row_major;  // only products with weights read another (Accept::laid_out_weight)
  int64_t bytes() const {
    return layout == Layout::row_major ? dtype_bytes(dtype, shape.n_elements()) : panels_bytes();
  }
  int64_t row_bytes() const { return dtype_bytes(dtype, shape.last()); }  // as many as a row has, wherever they lie
  bool operator==(const TensorType&) const = default;
  std::string to_string() const;  // "f32[12, 64]", "q4_0[64, 64] in panels of 16"

 private:
  int64_t panels_bytes() const;
};

// Not owned. Read-only tensors (mapped weights) are views too: who may write is the graph's knowledge, not the type's.
struct TensorView {
  TensorType type;
  void* data = nullptr;
  const Shape& shape() const { return type.shape; }
  int64_t dim(int axis) const { return type.shape[axis]; }
  float* f32() const { return static_cast<float*>(data); }
  int32_t* i32() const { return static_cast<int32_t*>(data); }
  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  // Of what is row-major.
  void* row(int64_t index) const { return static_cast<std::byte*>(data) + index * type.row_bytes(); }
};

using Types = std::span<const TensorType>;
using Views = std::span<const TensorView>;

// Owns 64-byte aligned, zeroed memory. Movable.
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(TensorType type);
  TensorView view() const { return {type_, data_.get()}; }
  const TensorType& type() const { return type_; }
  float* f32() const { return static_cast<float*>(data_.get()); }
  int32_t* i32() const { return static_cast<int32_t*>(data_.get()); }

 private:
  struct Free {
    void operator()(void* p) const;
  };
  TensorType type_;
  std::unique_ptr<void, Free> data_;
};

// A float copy of any weight tensor, row-major.
Tensor to_f32(const TensorView& view);

}  // namespace hearth
