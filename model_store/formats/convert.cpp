// Converter: one row of floats at a time.
#include "model_store/formats/convert.h"

namespace hearth {

std::span<const std::byte> Converter::convert(const TensorView& view, Dtype dtype) {
  const auto* source = static_cast<const std::byte*>(view.data);
  if (view.type.dtype == dtype) return {source, static_cast<size_t>(view.type.bytes())};
  TensorType out{dtype, view.shape()};
  const int64_t n_rows = view.shape().n_rows(), n = view.shape().last();
  bytes_.resize(static_cast<size_t>(out.bytes()));
  row_.resize(static_cast<size_t>(n));
  for (int64_t i = 0; i < n_rows; ++i) {
    to_float(view.type.dtype, source + i * view.type.row_bytes(), row_.data(), n);
    from_float(dtype, row_.data(), bytes_.data() + i * out.row_bytes(), n);
  }
  return bytes_;
}

}  // namespace hearth
