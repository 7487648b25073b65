// Threads that take the next tile until none is left.
#include "model_store/formats/row_tiles.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace hearth {

void for_row_tiles(int64_t n_rows, int64_t tile, const std::function<void(int64_t, int64_t)>& body) {
  constexpr int64_t kTilesWorthAThread = 8;
  const int64_t n_tiles = (n_rows + tile - 1) / tile;
  std::atomic<int64_t> next = 0;
  auto work = [&] {
    for (int64_t i = next++; i < n_tiles; i = next++) body(i * tile, std::min(tile, n_rows - i * tile));
  };
  const auto n_threads = std::min<int64_t>(n_tiles / kTilesWorthAThread, std::thread::hardware_concurrency());
  std::vector<std::jthread> helpers;
  for (int64_t i = 1; i < n_threads; ++i) helpers.emplace_back(work);
  work();
}

}  // namespace hearth
