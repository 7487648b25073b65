// Variables, output and calls of a rendering.
#include "model_store/templates/interpreter.h"

#include "model_store/templates/text.h"

namespace hearth::jinja {

Result<void> Interpreter::start(const Value& context) {
  scope_ = TRY(rt_.scope(nullptr));
  for (const char* name : {"tools", "documents"})
    scope_->variables[name] = Value::none();  // transformers defines them so
  for (const auto& [key, value] : context.as_dict().items) scope_->variables[key.as_string()] = value;
  // What the template assigns at its top level lies above, as a scope that macros may remember.
  scope_ = TRY(rt_.scope(scope_));
  return {};
}

Result<Value> Interpreter::variable(std::string_view name) {
  std::string key(name);
  for (Scope* s = scope_; s; s = s->parent)
    if (auto it = s->variables.find(key); it != s->variables.end()) return it->second;
  if (const Builtin* builtin = find_global(name)) return rt_.function({.builtin = builtin});
  return rt_.undefined(name);
}

Result<void> Interpreter::define(const std::string& name, Value value) {
  auto [it, is_new] = scope_->variables.insert_or_assign(name, std::move(value));
  if (is_new) TRY(rt_.charge(name.size() + sizeof(Value) + 48));
  return {};
}

Result<void> Interpreter::assign(const Target& target, const Value& value) {
  if (!target.parts.empty()) {
    auto items = TRY(items_of(rt_, value));
    if (items.size() != target.parts.size())
      return error(Code::invalid_argument, "{} values cannot be assigned to {} names", items.size(),
                   target.parts.size());
    for (size_t i = 0; i < items.size(); ++i) TRY(assign(target.parts[i], items[i]));
    return {};
  }
  if (target.attribute.empty()) return define(target.name, value);
  Value space = TRY(variable(target.name));
  if (!space.is(Kind::name_space))
    return error(Code::invalid_argument, "\"{}\" is {}; only a namespace's attributes can be set", target.name,
                 kind_name(space.kind()));
  if (target.attribute.starts_with('_'))
    return error(Code::invalid_argument, "a namespace may not hold \"{}\", which begins with _",
                 target.attribute.substr(0, 60));
  TRY(rt_.charge(target.attribute.size() + sizeof(Value)));
  space.as_namespace().members[target.attribute] = value;
  return {};
}

Result<Flow> Interpreter::run(const Block& block) {
  auto depth = TRY(rt_.enter());
  for (const auto& statement : block) {
    TRY(rt_.step());
    auto flow = statement->run(*this);
    if (!flow) {
      // The innermost line is the one that helps.
      const auto& context = flow.error().context;
      if (context.empty() || !context.back().starts_with("in line "))
        return hearth::detail::with_context(std::move(flow).error(),
                                            fmt::format("in line {} of the chat template", statement->line()));
      return flow;
    }
    if (*flow != Flow::normal) return flow;
  }
  return Flow::normal;
}

Result<Flow> Interpreter::run_scoped(const Block& block) {
  ScopeChange inside(*this, TRY(rt_.scope(scope_)));
  return run(block);
}

Result<Text> Interpreter::capture(const Block& block) {
  Text outside = std::exchange(output_, Text());
  ++n_captures_;
  auto flow = run_scoped(block);
  --n_captures_;
  Text caught = std::exchange(output_, std::move(outside));
  if (!flow) return std::move(flow).error();
  return caught;
}

Result<void> Interpreter::check_output(size_t n_more) {
  if (output_.size() + n_more > rt_.limits().max_output_bytes)
    return error(Code::resource_exhausted, "the chat template writes more than {} bytes",
                 rt_.limits().max_output_bytes);
  return rt_.step(n_more);
}

Result<void> Interpreter::write(const Text& text) {
  TRY(check_output(text.size()));
  output_.append(text);
  return {};
}

Result<void> Interpreter::write_own(std::string_view text) {
  TRY(check_output(text.size()));
  output_.append(text);
  return {};
}

void Interpreter::begin_generated() {
  if (n_captures_ == 0) generated_.emplace_back(output_.size(), output_.size());
}
void Interpreter::end_generated() {
  if (n_captures_ == 0 && !generated_.empty()) generated_.back().second = output_.size();
}

Result<Arguments> Interpreter::evaluate(const CallArguments& arguments) {
  Arguments out;
  for (const auto& each : arguments.positional) out.positional.push_back(TRY(each->evaluate(*this)));
  for (const auto& [name, each] : arguments.named) out.named.emplace_back(name, TRY(each->evaluate(*this)));
  return out;
}

Result<Value> Interpreter::call(const Value& function, Arguments arguments) {
  TRY(rt_.step());
  if (function.is(Kind::undefined))
    return error(Code::invalid_argument, "\"{}\" is undefined and cannot be called", function.undefined_name());
  if (!function.is(Kind::function))
    return error(Code::invalid_argument, "{} cannot be called", kind_name(function.kind()));
  const Function& f = function.as_function();
  Runtime::Inputs inputs(rt_, !f.macro && (f.self.is_typed() || any_typed(arguments)));
  if (f.macro) return call_macro(f, std::move(arguments));
  return (*f.builtin)(*this, f.self, arguments);
}

// The arguments become variables of a scope inside the one where the macro was defined; absent ones get their defaults.
Result<Value> Interpreter::call_macro(const Function& function, Arguments arguments) {
  auto depth = TRY(rt_.enter());
  const MacroDefinition& macro = *function.macro;
  ScopeChange inside(*this, TRY(rt_.scope(function.scope)));
  const size_t n_required = macro.parameters.size() - macro.defaults.size();
  for (size_t i = 0; i < macro.parameters.size(); ++i) {
    std::optional<Value> value = arguments.take(macro.parameters[i]);
    if (!value && i >= n_required) value = TRY(macro.defaults[i - n_required]->evaluate(*this));
    TRY(define(macro.parameters[i], value ? *value : TRY(rt_.undefined(macro.parameters[i]))));
  }
  for (auto it = arguments.named.begin(); it != arguments.named.end(); ++it)
    if (it->first == "caller") {
      TRY(define("caller", it->second));
      arguments.named.erase(it);
      break;
    }
  TRY_WITH(arguments.finish(), "in the call of macro \"{}\"", macro.name);
  return rt_.string(TRY(capture(macro.body)));
}

Result<Value> Interpreter::filter(std::string_view name, const Value& input, Arguments&& arguments) {
  const Builtin* builtin = find_filter(name);
  if (!builtin) return error(Code::invalid_argument, "no filter is called \"{}\"", name.substr(0, 60));
  TRY(rt_.step(text_bytes(input) + text_bytes(arguments)));
  Runtime::Inputs inputs(rt_, input.is_typed() || any_typed(arguments));
  Value out = TRY_WITH((*builtin)(*this, input, arguments), "in the filter \"{}\"", std::string(name));
  TRY_WITH(arguments.finish(), "in the filter \"{}\"", std::string(name));
  return out;
}

Result<bool> Interpreter::test(std::string_view name, const Value& input, Arguments&& arguments) {
  const Builtin* builtin = find_test(name);
  if (!builtin) return error(Code::invalid_argument, "no test is called \"{}\"", name.substr(0, 60));
  TRY(rt_.step(text_bytes(input) + text_bytes(arguments)));
  Value out = TRY_WITH((*builtin)(*this, input, arguments), "in the test \"{}\"", std::string(name));
  TRY_WITH(arguments.finish(), "in the test \"{}\"", std::string(name));
  return truth(out);
}

Result<Value> Interpreter::filter_all(const std::vector<FilterUse>& filters, Value value) {
  for (const auto& use : filters) value = TRY(filter(use.name, value, TRY(evaluate(use.arguments))));
  return value;
}

// A method comes before an item of the same name; a missing name is undefined, but nothing hangs on undefined.
Result<Value> Interpreter::attribute(const Value& base, std::string_view name) {
  TRY(rt_.step());
  if (base.is(Kind::undefined))
    return error(Code::invalid_argument, "\"{}\" is undefined, so it has no \"{}\"", base.undefined_name(), name);
  if (base.is(Kind::name_space)) {
    auto it = base.as_namespace().members.find(std::string(name));
    if (it != base.as_namespace().members.end()) return it->second;
    return rt_.undefined(name);
  }
  if (const Builtin* method = find_method(base, name)) return rt_.function({.builtin = method, .self = base});
  if (base.is(Kind::dict))
    if (const Value* found = base.as_dict().find(name)) return *found;
  return rt_.undefined(name);
}

Result<Value> Interpreter::item(const Value& base, const Value& key) {
  TRY(rt_.step());
  if (base.is(Kind::undefined))
    return error(Code::invalid_argument, "\"{}\" is undefined, so it has no items", base.undefined_name());
  if (base.is(Kind::dict)) {
    if (const Value* found = base.as_dict().find(key)) return *found;
  } else if (key.is_integral() && (base.is_list() || base.is(Kind::string))) {
    int64_t n = TRY(length_of(base)), i = key.as_integer();
    if (i < 0) i += n;
    if (i < 0 || i >= n) return rt_.undefined("index out of range");
    if (base.is_list()) return base.as_list().items[static_cast<size_t>(i)];
    TRY(rt_.step(base.as_string().size()));
    return rt_.string(base.as_text().part(characters(base.as_string(), i, i + 1)));
  }
  if (key.is(Kind::string))
    return base.is(Kind::dict) && !find_method(base, key.as_string()) ? rt_.undefined(key.as_string())
                                                                      : attribute(base, key.as_string());
  return rt_.undefined("no such item");
}

}  // namespace hearth::jinja
