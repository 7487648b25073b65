// Variables, output and calls of a rendering.
#include "model_store/templates/interpreter.h"

#include <algorithm>

#include "model_store/templates/globals.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {

Result<void> Interpreter::start(const Value& context) {
  scope_ = TRY(rt_.scope(nullptr));
  for (const char* name : {"tools", "documents"})
    scope_->variables[name] = Value::none();  // transformers defines them so
  for (const auto& [key, value] : context.as_dict().items) scope_->variables[key.as_string()] = value;
  // What the template assigns at its top level lies above, as a scope that macros may remember.
  scope_ = top_ = TRY(rt_.scope(scope_));
  return {};
}

Result<Value> Interpreter::variable(std::string_view name) {
  std::string key(name);
  for (Scope* s = scope_; s; s = s->parent)
    if (auto it = s->variables.find(key); it != s->variables.end()) return it->second;
  if (const Builtin* builtin = find_global(name)) return rt_.function({.builtin = builtin});
  if (name == "self") return make_self(*this);
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

const BlockTag* Interpreter::find_block(std::string_view name) const {
  auto it = blocks_->find(name);
  return it == blocks_->end() ? nullptr : it->second;
}

Result<Text> Interpreter::capture(const Block& block) {
  return capture([&] { return run_scoped(block); });
}

Result<Text> Interpreter::capture(const std::function<Result<Flow>()>& work) {
  Text outside = std::exchange(output_, Text());
  ++n_captures_;
  auto flow = work();
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
  if (arguments.more_positional)
    for (Value& each : TRY(items_of(rt_, TRY(arguments.more_positional->evaluate(*this)))))
      out.positional.push_back(std::move(each));
  if (!arguments.more_named) return out;
  const Value more = TRY(arguments.more_named->evaluate(*this));
  if (!more.is(Kind::dict)) return error(Code::invalid_argument, "** needs a dict, not {}", kind_name(more.kind()));
  for (const auto& [key, value] : more.as_dict().items) {
    if (!key.is(Kind::string)) return error(Code::invalid_argument, "arguments must be named by strings");
    for (const auto& [name, given] : out.named)
      if (name == key.as_string()) return error(Code::invalid_argument, "argument \"{}\" is given twice", name);
    out.named.emplace_back(key.as_string(), value);
  }
  return out;
}

Result<Value> Interpreter::call(const Value& function, Arguments arguments) {
  TRY(rt_.step());
  if (function.is(Kind::undefined))
    return error(Code::invalid_argument, "\"{}\" is undefined and cannot be called", function.undefined_name());
  if (function.is(Kind::object)) return function.as_object().call(*this, arguments);
  if (!function.is(Kind::function))
    return error(Code::invalid_argument, "{} cannot be called", kind_name(function.kind()));
  const Function& f = function.as_function();
  Runtime::Inputs inputs(rt_, !f.macro && !f.block && (f.self.is_typed() || any_typed(arguments)));
  if (f.macro) return call_macro(f, std::move(arguments));
  if (f.block) {
    TRY(arguments.finish());
    return TRY(rt_.string(TRY(capture([&] { return f.block->show(*this, top_); })))).marked(autoescape_);
  }
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
  TRY_WITH(define_rest(macro, arguments), "in the call of macro \"{}\"", macro.name);
  return TRY(rt_.string(TRY(capture(macro.body)))).marked(autoescape_);
}

Result<void> Interpreter::define_rest(const MacroDefinition& macro, Arguments& arguments) {
  const bool names_caller =
      std::find(macro.parameters.begin(), macro.parameters.end(), "caller") != macro.parameters.end();
  if (macro.uses_caller && !names_caller) {
    auto it = std::find_if(arguments.named.begin(), arguments.named.end(), [](auto& a) { return a.first == "caller"; });
    TRY(define("caller", it != arguments.named.end() ? it->second : TRY(rt_.undefined("caller"))));
    if (it != arguments.named.end()) arguments.named.erase(it);
  }
  if (macro.uses_kwargs) {
    Dict rest;
    for (const auto& [name, value] : std::exchange(arguments.named, {})) rest.set(TRY(rt_.string(Text(name))), value);
    TRY(define("kwargs", TRY(rt_.dict(std::move(rest)))));
  }
  if (macro.uses_varargs) {
    std::vector<Value> rest;
    while (!arguments.positional.empty() && !arguments.all_taken()) rest.push_back(*arguments.take(""));
    TRY(define("varargs", TRY(rt_.list(std::move(rest), true))));
  }
  return arguments.finish();
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
  if (base.is(Kind::object)) {
    auto found = TRY(base.as_object().attribute(*this, name));
    return found ? *found : rt_.undefined(name);
  }
  if (const Builtin* method = find_method(base, name)) return rt_.function({.builtin = method, .self = base});
  if (auto found = TRY(builtin_attribute(base, name))) return *found;
  if (base.is(Kind::dict))
    if (const Value* found = base.as_dict().find(name)) return *found;
  return rt_.undefined(name);
}

// Attributes of Python's own types that are no methods.
Result<std::optional<Value>> Interpreter::builtin_attribute(const Value& base, std::string_view name) {
  using Out = std::optional<Value>;
  if (base.is_list() && base.as_list().is_group && (name == "grouper" || name == "list"))
    return Out(base.as_list().items[name == "list" ? 1 : 0]);
  if (base.is_range()) {
    const Range& range = *base.as_list().range;
    if (name == "start") return Out(Value::integer(range.begin));
    if (name == "stop") return Out(Value::integer(range.end));
    if (name == "step") return Out(Value::integer(range.step));
  }
  if (base.is_number() && name == "real") return Out(base.is_integral() ? Value::integer(base.as_integer()) : base);
  if (base.is_number() && name == "imag") return Out(base.is_integral() ? Value::integer(0) : Value::real(0));
  if (base.is_integral() && name == "numerator") return Out(Value::integer(base.as_integer()));
  if (base.is_integral() && name == "denominator") return Out(Value::integer(1));
  if (!base.is(Kind::function)) return Out();
  const Function& function = base.as_function();
  if (function.builtin == find_global("dict") && name == "fromkeys")
    return Out(TRY(rt_.function({.builtin = find_global("dict.fromkeys")})));
  if (!function.macro) return Out();
  const MacroDefinition& macro = *function.macro;
  if (name == "name") return Out(TRY(rt_.string(Text(macro.name))));
  if (name == "caller") return Out(Value::boolean(macro.uses_caller));
  if (name == "catch_kwargs") return Out(Value::boolean(macro.uses_kwargs));
  if (name == "catch_varargs") return Out(Value::boolean(macro.uses_varargs));
  if (name != "arguments") return Out();
  std::vector<Value> names;
  for (const std::string& parameter : macro.parameters) names.push_back(TRY(rt_.string(Text(parameter))));
  return Out(TRY(rt_.list(std::move(names), true)));
}

Result<Value> Interpreter::item(const Value& base, const Value& key) {
  TRY(rt_.step());
  if (base.is(Kind::undefined))
    return error(Code::invalid_argument, "\"{}\" is undefined, so it has no items", base.undefined_name());
  if (base.is(Kind::dict)) {
    if (const Value* found = base.as_dict().find(key)) return *found;
  } else if (key.is_integral() && ((base.is_list() && !base.is_view()) || base.is(Kind::string))) {
    int64_t n = TRY(length_of(base)), i = key.as_integer();
    if (i < 0) i += n;
    if (i < 0 || i >= n) return rt_.undefined("index out of range");
    if (base.is_list()) return base.as_list().items[static_cast<size_t>(i)];
    TRY(rt_.step(base.as_string().size()));
    return TRY(rt_.string(base.as_text().part(characters(base.as_string(), i, i + 1)))).marked(base.is_markup());
  }
  if (key.is(Kind::string))
    return base.is(Kind::dict) && !find_method(base, key.as_string()) ? rt_.undefined(key.as_string())
                                                                      : attribute(base, key.as_string());
  return rt_.undefined("no such item");
}

}  // namespace hearth::jinja
