// gather_rows and scatter_add_rows: rules.
#include "runtime/ops/gather_rows/gather_rows.h"

#include <algorithm>

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view GatherRows::name() const {
  return "gather_rows";
}
std::string GatherRows::attributes() const {
  return fmt::format("row_begin={}{}", row_begin, to == Dtype::f32 ? "" : fmt::format(" to={}", dtype_info(to).name));
}

Result<std::vector<TensorType>> GatherRows::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"table", Accept::weight, 2}, {"ids", Accept::i32, 1}}));
  if (to != Dtype::f32 && to != Dtype::bf16) return shape_error(name(), "y", "f32 or bf16", dtype_info(to).name);
  return std::vector{TensorType{to, {inputs[1].shape[0], inputs[0].shape[1]}}};
}

void GatherRows::reference(Views inputs, Views outputs) const {
  const TensorView& table = inputs[0];
  const int64_t n = table.dim(1);
  for (int64_t t = 0; t < inputs[1].dim(0); ++t) {
    const int64_t row = inputs[1].i32()[t] - row_begin;
    float* out = outputs[0].f32() + t * n;
    if (row >= 0 && row < table.dim(0))
      to_float(table.type.dtype, table.row(row), out, n);
    else
      std::fill(out, out + n, 0.0f);
  }
}

Result<std::vector<Value>> GatherRows::gradient(GradientBuilder& g) const {
  const TensorType& table = g.b.type(g.input(0));
  if (!g.needs(0)) return std::vector{Value(), Value()};
  const bool is_computed = g.b.graph().info(g.input(0)).kind == ValueKind::computed;
  if (table.dtype != Dtype::f32 && !(is_computed && table.dtype == Dtype::bf16))
    return not_differentiable(name(), "the table is frozen (" + table.to_string() + "); only f32 tables are trained");
  return std::vector{g.b.apply(std::make_shared<ScatterAddRows>(table.shape[0], row_begin), {g.input(1), g.grad()}),
                     Value()};
}

ShardingRule GatherRows::sharding(Types) const {
  Alternative by_row;  // each row of the output comes from one part of the table
  by_row.axis = "vocabulary";
  by_row.inputs = {{Spread::cut, 0, 1}, {}};
  by_row.outputs = {{Spread::owned}};
  by_row.owner = 1;
  by_row.local = [at = row_begin, type = to](int64_t begin, int64_t) {
    return std::make_shared<GatherRows>(at + begin, type);
  };
  return {{{"", "model"}, {"position"}}, {{"position", "model"}}, {"position", "model"}, {}, {{0}}, false, {by_row}};
}

Cost GatherRows::cost(Types inputs, Types outputs) const {
  const double rows = static_cast<double>(inputs[1].shape[0]);
  return {0, rows * (static_cast<double>(inputs[0].row_bytes()) + 4), static_cast<double>(outputs[0].bytes())};
}

std::vector<Sample> GatherRows::samples() {
  auto op = std::make_shared<GatherRows>(0);
  std::vector<Sample> out =
      sample_list(make_sample("f32", op, {0}, random_tensor({12, 32}, 1), ids_tensor({3, 0, 11, 3})),
                  make_sample("cut", op, {}, random_tensor({12, 36}, 3), random_ids(12, 12, 4)));
  for (Dtype dtype : weight_dtypes())
    if (dtype != Dtype::f32)
      out.push_back(
          make_sample(dtype_info(dtype).name, op, {}, random_weights(dtype, {12, 512}, 2), ids_tensor({3, 0, 11, 3})));
  return out;
}

std::string_view ScatterAddRows::name() const {
  return "scatter_add_rows";
}
std::string ScatterAddRows::attributes() const {
  return fmt::format("n_rows={} row_begin={}", n_rows, row_begin);
}

Result<std::vector<TensorType>> ScatterAddRows::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"ids", Accept::i32, 1}, {"dy", Accept::f32, 2}}));
  if (inputs[0].shape[0] != inputs[1].shape[0])
    return shape_error(name(), "dy", "one row per id", inputs[0].to_string() + " and " + inputs[1].to_string());
  return std::vector{TensorType{Dtype::f32, {n_rows, inputs[1].shape[1]}}};
}

void ScatterAddRows::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[1].dim(1);
  std::fill(outputs[0].f32(), outputs[0].f32() + n_rows * n, 0.0f);
  for (int64_t t = 0; t < inputs[0].dim(0); ++t) {
    const int64_t row = inputs[0].i32()[t] - row_begin;
    if (row < 0 || row >= n_rows) continue;
    for (int64_t c = 0; c < n; ++c) outputs[0].f32()[row * n + c] += inputs[1].f32()[t * n + c];
  }
}

Result<std::vector<Value>> ScatterAddRows::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "only gradients use it");
}
ShardingRule ScatterAddRows::sharding(Types) const {
  ShardingRule rule{
      {{"position"}, {"position", "model"}}, {{"vocabulary", "model"}}, {"vocabulary", "position", "model"}, {}, {{1}}};
  rule.local["vocabulary"] = [at = row_begin](int64_t begin, int64_t end) {
    return std::make_shared<ScatterAddRows>(end - begin, at + begin);
  };
  return rule;
}

Cost ScatterAddRows::cost(Types inputs, Types outputs) const {
  return streaming_cost(static_cast<double>(inputs[1].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> ScatterAddRows::samples() {
  return sample_list(make_sample("repeats", std::make_shared<ScatterAddRows>(10, 0), {}, ids_tensor({3, 0, 9, 3, 3, 1}),
                                 random_tensor({6, 36}, 1)),
                     make_sample("shard", std::make_shared<ScatterAddRows>(5, 5), {}, ids_tensor({3, 0, 9, 5, 6, 1}),
                                 random_tensor({6, 36}, 1)),
                     make_sample("cut", std::make_shared<ScatterAddRows>(10, 0), {}, random_ids(12, 10, 2),
                                 random_tensor({12, 36}, 3)));
}

}  // namespace hearth
