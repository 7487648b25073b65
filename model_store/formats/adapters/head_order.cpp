#include "model_store/formats/adapters/head_order.h"

#include <cstring>

#include "runtime/architectures/delta_net.h"

namespace hearth {
namespace {

// What was made, and what the rest is still made of.
struct Reordered {
  std::shared_ptr<const void> before;
  std::vector<Tensor> made;
  TensorView keep(Tensor tensor) {
    made.push_back(std::move(tensor));
    return made.back().view();
  }
};

// Row i is row from[i] of what was.
Tensor with_rows(const TensorView& view, const std::vector<int64_t>& from) {
  Tensor out(view.type);
  const auto n_bytes = static_cast<size_t>(view.type.bytes() / view.dim(0));
  auto* to = out.view().as<std::byte>();
  for (size_t i = 0; i < from.size(); ++i)
    std::memcpy(to + i * n_bytes, view.as<std::byte>() + static_cast<size_t>(from[i]) * n_bytes, n_bytes);
  return out;
}

Tensor with_columns(const TensorView& view, const std::vector<int64_t>& from) {
  Tensor out(view.type);
  const size_t n = from.size(), n_bytes = static_cast<size_t>(view.type.row_bytes()) / n;
  for (int64_t row = 0; row < view.dim(0); ++row)
    for (size_t i = 0; i < n; ++i)
      std::memcpy(static_cast<std::byte*>(out.view().row(row)) + i * n_bytes,
                  static_cast<const std::byte*>(view.row(row)) + static_cast<size_t>(from[i]) * n_bytes, n_bytes);
  return out;
}

void reorder(const HeadOrder& order, Reordered& keeper, TensorView& view) {
  view = keeper.keep(order.is_of_columns ? with_columns(view, order.from) : with_rows(view, order.from));
}

void reorder(const HeadOrder& order, Reordered& keeper, LowRankUpdate& update) {
  if (order.is_of_columns) {
    update.a = keeper.keep(with_columns(update.a, order.from));
    return;
  }
  update.b = keeper.keep(with_rows(update.b, order.from));
  if (update.magnitude) update.magnitude = keeper.keep(with_rows(*update.magnitude, order.from));
}

HeadOrder inverse(const HeadOrder& order) {
  HeadOrder out{std::vector<int64_t>(order.from.size()), order.is_of_columns};
  for (size_t i = 0; i < order.from.size(); ++i) out.from[static_cast<size_t>(order.from[i])] = static_cast<int64_t>(i);
  return out;
}

}  // namespace

void to_order_of(const ModelConfig& base, Adapter& adapter) {
  if (!base.recurrent.tiled_heads) return;
  auto keeper = std::make_shared<Reordered>();
  auto change = [&](const std::string& role, auto& what) {
    if (const HeadOrder order = tiled_order(role, base.recurrent); !order.from.empty()) reorder(order, *keeper, what);
  };
  for (auto& [role, updates] : adapter.updates)
    for (LowRankUpdate& update : updates) change(role, update);
  for (auto& [role, view] : adapter.added) change(role, view);
  for (auto& [role, view] : adapter.whole) change(role, view);
  keeper->before = std::move(adapter.keeper);
  adapter.keeper = std::move(keeper);
}

LoraAdapter in_hugging_face_order(const ModelConfig& base, const LoraAdapter& adapter) {
  LoraAdapter out = adapter;
  if (!base.recurrent.tiled_heads) return out;
  auto keeper = std::make_shared<Reordered>();
  for (auto& [name, view] : out.weights) {
    const bool is_a = name.ends_with(".lora_a");
    const std::string role = name.substr(0, name.rfind('.'));
    const HeadOrder order = inverse(tiled_order(role, base.recurrent));
    if (!order.from.empty() && order.is_of_columns == is_a) reorder(order, *keeper, view);
  }
  keeper->before = std::move(out.keeper);
  out.keeper = std::move(keeper);
  return out;
}

}  // namespace hearth
