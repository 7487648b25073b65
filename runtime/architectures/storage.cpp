// Storage: its parts, and the order of its rows.
#include "runtime/architectures/storage.h"

#include <numeric>

#include "base/check.h"

namespace hearth {

Storage Storage::rows(int64_t first, int64_t total, int64_t step) const {
  Storage out = *this;
  out.first_row = first, out.n_rows = total, out.row_step = step;
  return out;
}
Storage Storage::rope(int n_heads, int rotated, int begin) const {
  Storage out = *this;
  out.rope_heads = n_heads, out.rotary_dim = rotated, out.rotary_begin = begin;
  return out;
}
Storage Storage::each_of(int n) const {
  Storage out = *this;
  out.n_parts = n;
  return out;
}
Storage Storage::transposed() const {
  Storage out = *this;
  out.is_transposed = true;
  return out;
}
Storage Storage::joined() const {
  Storage out = *this;
  out.is_joined = true;
  return out;
}
Storage Storage::in_blocks(int64_t n) const {
  Storage out = *this;
  out.row_block = n;
  return out;
}
Storage Storage::shaped(std::vector<int64_t> whole) const {
  Storage out = *this;
  out.shape = std::move(whole);
  return out;
}
Storage Storage::negative_exp() const {
  Storage out = *this;
  out.is_negative_exp = true;
  return out;
}
Storage Storage::plus(float value) const {
  Storage out = *this;
  out.offset = value;
  return out;
}

std::string Storage::part_name(int part) const {
  if (n_parts == 0) return name;
  const size_t at = name.find("{}");
  CHECK(at != std::string::npos);  // a family's table names parts without saying where their number stands
  return name.substr(0, at) + std::to_string(part) + name.substr(at + 2);
}

std::vector<int64_t> Storage::row_map(int64_t n) const {
  std::vector<int64_t> out(static_cast<size_t>(n));
  std::iota(out.begin(), out.end(), int64_t{0});
  if (rope_heads > 0) {
    CHECK(n % rope_heads == 0);
    const int64_t head_dim = n / rope_heads, rotated = rotary_dim > 0 ? rotary_dim : head_dim, half = rotated / 2;
    for (int64_t head = 0; head < rope_heads; ++head)
      for (int64_t i = 0; i < rotated; ++i) {
        const int64_t begin = head * head_dim + rotary_begin;
        out[static_cast<size_t>(begin + i)] = begin + (i % half) * 2 + i / half;
      }
  }
  if (n_rows > 0)
    for (int64_t& row : out) row = first_row + row / row_block * row_step + row % row_block;
  return out;
}

}  // namespace hearth
