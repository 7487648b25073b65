// Row permutations between the two orders of rotary projections.
#include "model_store/formats/rope_rows.h"

#include <cstring>

namespace hearth {
namespace {

// use(row in GGUF, row here)
template <class Use>
void each_row(int64_t n_heads, int64_t head_dim, Use use) {
  for (int64_t head = 0; head < n_heads; ++head)
    for (int64_t half = 0; half < 2; ++half)
      for (int64_t i = 0; i < head_dim / 2; ++i)
        use(head * head_dim + i * 2 + half, head * head_dim + half * (head_dim / 2) + i);
}

}  // namespace

void rope_rows_from_gguf(const std::byte* source, std::byte* out, int64_t n_heads, int64_t head_dim,
                         int64_t row_bytes) {
  each_row(n_heads, head_dim, [&](int64_t there, int64_t here) {
    std::memcpy(out + here * row_bytes, source + there * row_bytes, row_bytes);
  });
}

void rope_rows_to_gguf(const std::byte* source, std::byte* out, int64_t n_heads, int64_t head_dim, int64_t row_bytes) {
  each_row(n_heads, head_dim, [&](int64_t there, int64_t here) {
    std::memcpy(out + there * row_bytes, source + here * row_bytes, row_bytes);
  });
}

}  // namespace hearth
