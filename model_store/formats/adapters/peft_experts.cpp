#include "model_store/formats/adapters/peft_experts.h"

#include <cstring>

namespace hearth {
namespace {

// Whether A goes with the rows and B with the columns: a PEFT that took [E, out, in] for [E, in, out].
Result<bool> is_turned(const ExpertChange& change, int64_t n_rows, int64_t n_in, bool is_transposed) {
  const int64_t of_a = change.a.dim(1), of_b = change.b.dim(0);
  const bool fits = of_a == n_in && of_b == n_rows, fits_turned = of_a == n_rows && of_b == n_in && !is_transposed;
  if (!fits && !fits_turned)
    return error(Code::data_loss,
                 "lora_A and lora_B go from {} to {}, expected {} to {}: the adapter belongs to another model, or is "
                 "damaged",
                 of_a, of_b, n_in, n_rows);
  if (fits && fits_turned && !change.swaps)
    return error(Code::unimplemented,
                 "the experts are square, and an adapter of this version of PEFT does not tell which side is which; "
                 "merge it into its base with PEFT and import the merged model");
  return !fits;
}

}  // namespace

Result<std::pair<Tensor, Tensor>> expert_factors(const ExpertChange& change, const Shape& role, const Storage& storage,
                                                 int64_t e) {
  for (const TensorView* side : {&change.a, &change.b})
    if (side->type.shape.rank() != 2)
      return error(Code::data_loss, "lora_A or lora_B of the experts has {} dimensions, expected 2: it is damaged",
                   side->type.shape.rank());
  const int64_t n_experts = role[0], n_out = role[1], n_in = role[2], rank = change.rank;
  if (change.a.dim(0) != n_experts * rank || change.b.dim(1) != n_experts * rank)
    return error(Code::data_loss,
                 "lora_A has {} rows and lora_B {} columns, expected {}: rank {} for each of {} experts",
                 change.a.dim(0), change.b.dim(1), n_experts * rank, rank, n_experts);
  const bool turned = TRY(is_turned(change, storage.n_rows > 0 ? storage.n_rows : n_out, n_in, storage.is_transposed));
  // One number of A and B for a rank of this expert.
  auto from_a = [&](int64_t r, int64_t i) { return change.a.f32()[(e * rank + r) * change.a.dim(1) + i]; };
  auto from_b = [&](int64_t r, int64_t i) { return change.b.f32()[i * n_experts * rank + r * n_experts + e]; };
  const std::vector<int64_t> rows = storage.row_map(n_out);
  Tensor a({Dtype::f32, {rank, n_in}}), b({Dtype::f32, {n_out, rank}});
  for (int64_t r = 0; r < rank; ++r) {
    for (int64_t i = 0; i < n_in; ++i) a.f32()[r * n_in + i] = turned ? from_b(r, i) : from_a(r, i);
    for (int64_t i = 0; i < n_out; ++i) {
      const int64_t row = rows[static_cast<size_t>(i)];
      b.f32()[i * rank + r] = turned ? from_a(r, row) : from_b(r, row);
    }
  }
  return std::pair(std::move(a), std::move(b));
}

}  // namespace hearth
