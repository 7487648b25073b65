// Builder: one line per op, the first error sticks.
#include "runtime/graph/builder.h"

#include "base/check.h"
#include "runtime/ops/add/add.h"
#include "runtime/ops/cast/cast.h"
#include "runtime/ops/gather_rows/gather_rows.h"
#include "runtime/ops/gelu/gelu.h"
#include "runtime/ops/layer_norm/layer_norm.h"
#include "runtime/ops/matmul/matmul.h"
#include "runtime/ops/mul/mul.h"
#include "runtime/ops/rms_norm/rms_norm.h"
#include "runtime/ops/scale/scale.h"
#include "runtime/ops/silu/silu.h"
#include "runtime/ops/split_axis/split_axis.h"
#include "runtime/ops/swiglu/swiglu.h"
#include "runtime/ops/tanh/tanh.h"

namespace hearth {

Value Builder::leaf(ValueKind kind, std::string name, TensorType type, StateKind state_kind) {
  if (Value known = graph_.find(name)) {
    CHECK(graph_.type(known) == type && graph_.info(known).kind == kind);
    return known;
  }
  return graph_.add_leaf(kind, std::move(name), type, state_kind);
}

Value Builder::input(std::string name, TensorType type) {
  return leaf(ValueKind::input, std::move(name), type);
}
Value Builder::parameter(std::string name, TensorType type) {
  return leaf(ValueKind::parameter, std::move(name), type);
}
Value Builder::state(std::string name, TensorType type, StateKind kind) {
  return leaf(ValueKind::state, std::move(name), type, kind);
}

void Builder::mark(std::string_view name, Value v) {
  if (v) graph_.mark(name, v);
}

void Builder::output(Value v) {
  if (!v) return;
  std::vector<Value> outputs = graph_.outputs();
  outputs.push_back(v);
  graph_.set_outputs(std::move(outputs));
}

void Builder::output_none() {
  std::vector<Value> outputs = graph_.outputs();
  outputs.emplace_back();
  graph_.set_outputs(std::move(outputs));
}

std::vector<Value> Builder::apply_all(std::shared_ptr<const Op> op, std::vector<Value> inputs) {
  constexpr size_t kMostOutputs = 8;
  if (failed_) return std::vector<Value>(kMostOutputs);
  for (Value v : inputs)
    if (!v) {
      fail(error(Code::internal, "{} got a null operand", op->name()));
      return std::vector<Value>(kMostOutputs);
    }
  auto outputs = graph_.add_node(std::move(op), std::move(inputs), scope_);
  if (outputs) return std::move(outputs).value();
  fail(std::move(outputs).error());
  return std::vector<Value>(kMostOutputs);
}

Value Builder::apply(std::shared_ptr<const Op> op, std::vector<Value> inputs) {
  return apply_all(std::move(op), std::move(inputs))[0];
}

Value Builder::linear(Value x, Value w) {
  return matmul(x, w, false, true);
}
Value Builder::matmul(Value a, Value b, bool trans_a, bool trans_b) {
  return apply(std::make_shared<Matmul>(trans_a, trans_b), {a, b});
}
Value Builder::gather_rows(Value table, Value ids) {
  return apply(std::make_shared<GatherRows>(0), {table, ids});
}
Value Builder::add(Value a, Value b) {
  return apply(std::make_shared<Add>(), {a, b});
}
Value Builder::mul(Value a, Value b) {
  return apply(std::make_shared<Mul>(), {a, b});
}
Value Builder::scale(Value x, float factor) {
  return apply(std::make_shared<Scale>(factor), {x});
}
Value Builder::silu(Value x) {
  return apply(std::make_shared<Silu>(), {x});
}
Value Builder::gelu(Value x, bool tanh) {
  return apply(std::make_shared<Gelu>(tanh), {x});
}
Value Builder::tanh(Value x) {
  return apply(std::make_shared<Tanh>(), {x});
}
Value Builder::swiglu(Value gate, Value up) {
  return apply(std::make_shared<Swiglu>(), {gate, up});
}
Value Builder::rms_norm(Value x, Value w, float eps) {
  return apply(std::make_shared<RmsNorm>(eps), {x, w});
}
Value Builder::layer_norm(Value x, Value w, Value b, float eps) {
  return apply(std::make_shared<LayerNorm>(eps), {x, w, b});
}
Value Builder::split(Value x, int axis, int64_t inner) {
  return apply(std::make_shared<SplitAxis>(axis, inner), {x});
}
Value Builder::merge(Value x, int axis) {
  return apply(std::make_shared<MergeAxes>(axis), {x});
}

Value Builder::cast(Value x, Dtype to) {
  if (!x || type(x).dtype == to) return x;
  return apply(std::make_shared<Cast>(to), {x});
}

void Builder::fail(Error error) {
  if (!failed_) failed_ = std::move(error);
}

Builder Builder::continuing(Graph graph) {
  Builder builder;
  builder.graph_ = std::move(graph);
  return builder;
}

Result<Graph> Builder::finish() {
  if (failed_) return *std::move(failed_);
  return std::move(graph_);
}

}  // namespace hearth
