// Converter: rows of floats, shared among all cores.
#include "model_store/formats/convert.h"

#include "model_store/formats/row_tiles.h"

namespace hearth {

std::span<const std::byte> Converter::convert(const TensorView& view, Dtype dtype) {
  const auto* source = static_cast<const std::byte*>(view.data);
  if (view.type.dtype == dtype) return {source, static_cast<size_t>(view.type.bytes())};
  const TensorType out{dtype, view.shape()};
  const int64_t n = view.shape().last();
  bytes_.resize(static_cast<size_t>(out.bytes()));
  for_row_tiles(view.shape().n_rows(), 16, [&](int64_t first, int64_t n_rows) {
    std::vector<float> row(static_cast<size_t>(n));
    for (int64_t i = first; i < first + n_rows; ++i) {
      to_float(view.type.dtype, source + i * view.type.row_bytes(), row.data(), n);
      from_float(dtype, row.data(), bytes_.data() + i * out.row_bytes(), n);
    }
  });
  return bytes_;
}

}  // namespace hearth
