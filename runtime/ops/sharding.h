// How values lie on the n parts of one mesh axis, and what an op's sharding rule says: its ALTERNATIVES. Several mesh
// axes are several rewrites, one after the other, so a rule thinks of one. What it costs to bring operands to where an
// alternative wants them, and which is taken, is graph/shard.h's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/tensor/tensor.h"

namespace hearth {

class Builder;
class Op;
struct Value;

// Where an axis is cut: part r has elements bounds[r] to bounds[r + 1]. Parts may differ in size; none is empty.
using Bounds = std::vector<int64_t>;
// n parts as even as they come, where `unit` elements stay together, and units come in groups: a part is whole groups,
// or, where there are fewer groups than parts, it is within one. Empty: that many parts there cannot be.
Bounds even_bounds(int64_t size, int64_t unit, int n, int64_t group = 1);
// Whether parts are whole groups of units, or each within one. Bounds in units.
bool keeps_groups(const Bounds& bounds, int64_t group);

enum class Spread : uint8_t {
  whole,        // every part has all of it
  cut,          // each part has its range of one axis
  sum,          // the value is the sum of what the parts have; so
  max,          // the largest, element by element
  log_sum_exp,  // ln Σ e^x, element by element
  owned,        // a sum of which all parts but one have zeros at each element: f(0, ..., 0) = 0 may be applied to it
  any,          // of a rule's inputs: whole or cut, as it lies
};

// A value's sharding.
struct Sharding {
  Spread spread = Spread::whole;
  int axis = -1;   // of cut
  Bounds bounds;   // of cut: in elements of the axis; of owned: in rows of what is looked up, or experts
  int owner = -1;  // of owned: the node of the graph whose indices say which part owns a row
  bool operator==(const Sharding&) const = default;
  bool is_whole() const { return spread == Spread::whole; }
  bool is_partial() const { return spread != Spread::whole && spread != Spread::cut; }
  std::string to_string() const;  // "whole", "cut on 1 at 8, 16", "a sum"
  static Sharding cut(int axis, Bounds bounds) { return {Spread::cut, axis, std::move(bounds), -1}; }
};

// The type of part `index` of a value.
TensorType part_type(TensorType whole, const Sharding& sharding, int index);
// What part `index` has of a tensor that is cut or whole, and the way back: the part is put where it was.
Tensor part_of(const TensorView& whole, const Sharding& sharding, int index);
void put_part(const TensorView& part, const Sharding& sharding, int index, const TensorView& whole);

// How an alternative has one operand.
struct OperandRule {
  Spread spread = Spread::whole;
  int axis = -1;          // of cut
  int64_t unit = 1;       // of cut: so many elements are one of what is cut (of a head, 64 columns)
  bool or_whole = false;  // of owned inputs: it may be whole too, since rows of others are not read
};

// What a part sees of an alternative that is more than one op.
struct Part {
  Builder& b;
  std::vector<Value> inputs;        // of this part
  std::vector<TensorType> types;    // of the whole inputs
  std::vector<Sharding> shardings;  // of the inputs
  std::string mesh;                 // what collectives are told
  int index = 0, n = 1;
  int64_t begin = 0, end = 0;  // of what is cut, in units
  Bounds bounds;               // of all parts
};

// One way to run an op on parts.
struct Alternative {
  using Local = std::function<std::shared_ptr<const Op>(int64_t begin, int64_t end)>;
  using Nodes = std::function<std::vector<Value>(const Part& part)>;
  std::string axis;  // what is cut, in the op's words: "heads", "position"; empty: nothing is
  std::vector<OperandRule> inputs, outputs;
  Local local;        // the op of the part that has units begin to end; null: the op itself
  Nodes nodes;        // instead: several ops, collectives among them; the outputs of the part
  int64_t group = 1;  // units come in groups, see even_bounds()
  int owner = -1;     // owned operands: the input whose values say which part owns a row
};

// An axis of an operand by name; `unit` elements of it are one of what the name counts.
struct AxisName {
  std::string name;  // empty: not to be cut
  int64_t unit = 1;
  AxisName(const char* name, int64_t unit = 1) : name(name), unit(unit) {}
  AxisName(std::string name, int64_t unit = 1) : name(std::move(name)), unit(unit) {}
};
using Axes = std::vector<AxisName>;

// An op's rule. Most of it is names: cutting one of `cuts` cuts every operand that has the name, and leaves the others
// whole; an output that has it is cut, one that lacks it is a sum.
struct ShardingRule {
  std::vector<Axes> inputs, outputs;
  std::vector<std::string> cuts = {};
  std::map<std::string, Alternative::Local> local = {};  // by cut: attributes that depend on the part
  std::vector<std::vector<int>> linear = {};  // sums of these inputs, the others whole, give sums of all outputs
  bool keeps_zeros = false;                   // element by element, and zeros alone give zeros
  std::vector<Alternative> more = {};         // what names cannot say
};
std::vector<Alternative> alternatives(const ShardingRule& rule);

}  // namespace hearth
