// Graph: values, nodes, cost and a printed form.
#include "runtime/graph/graph.h"

#include "base/check.h"

namespace hearth {

Value Graph::find(std::string_view name) const {
  for (size_t i = 0; i < values_.size(); ++i)
    if (values_[i].kind != ValueKind::computed && values_[i].name == name) return Value{static_cast<int>(i)};
  return {};
}

std::vector<Value> Graph::marked(std::string_view name) const {
  std::vector<Value> out;
  for (const Mark& mark : marks_)
    if (mark.name == name) out.push_back(mark.value);
  return out;
}

Value Graph::add_leaf(ValueKind kind, std::string name, TensorType type, StateKind state_kind) {
  CHECK(kind != ValueKind::computed);
  values_.push_back({type, kind, std::move(name), -1, state_kind});
  return Value{static_cast<int>(values_.size()) - 1};
}

void Graph::make_state(Value parameter, StateKind state_kind) {
  ValueInfo& info = values_[static_cast<size_t>(parameter.id)];
  CHECK(info.kind == ValueKind::parameter);
  info.kind = ValueKind::state;
  info.state_kind = state_kind;
}

void Graph::lay_out(Value parameter, Layout layout) {
  ValueInfo& info = values_[static_cast<size_t>(parameter.id)];
  CHECK(info.kind == ValueKind::parameter);
  info.type.layout = layout;
}

bool writes_state(const Node& node) {
  for (int i = 0; i < static_cast<int>(node.outputs.size()); ++i)
    if (node.op->version_of(i) >= 0) return true;
  return !node.op->mutated_inputs().empty();
}

Result<std::vector<Value>> Graph::add_node(std::shared_ptr<const Op> op, std::vector<Value> inputs, std::string scope) {
  std::vector<TensorType> types;
  for (Value v : inputs) {
    CHECK(v.id >= 0 && v.id < static_cast<int>(values_.size()));
    types.push_back(type(v));
  }
  for (int i : op->mutated_inputs()) CHECK(info(inputs[static_cast<size_t>(i)]).kind == ValueKind::state);
  const std::vector<TensorType> output_types = TRY_WITH(op->infer(types), "in {}", scope.empty() ? "the graph" : scope);
  std::vector<Value> outputs;
  for (const TensorType& output : output_types) {
    outputs.push_back(Value{static_cast<int>(values_.size())});
    values_.push_back({output, ValueKind::computed, "", static_cast<int>(nodes_.size())});
  }
  nodes_.push_back({std::move(op), std::move(inputs), outputs, std::move(scope)});
  return outputs;
}

Cost Graph::cost() const {
  Cost total;
  for (const Node& node : nodes_) {
    std::vector<TensorType> in, out;
    for (Value v : node.inputs) in.push_back(type(v));
    for (Value v : node.outputs) out.push_back(type(v));
    const Cost c = node.op->cost(in, out);
    total.flops += c.flops;
    total.bytes_read += c.bytes_read;
    total.bytes_written += c.bytes_written;
  }
  return total;
}

std::string Graph::to_string() const {
  auto label = [&](Value v) { return info(v).name.empty() ? "%" + std::to_string(v.id) : info(v).name; };
  auto list = [&](const std::vector<Value>& values) {
    std::string out;
    for (Value v : values) out += (out.empty() ? "" : ", ") + label(v);
    return out;
  };
  std::string out;
  for (const Node& node : nodes_) {
    const std::string attributes = node.op->attributes();
    out += fmt::format("{} = {}({}){} : {}\n", list(node.outputs), node.op->name(), list(node.inputs),
                       attributes.empty() ? "" : " {" + attributes + "}",
                       node.outputs.empty() ? "nothing" : type(node.outputs[0]).to_string());
  }
  return out;
}

}  // namespace hearth
