// Weights of small integers into blocks of ours.
#include "model_store/formats/quantised/parts.h"
#include "runtime/tensor/codecs/all.h"

namespace hearth::quantised {
namespace {

Dtype smallest_exact(const IntegerWeight& w) {
  if (!w.group_of.empty()) return Dtype::f32;
  if (w.scales_are_halves && w.group % 32 == 0 && w.cols % 32 == 0) {
    if (w.low >= -8 && w.high <= 7) return Dtype::q4_0;
    if (w.low >= -16 && w.high <= 15) return Dtype::q5_0;
    if (w.low >= -128 && w.high <= 127) return Dtype::q8_0;
  }
  const bool is_bytes = w.low >= -128 && w.high <= 127;
  return is_bytes && w.group % 128 == 0 && w.cols % 128 == 0 ? Dtype::i8x128 : Dtype::f32;
}

void put(const int16_t* levels, float scale, BlockQ4_0& block) {
  block.scale = float_to_f16(scale);
  for (int i = 0; i < 16; ++i) block.q[i] = static_cast<uint8_t>((levels[i] + 8) | (levels[i + 16] + 8) << 4);
}

void put(const int16_t* levels, float scale, BlockQ5_0& block) {
  block.scale = float_to_f16(scale);
  for (uint8_t& high : block.high) high = 0;
  for (int i = 0; i < 32; ++i)
    block.high[i / 8] = static_cast<uint8_t>(block.high[i / 8] | ((levels[i] + 16) >> 4) << (i % 8));
  for (int i = 0; i < 16; ++i)
    block.q[i] = static_cast<uint8_t>(((levels[i] + 16) & 15) | ((levels[i + 16] + 16) & 15) << 4);
}

void put(const int16_t* levels, float scale, BlockQ8_0& block) {
  block.scale = float_to_f16(scale);
  for (int i = 0; i < 32; ++i) block.q[i] = static_cast<int8_t>(levels[i]);
}

void put(const int16_t* levels, float scale, BlockI8x128& block) {
  block.scale = scale;
  for (int i = 0; i < 128; ++i) block.q[i] = static_cast<int8_t>(levels[i]);
}

template <Dtype dtype>
void put_row(const IntegerWeight& w, int64_t row, const int16_t* levels, std::byte* out) {
  using C = Codec<dtype>;
  auto* blocks = reinterpret_cast<typename C::Block*>(out) + row * (w.cols / C::kElements);
  for (int64_t k = 0; k < w.cols; k += C::kElements)
    put(levels + k, w.scale(row, k / w.group), blocks[k / C::kElements]);
}

void put_floats(const IntegerWeight& w, int64_t row, const int16_t* levels, std::byte* out) {
  auto* values = reinterpret_cast<float*>(out) + row * w.cols;
  for (int64_t k = 0; k < w.cols; ++k) {
    const int64_t group = w.group_of.empty() ? k / w.group : w.group_of[static_cast<size_t>(k)];
    values[k] = w.scale(row, group) * static_cast<float>(levels[k]);
  }
}

void put_any(Dtype dtype, const IntegerWeight& w, int64_t row, const int16_t* levels, std::byte* out) {
  switch (dtype) {
    case Dtype::q4_0:
      return put_row<Dtype::q4_0>(w, row, levels, out);
    case Dtype::q5_0:
      return put_row<Dtype::q5_0>(w, row, levels, out);
    case Dtype::q8_0:
      return put_row<Dtype::q8_0>(w, row, levels, out);
    case Dtype::i8x128:
      return put_row<Dtype::i8x128>(w, row, levels, out);
    default:
      return put_floats(w, row, levels, out);
  }
}

}  // namespace

void add_integer_weight(Gatherer& out, const std::string& name, IntegerWeight weight) {
  const Dtype dtype = smallest_exact(weight);
  const std::vector<int64_t> shape = {weight.rows, weight.cols};
  out.add(name, dtype, shape, [w = std::move(weight), dtype](std::byte* bytes) -> Result<void> {
    for_row_tiles(w.rows, kTileRows, [&](int64_t first, int64_t n) {
      std::vector<int16_t> levels(static_cast<size_t>(n * w.cols));
      w.levels(first, n, levels.data());
      for (int64_t i = 0; i < n; ++i) put_any(dtype, w, first + i, levels.data() + i * w.cols, bytes);
    });
    return {};
  });
}

}  // namespace hearth::quantised
