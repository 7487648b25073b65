// The `loop` variable: one for each run of a {% for %}, whatever the turn.
#pragma once

#include <string>
#include <vector>

#include "model_store/templates/ast.h"

namespace hearth::jinja {

class Loop : public Object {
 public:
  // `outside`: the scope that the loop stands in. depth0: how often loop(...) is under way.
  Loop(const For* statement, Scope* outside, std::vector<Value> items, int depth0)
      : statement_(statement), outside_(outside), items_(std::move(items)), depth0_(depth0) {}

  const std::vector<Value>& items() const { return items_; }
  void begin_turn(size_t index0) { index0_ = index0; }

  Result<std::optional<Value>> attribute(Interpreter& in, std::string_view name) override;
  // loop(more): the body once more over other items, as text. Only in a recursive loop.
  Result<Value> call(Interpreter& in, Arguments& arguments) override;
  bool is_callable() const override { return true; }
  std::optional<int64_t> length() const override { return static_cast<int64_t>(items_.size()); }
  std::string repr() const override;

 private:
  static Result<Value> cycle(Interpreter& in, const Value& self, Arguments& arguments);
  static Result<Value> changed(Interpreter& in, const Value& self, Arguments& arguments);
  std::optional<Value> number(std::string_view name) const;

  const For* statement_;
  Scope* outside_;
  std::vector<Value> items_;
  int depth0_;
  size_t index0_ = 0;
  std::optional<std::vector<Value>> last_;  // of changed()
};

}  // namespace hearth::jinja
