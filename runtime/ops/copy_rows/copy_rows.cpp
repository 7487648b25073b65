// copy_rows: rules.
#include "runtime/ops/copy_rows/copy_rows.h"

#include <cstring>

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view CopyRows::name() const {
  return "copy_rows";
}
std::string CopyRows::attributes() const {
  return "";
}

Result<std::vector<TensorType>> CopyRows::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"state", Accept::cache, 0}, {"from", Accept::i32, 1}, {"to", Accept::i32, 1}}));
  if (inputs[0].shape.rank() < 2)
    return shape_error(name(), "state", "rows of at least one axis", inputs[0].to_string());
  TRY(check_same_shape(name(), inputs, 1, 2));
  return std::vector<TensorType>{};
}

void CopyRows::reference(Views inputs, Views) const {
  const int64_t n_rows = inputs[0].dim(0), bytes = n_rows > 0 ? inputs[0].type.bytes() / n_rows : 0;
  const auto is_row = [&](int64_t row) { return row >= 0 && row < n_rows; };
  for (int64_t i = 0; i < inputs[1].dim(0); ++i) {
    const int64_t from = inputs[1].i32()[i], to = inputs[2].i32()[i];
    if (is_row(from) && is_row(to))
      std::memmove(inputs[0].as<std::byte>() + to * bytes, inputs[0].as<std::byte>() + from * bytes,
                   static_cast<size_t>(bytes));
  }
}

Result<std::vector<Value>> CopyRows::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it writes to a state; training keeps none");
}

// Any axis within a row; rows are counted over all of them.
ShardingRule CopyRows::sharding(Types inputs) const {
  ShardingRule rule{{{""}, {""}, {""}}, {}};
  for (int axis = 1; axis < inputs[0].shape.rank(); ++axis) {
    rule.cuts.push_back(fmt::format("a{}", axis));
    rule.inputs[0].emplace_back(rule.cuts.back());
  }
  return rule;
}

Cost CopyRows::cost(Types inputs, Types) const {
  const double n = static_cast<double>(inputs[1].shape[0]), n_rows = static_cast<double>(inputs[0].shape[0]);
  const double bytes = n_rows > 0 ? n * static_cast<double>(inputs[0].bytes()) / n_rows : 0;
  return {0, bytes + 8 * n, bytes};
}

std::vector<Sample> CopyRows::samples() {
  auto op = std::make_shared<CopyRows>();
  return sample_list(
      make_sample("pages_f16", op, {}, random_weights(Dtype::f16, {5, 12, 24, 12}, 1), ids_tensor({3, 0}),
                  ids_tensor({1, 4})),
      make_sample("pages_bf16", op, {}, random_weights(Dtype::bf16, {4, 3, 7, 5}, 2), ids_tensor({2}), ids_tensor({0})),
      // A row that was copied is copied on; one becomes itself; padding.
      make_sample("in_order", op, {}, random_tensor({6, 12, 36}, 3), ids_tensor({0, 1, -1, 5, 4, 6}),
                  ids_tensor({1, 2, 3, -1, 4, 0})),
      make_sample("narrow", op, {}, random_tensor({9, 12}, 4), ids_tensor({8, 3, 8}), ids_tensor({0, 8, 1})));
}

}  // namespace hearth
