// Attributes of `loop`, and {% for %} itself.
#include "model_store/templates/loop.h"

#include "model_store/templates/interpreter.h"

namespace hearth::jinja {
namespace {

// The items for which the loop's condition holds.
Result<std::vector<Value>> selected(Interpreter& in, const For& loop, std::vector<Value> items) {
  if (!loop.condition_) return items;
  std::vector<Value> out;
  Interpreter::ScopeChange inside(in, TRY(in.runtime().scope(in.scope())));
  for (auto& item : items) {
    TRY(in.assign(loop.target_, item));
    if (truth(TRY(loop.condition_->evaluate(in)))) out.push_back(std::move(item));
  }
  return out;
}

}  // namespace

Result<Flow> For::run(Interpreter& in) const {
  return run_over(in, TRY(sequence_->evaluate(in)), 0);
}

Result<Flow> For::run_over(Interpreter& in, const Value& sequence, int depth0) const {
  std::vector<Value> items = TRY(selected(in, *this, TRY(items_of(in.runtime(), sequence))));
  if (items.empty()) return in.run_scoped(otherwise_);
  const size_t n = items.size();
  const Value variable = TRY(in.runtime().object(std::make_unique<Loop>(this, in.scope(), std::move(items), depth0)));
  auto& loop = static_cast<Loop&>(variable.as_object());
  Scope* scope = nullptr;
  bool was_finished = false;  // a turn: `else` is for loops without one, also where each was left early
  for (size_t i = 0; i < n; ++i) {
    loop.begin_turn(i);
    // Every turn begins with no variables of its own; a scope that a macro remembers is left to it.
    if (!scope || scope->is_captured)
      scope = TRY(in.runtime().scope(in.scope()));
    else
      scope->variables.clear();
    Interpreter::ScopeChange inside(in, scope);
    TRY(in.define("loop", variable));
    TRY(in.assign(target_, loop.items()[i]));
    const Flow flow = TRY(in.run(body_));
    if (flow == Flow::break_loop) break;
    was_finished |= flow == Flow::normal;
  }
  return was_finished ? Flow::normal : in.run_scoped(otherwise_);
}

std::optional<Value> Loop::number(std::string_view name) const {
  const auto n = static_cast<int64_t>(items_.size()), index0 = static_cast<int64_t>(index0_);
  if (name == "index") return Value::integer(index0 + 1);
  if (name == "index0") return Value::integer(index0);
  if (name == "revindex") return Value::integer(n - index0);
  if (name == "revindex0") return Value::integer(n - index0 - 1);
  if (name == "first") return Value::boolean(index0 == 0);
  if (name == "last") return Value::boolean(index0 + 1 == n);
  if (name == "length") return Value::integer(n);
  if (name == "depth") return Value::integer(depth0_ + 1);
  if (name == "depth0") return Value::integer(depth0_);
  return std::nullopt;
}

Result<std::optional<Value>> Loop::attribute(Interpreter& in, std::string_view name) {
  static constexpr Builtin kCycle = cycle, kChanged = changed;
  using Out = std::optional<Value>;
  if (auto found = number(name)) return found;
  if (name == "previtem") return Out(index0_ > 0 ? items_[index0_ - 1] : TRY(in.runtime().undefined("previtem")));
  if (name == "nextitem")
    return Out(index0_ + 1 < items_.size() ? items_[index0_ + 1] : TRY(in.runtime().undefined("nextitem")));
  if (name == "cycle") return Out(TRY(in.runtime().function({.builtin = &kCycle, .self = Value::object(this)})));
  if (name == "changed") return Out(TRY(in.runtime().function({.builtin = &kChanged, .self = Value::object(this)})));
  return Out();
}

Result<Value> Loop::call(Interpreter& in, Arguments& arguments) {
  const Value more = TRY(arguments.require("iterable"));
  TRY(arguments.finish());
  if (!statement_->is_recursive_)
    return error(Code::invalid_argument, "only a loop that is marked recursive can be called");
  auto depth = TRY(in.runtime().enter());
  Interpreter::ScopeChange outside(in, outside_);
  const Text text = TRY(in.capture([&] { return statement_->run_over(in, more, depth0_ + 1); }));
  return TRY(in.runtime().string(text)).marked(in.autoescape());
}

std::string Loop::repr() const {
  return fmt::format("<LoopContext {}/{}>", index0_ + 1, items_.size());
}

Result<Value> Loop::cycle(Interpreter&, const Value& self, Arguments& arguments) {
  const auto& loop = static_cast<const Loop&>(self.as_object());
  const std::vector<Value> values = std::exchange(arguments.positional, {});
  TRY(arguments.finish());
  if (values.empty()) return error(Code::invalid_argument, "cycle needs values");
  return values[loop.index0_ % values.size()];
}

Result<Value> Loop::changed(Interpreter& in, const Value& self, Arguments& arguments) {
  auto& loop = static_cast<Loop&>(self.as_object());
  std::vector<Value> values = std::exchange(arguments.positional, {});
  TRY(arguments.finish());
  bool is_same = loop.last_ && loop.last_->size() == values.size();
  for (size_t i = 0; is_same && i < values.size(); ++i)
    is_same = TRY(equals(in.runtime(), (*loop.last_)[i], values[i]));
  if (!is_same) loop.last_ = std::move(values);
  return Value::boolean(!is_same);
}

}  // namespace hearth::jinja
