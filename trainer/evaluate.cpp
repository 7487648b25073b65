// See evaluate.h.
#include "trainer/evaluate.h"

#include <algorithm>

namespace hearth::train {

Result<std::optional<double>> held_out_loss(Stepper& stepper, Loader& held_out, int rows_per_batch, int max_rows) {
  const int64_t n_rows = std::min<int64_t>(held_out.n_rows(), max_rows);
  Batch batch;
  double sum = 0;
  int64_t n_learned = 0;
  for (int64_t row = 0; row < n_rows; row += rows_per_batch) {
    held_out.rows_at(row, n_rows, rows_per_batch, batch);
    if (batch.n_learned == 0) continue;
    const double loss = TRY(stepper.forward(batch, 1.0 / static_cast<double>(batch.n_learned)));
    sum += loss * static_cast<double>(batch.n_learned);
    n_learned += batch.n_learned;
  }
  if (n_learned == 0) return std::optional<double>();
  return std::optional(sum / static_cast<double>(n_learned));
}

}  // namespace hearth::train
