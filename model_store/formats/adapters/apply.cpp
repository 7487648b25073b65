// Merging: the base's weights become what PEFT's merge_and_unload makes of them.
#include <cmath>
#include <vector>

#include "model_store/formats/adapters/adapter.h"
#include "model_store/formats/row_tiles.h"

namespace hearth {
namespace {

constexpr int64_t kMergedTileRows = 32;

struct MergedModel {
  std::shared_ptr<const void> base, adapter;
  std::vector<Tensor> weights;
};

void add_update_to_row(const LowRankUpdate& update, int64_t row, int64_t n_in, float* out) {
  const int64_t rank = update.a.dim(0);
  for (int64_t r = 0; r < rank; ++r) {
    const float factor = update.scale * update.b.f32()[row * rank + r];
    const float* a = update.a.f32() + r * n_in;
    for (int64_t i = 0; i < n_in; ++i) out[i] += factor * a[i];
  }
  if (!update.magnitude) return;
  double sum = 0;
  for (int64_t i = 0; i < n_in; ++i) sum += static_cast<double>(out[i]) * out[i];
  const float factor = sum > 0 ? update.magnitude->f32()[row] / static_cast<float>(std::sqrt(sum)) : 0;
  for (int64_t i = 0; i < n_in; ++i) out[i] *= factor;
}

// An adapter may change the output matrix of a model that has none of its own, or the embedding but not the output:
// from here on they are two.
Result<void> untie(const Adapter& adapter, LoadedModel& base) {
  if (!base.config.tied_embeddings || !(adapter.changes("lm_head") || adapter.changes("embed"))) return {};
  base.config.tied_embeddings = false;
  base.parameters = TRY(find_architecture(base.config.family))->parameters(base.config);
  base.weights["lm_head"] = base.weights.at("embed");
  return {};
}

}  // namespace

bool Adapter::changes(std::string_view role) const {
  return updates.contains(role) || whole.contains(role) || added.contains(role);
}

Dtype merged_dtype(const TensorType& base) {
  if (!dtype_info(base.dtype).is_quantised) return base.dtype;
  return base.shape.last() % dtype_info(Dtype::q8_0).block_elements == 0 ? Dtype::q8_0 : Dtype::f32;
}

Tensor merged_weight(const TensorView& weight, const std::vector<LowRankUpdate>& updates, Dtype to) {
  Tensor out({to, weight.shape()});
  const int64_t n_in = weight.shape().last();
  for_row_tiles(weight.shape().n_rows(), kMergedTileRows, [&](int64_t first, int64_t n) {
    std::vector<float> row(static_cast<size_t>(n_in));
    for (int64_t i = first; i < first + n; ++i) {
      to_float(weight.type.dtype, weight.row(i), row.data(), n_in);
      for (const LowRankUpdate& update : updates)
        if (i >= update.first_row && i < update.first_row + update.b.dim(0))
          add_update_to_row(update, i - update.first_row, n_in, row.data());
      from_float(to, row.data(), out.view().row(i), n_in);
    }
  });
  return out;
}

Result<void> apply_adapter(Adapter adapter, LoadedModel& base) {
  TRY(untie(adapter, base));
  auto merged = std::make_shared<MergedModel>();
  for (const auto& [role, view] : adapter.whole) base.weights.at(role) = view, base.mapped.erase(role);
  for (const auto& [role, updates] : adapter.updates) {
    TensorView& weight = base.weights.at(role);
    merged->weights.push_back(merged_weight(weight, updates, merged_dtype(weight.type)));
    weight = merged->weights.back().view();
    base.mapped.erase(role);
    base.copied_bytes += static_cast<uint64_t>(weight.type.bytes());
  }
  for (const auto& [role, added] : adapter.added) {
    Tensor sum = to_f32(base.weights.at(role));
    for (int64_t i = 0; i < sum.type().shape.n_elements(); ++i) sum.f32()[i] += added.f32()[i];
    merged->weights.push_back(std::move(sum));
    base.weights.at(role) = merged->weights.back().view();
    base.mapped.erase(role);
  }
  base.size_bytes = weight_bytes(base);
  merged->base = std::move(base.keeper);
  merged->adapter = std::move(adapter.keeper);
  base.keeper = std::move(merged);
  return {};
}

Result<void> apply_adapter_types(const Adapter& adapter, LoadedModel& base) {
  TRY(untie(adapter, base));
  for (const auto& [role, view] : adapter.whole) base.weights.at(role).type = view.type;
  for (const auto& [role, updates] : adapter.updates)
    base.weights.at(role).type.dtype = merged_dtype(base.weights.at(role).type);
  for (const auto& [role, added] : adapter.added) base.weights.at(role).type.dtype = Dtype::f32;
  base.size_bytes = weight_bytes(base);
  return {};
}

}  // namespace hearth
