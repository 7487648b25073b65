// Rows shared among all cores: for converting and decoding weights.
#pragma once

#include <cstdint>
#include <functional>

namespace hearth {

// body(first, n) for tiles of at most `tile` of n_rows rows; from several threads where there are enough of them.
void for_row_tiles(int64_t n_rows, int64_t tile, const std::function<void(int64_t first, int64_t n)>& body);

}  // namespace hearth
