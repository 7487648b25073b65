// Builds a graph op by op. The first error sticks and is returned by finish(), so model code reads as plain formulas.
//
//   Builder b;
//   Value x = b.input("x", {Dtype::f32, {4, 8}});
//   Value w = b.parameter("w", {Dtype::f32, {16, 8}});
//   b.output(b.silu(b.linear(x, w)));
//   Graph graph = TRY(b.finish());
#pragma once

#include "runtime/graph/graph.h"

namespace hearth {

class Builder {
 public:
  // Leaves asked for again by the same name are the same value.
  Value input(std::string name, TensorType type);
  Value parameter(std::string name, TensorType type);
  Value state(std::string name, TensorType type, StateKind kind);
  void output(Value v);
  void output_none();                         // an output that is not there
  void mark(std::string_view name, Value v);  // see Mark; a null value is an earlier error

  Value apply(std::shared_ptr<const Op> op, std::vector<Value> inputs);  // the op's only output
  std::vector<Value> apply_all(std::shared_ptr<const Op> op, std::vector<Value> inputs);

  // One line per op that model files and gradients use. Shapes: T tokens, C features; see each op's header.
  Value linear(Value x, Value w);  // x [T,K] · w [N,K]ᵀ → [T,N]; w of any weight dtype
  Value matmul(Value a, Value b, bool trans_a, bool trans_b);
  Value gather_rows(Value table, Value ids);  // table [V,C], ids [T] → [T,C] f32
  Value add(Value a, Value b);                // same shape, or b [C] over the rows of a
  Value mul(Value a, Value b);                // same shape
  Value scale(Value x, float factor);
  Value silu(Value x);
  Value gelu(Value x, bool tanh);
  Value tanh(Value x);
  Value swiglu(Value gate, Value up);  // silu(gate) * up, fused
  Value rms_norm(Value x, Value w, float eps);
  Value layer_norm(Value x, Value w, Value b, float eps);
  Value split(Value x, int axis, int64_t inner);  // [.., n, ..] → [.., n / inner, inner, ..]; no bytes move
  Value merge(Value x, int axis);                 // [.., a, b, ..] → [.., a * b, ..]; `axis` is a's
  Value cast(Value x, Dtype to);                  // f32 or bf16; x itself where it is that already
  // rope and attention are built by runtime/architectures/model_builder.h, which knows the model.

  const TensorType& type(Value v) const { return graph_.type(v); }
  void fail(Error error);  // sticks if it is the first
  bool failed() const { return failed_.has_value(); }
  void set_scope(std::string scope) { scope_ = std::move(scope); }
  const Graph& graph() const { return graph_; }
  static Builder continuing(Graph graph);  // appends to an existing graph (rewrites)
  Result<Graph> finish();

 private:
  Value leaf(ValueKind kind, std::string name, TensorType type, StateKind state_kind = StateKind::per_position);

  Graph graph_;
  std::string scope_;
  std::optional<Error> failed_;
};

}  // namespace hearth
