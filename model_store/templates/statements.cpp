// How statements run.
#include "model_store/templates/interpreter.h"

namespace hearth::jinja {
namespace {

// The `loop` variable of one turn: a dict with Jinja's names.
Result<Value> loop_variable(Interpreter& in, const std::vector<Value>& items, size_t i, int depth) {
  Runtime& rt = in.runtime();
  const auto n = static_cast<int64_t>(items.size()), index = static_cast<int64_t>(i);
  TRY(rt.charge(1200));  // about what the table below takes
  Value loop = TRY(rt.name_space());
  auto& m = loop.as_namespace().members;
  m["index"] = Value::integer(index + 1);
  m["index0"] = Value::integer(index);
  m["revindex"] = Value::integer(n - index);
  m["revindex0"] = Value::integer(n - index - 1);
  m["first"] = Value::boolean(i == 0);
  m["last"] = Value::boolean(index + 1 == n);
  m["length"] = Value::integer(n);
  m["depth"] = Value::integer(depth);
  m["depth0"] = Value::integer(depth - 1);
  m["previtem"] = i > 0 ? items[i - 1] : TRY(rt.undefined("previtem"));
  m["nextitem"] = i + 1 < items.size() ? items[i + 1] : TRY(rt.undefined("nextitem"));
  m["cycle"] = TRY(rt.function({.builtin = find_global("loop.cycle"), .self = Value::integer(index)}));
  return loop;
}

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

Result<Value> macro_value(Interpreter& in, const MacroDefinition& definition) {
  for (Scope* s = in.scope(); s; s = s->parent) s->is_captured = true;
  return in.runtime().function({.macro = &definition, .scope = in.scope()});
}

}  // namespace

Result<Flow> TextOutput::run(Interpreter& in) const {
  TRY(in.write_own(text_));
  return Flow::normal;
}

Result<Flow> ValueOutput::run(Interpreter& in) const {
  Value value = TRY(value_->evaluate(in));
  if (value.is(Kind::string))
    TRY(in.write(value.as_text()));
  else
    TRY(in.write(TRY(to_text(in.runtime(), value))));
  return Flow::normal;
}

Result<Flow> If::run(Interpreter& in) const {
  for (const auto& [condition, block] : branches_)
    if (truth(TRY(condition->evaluate(in)))) return in.run(block);
  return in.run(otherwise_);
}

Result<Flow> For::run(Interpreter& in) const {
  std::vector<Value> items = TRY(items_of(in.runtime(), TRY(sequence_->evaluate(in))));
  items = TRY(selected(in, *this, std::move(items)));
  if (items.empty()) return in.run_scoped(otherwise_);
  Scope* scope = nullptr;
  for (size_t i = 0; i < items.size(); ++i) {
    // Every turn begins with no variables of its own; a scope that a macro remembers is left to it.
    if (!scope || scope->is_captured)
      scope = TRY(in.runtime().scope(in.scope()));
    else
      scope->variables.clear();
    Interpreter::ScopeChange inside(in, scope);
    TRY(in.define("loop", TRY(loop_variable(in, items, i, 1))));
    TRY(in.assign(target_, items[i]));
    if (TRY(in.run(body_)) == Flow::break_loop) break;
  }
  return Flow::normal;
}

Result<Flow> Set::run(Interpreter& in) const {
  TRY(in.assign(target_, TRY(value_->evaluate(in))));
  return Flow::normal;
}

Result<Flow> SetBlock::run(Interpreter& in) const {
  Value text = TRY(in.runtime().string(TRY(in.capture(body_))));
  TRY(in.assign(target_, TRY(in.filter_all(filters_, text))));
  return Flow::normal;
}

Result<Flow> Macro::run(Interpreter& in) const {
  TRY(in.define(definition_.name, TRY(macro_value(in, definition_))));
  return Flow::normal;
}

Result<Flow> CallBlock::run(Interpreter& in) const {
  Arguments arguments = TRY(in.evaluate(arguments_));
  arguments.named.emplace_back("caller", TRY(macro_value(in, caller_)));
  Value out = TRY(in.call(TRY(function_->evaluate(in)), std::move(arguments)));
  TRY(in.write(TRY(to_text(in.runtime(), out))));
  return Flow::normal;
}

Result<Flow> FilterBlock::run(Interpreter& in) const {
  Value text = TRY(in.runtime().string(TRY(in.capture(body_))));
  TRY(in.write(TRY(to_text(in.runtime(), TRY(in.filter_all(filters_, text))))));
  return Flow::normal;
}

Result<Flow> With::run(Interpreter& in) const {
  std::vector<Value> values;
  for (const auto& [target, value] : variables_) values.push_back(TRY(value->evaluate(in)));
  Interpreter::ScopeChange inside(in, TRY(in.runtime().scope(in.scope())));
  for (size_t i = 0; i < values.size(); ++i) TRY(in.assign(variables_[i].first, values[i]));
  return in.run(body_);
}

Result<Flow> Generation::run(Interpreter& in) const {
  in.begin_generated();
  TRY(in.run_scoped(body_));
  in.end_generated();
  return Flow::normal;
}

Result<Flow> LoopControl::run(Interpreter&) const {
  return flow_;
}

}  // namespace hearth::jinja
