// AWQ in its "gemm" packing: qweight [in, out / 8] and qzeros [groups, out / 8] pack eight neighbouring outputs in the
// order 0 2 4 6 1 3 5 7; scales [groups, out].
#include "model_store/formats/quantised/parts.h"

namespace hearth::quantised {
namespace {

int nibble(uint32_t word, int64_t output) {
  constexpr int kPlace[8] = {0, 4, 1, 5, 2, 6, 3, 7};  // where output i of eight lies
  return static_cast<int>((word >> (4 * kPlace[output % 8])) & 15u);
}

Result<void> add_weight(Gatherer& out, const std::string& name) {
  const StoredTensor* q = TRY(out.take_required(name + ".qweight"));
  const StoredTensor* zeros = TRY(out.take_required(name + ".qzeros"));
  const StoredTensor* scale = TRY(out.take_required(name + ".scales"));
  TRY(require_dtype(*q, {"I32"}));
  TRY(require_dtype(*zeros, {"I32"}));
  if (q->shape.size() != 2 || scale->shape.size() != 2 || q->n_elements() == 0 || scale->n_elements() == 0)
    return error(Code::data_loss, "\"{}\": packed weights and scales must be matrices", name);
  IntegerWeight w;
  w.cols = q->shape[0], w.rows = q->shape[1] * 8;
  const int64_t n_groups = scale->shape[0], rows = w.rows, cols = w.cols;
  if (cols % n_groups != 0) return error(Code::data_loss, "\"{}\" has {} groups for {} inputs", name, n_groups, cols);
  w.group = cols / n_groups;
  TRY(require_shape(*zeros, {n_groups, rows / 8}));
  TRY(require_shape(*scale, {n_groups, rows}));
  const Scales scales = TRY(Scales::of(*scale));
  const Words packed(*q), packed_zeros(*zeros);
  auto zero = [=](int64_t g, int64_t n) { return nibble(packed_zeros[g * (rows / 8) + n / 8], n); };
  w.low = -15, w.high = 15;
  w.scales_are_halves = scales.are_halves();
  w.scale = [scales, rows](int64_t row, int64_t group) { return scales[group * rows + row]; };
  w.levels = [=, group = w.group](int64_t first, int64_t n, int16_t* levels) {
    for (int64_t k = 0; k < cols; ++k)
      for (int64_t i = 0; i < n; ++i) {
        const int64_t row = first + i;
        levels[i * cols + k] =
            static_cast<int16_t>(nibble(packed[k * (rows / 8) + row / 8], row) - zero(k / group, row));
      }
  };
  add_integer_weight(out, name + ".weight", std::move(w));
  return {};
}

}  // namespace

Result<void> gather_awq(Gatherer& out, const Json& config) {
  const auto bits = TRY(json_get_or<int64_t>(config, "bits", 4));
  const auto version = TRY(json_get_or<std::string>(config, "version", "gemm"));
  if (bits != 4) return error(Code::unimplemented, "AWQ with {} bits is not supported; 4 is", bits);
  if (version != "gemm" && version != "GEMM")
    return error(Code::unimplemented, "AWQ weights packed as \"{}\" are not supported; \"gemm\" is", version);
  for (const std::string& name : out.with_ending(".qweight")) TRY(add_weight(out, name));
  return {};
}

}  // namespace hearth::quantised
