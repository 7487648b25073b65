// The graph: a pure list of ops in execution order over typed values. Data, not behaviour; rewrites make new graphs.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/ops/op.h"

namespace hearth {

// A handle into one graph. Null (id -1) means "none".
struct Value {
  int id = -1;
  explicit operator bool() const { return id >= 0; }
  bool operator==(const Value&) const = default;
};

enum class ValueKind {
  input,      // filled by the caller before each run
  parameter,  // bound once, read-only
  state,      // bound once, may be written by ops that say so (KV pages)
  computed,   // the output of a node
};

// What a state holds: the engine that owns it sizes it, and cuts and re-uses sequences, by this alone.
enum class StateKind {
  per_position,  // [n_pages, ...]: pages of positions; a sequence may be cut at any position
  per_sequence,  // [n_seqs, ...]: what a recurrence made of all tokens so far; it cannot go back. The op that writes it
                 // starts from zeros at position 0
  per_parameter,  // of training: a parameter, its means, its gradient
};

struct ValueInfo {
  TensorType type;
  ValueKind kind = ValueKind::computed;
  std::string name;  // of inputs, parameters and states: unique; of computed values: empty
  int node = -1;     // producer, -1 unless computed
  StateKind state_kind = StateKind::per_position;  // of states
};

struct Node {
  std::shared_ptr<const Op> op;
  std::vector<Value> inputs, outputs;
  std::string scope;  // "layers.3", "head", ... where in the model; "backward" parts end in ".grad"
};

// A value that later rewrites look for by name; it follows that value through the rewrites before them.
struct Mark {
  std::string name;
  Value value;
};

bool writes_state(const Node& node);  // in place, or as a next version

class Graph {
 public:
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<ValueInfo>& values() const { return values_; }
  const ValueInfo& info(Value v) const { return values_[static_cast<size_t>(v.id)]; }
  const TensorType& type(Value v) const { return info(v).type; }
  const std::vector<Value>& outputs() const { return outputs_; }
  Value find(std::string_view name) const;  // input, parameter or state by name; null when absent
  const std::vector<Mark>& marks() const { return marks_; }
  std::vector<Value> marked(std::string_view name) const;  // in the order of marking

  Value add_leaf(ValueKind kind, std::string name, TensorType type, StateKind state_kind = StateKind::per_position);
  Result<std::vector<Value>> add_node(std::shared_ptr<const Op> op, std::vector<Value> inputs, std::string scope);
  void make_state(Value parameter, StateKind state_kind);  // what was read only is written to from now on
  void lay_out(Value parameter, Layout layout);            // whoever reads it takes it so
  void set_outputs(std::vector<Value> outputs) { outputs_ = std::move(outputs); }
  void mark(std::string_view name, Value v) { marks_.push_back({std::string(name), v}); }

  Cost cost() const;              // sum over the nodes
  std::string to_string() const;  // one line a node, for people and tests

 private:
  std::vector<Node> nodes_;
  std::vector<ValueInfo> values_;
  std::vector<Value> outputs_;
  std::vector<Mark> marks_;
};

}  // namespace hearth
