// How statements run.
#include "model_store/templates/interpreter.h"

namespace hearth::jinja {
namespace {

Result<Value> macro_value(Interpreter& in, const MacroDefinition& definition) {
  for (Scope* s = in.scope(); s; s = s->parent) s->is_captured = true;
  return in.runtime().function({.macro = &definition, .scope = in.scope()});
}

}  // namespace

Result<Flow> TextOutput::run(Interpreter& in) const {
  TRY(in.write_own(text_));
  return Flow::normal;
}

static Result<void> write_value(Interpreter& in, const Expression& expression, Escaping escaping) {
  const Value value = TRY(expression.evaluate(in));
  if (in.escapes(escaping)) return in.write(TRY(markup_text(in.runtime(), value)));
  if (value.is(Kind::string)) return in.write(value.as_text());
  return in.write(TRY(to_text(in.runtime(), value)));
}

Result<Flow> ValueOutput::run(Interpreter& in) const {
  TRY(write_value(in, *value_, escaping_));
  return Flow::normal;
}

Result<Flow> Print::run(Interpreter& in) const {
  for (const auto& value : values_) TRY(write_value(in, *value, escaping_));
  return Flow::normal;
}

Result<Flow> If::run(Interpreter& in) const {
  for (const auto& [condition, block] : branches_)
    if (truth(TRY(condition->evaluate(in)))) return in.run(block);
  return in.run(otherwise_);
}

Result<Flow> Set::run(Interpreter& in) const {
  TRY(in.assign(target_, TRY(value_->evaluate(in))));
  return Flow::normal;
}

Result<Flow> SetBlock::run(Interpreter& in) const {
  const Value text = TRY(in.runtime().string(TRY(in.capture(body_)))).marked(in.autoescape());
  Value out = TRY(in.filter_all(filters_, text));
  if (in.autoescape() && !out.is_markup()) out = TRY(in.runtime().string(TRY(to_text(in.runtime(), out)))).marked();
  TRY(in.assign(target_, out));
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
  const Value text = TRY(in.runtime().string(TRY(in.capture(body_)))).marked(in.escapes(escaping_));
  TRY(in.write(TRY(to_text(in.runtime(), TRY(in.filter_all(filters_, text))))));
  return Flow::normal;
}

Result<Flow> Autoescape::run(Interpreter& in) const {
  Interpreter::EscapeChange inside(in, truth(TRY(is_on_->evaluate(in))));
  return in.run_scoped(body_);
}

Result<Flow> BlockTag::run(Interpreter& in) const {
  return show(in, is_scoped_ ? in.scope() : in.top_scope());
}

Result<Flow> BlockTag::show(Interpreter& in, Scope* around) const {
  if (is_required_) return error(Code::invalid_argument, "the block \"{}\" is required, and nothing fills it", name_);
  auto depth = TRY(in.runtime().enter());
  Interpreter::ScopeChange outside(in, around);
  return in.run_scoped(body_);
}

Result<Flow> LoadTag::run(Interpreter&) const {
  return error(Code::invalid_argument, "a chat template stands alone: there is nothing to {} from",
               tag_ == "extends"   ? "extend"
               : tag_ == "include" ? "include"
                                   : "import");
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
