// The row order of rotary projections in GGUF files of the llama family, and ours.
// There, the two numbers that are rotated together are neighbours: row (head, i, half). Here, as in Hugging Face files,
// the halves are apart: row (head, half, i).
#pragma once

#include <cstddef>
#include <cstdint>

namespace hearth {

// Copies n_heads * head_dim rows of row_bytes each.
void rope_rows_from_gguf(const std::byte* source, std::byte* out, int64_t n_heads, int64_t head_dim, int64_t row_bytes);
void rope_rows_to_gguf(const std::byte* source, std::byte* out, int64_t n_heads, int64_t head_dim, int64_t row_bytes);

}  // namespace hearth
