// One rendering: variables, output, and the calls that nodes make.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model_store/templates/ast.h"
#include "model_store/templates/value.h"

namespace hearth::jinja {

class Interpreter {
 public:
  using Blocks = std::map<std::string, const BlockTag*, std::less<>>;
  Interpreter(const TemplateLimits& limits, std::string now, const Blocks* blocks)
      : rt_(limits), now_(std::move(now)), blocks_(blocks) {}

  Runtime& runtime() { return rt_; }
  const std::string& now() const { return now_; }  // "2026-01-31T12:00:00", or empty: the clock

  // Variables of the rendering, below every scope.
  Result<void> start(const Value& context);
  Result<Value> variable(std::string_view name);
  Result<void> assign(const Target& target, const Value& value);
  Result<void> define(const std::string& name, Value value);

  // Runs a block; with a scope of its own when asked.
  Result<Flow> run(const Block& block);
  Result<Flow> run_scoped(const Block& block);
  // Runs it with its output caught.
  Result<Text> capture(const Block& block);
  Result<Text> capture(const std::function<Result<Flow>()>& work);
  Result<void> write(const Text& text);
  Result<void> write_own(std::string_view text);  // the template's own

  Result<Arguments> evaluate(const CallArguments& arguments);
  Result<Value> call(const Value& function, Arguments arguments);
  Result<Value> filter(std::string_view name, const Value& input, Arguments&& arguments);
  Result<bool> test(std::string_view name, const Value& input, Arguments&& arguments);
  Result<Value> filter_all(const std::vector<FilterUse>& filters, Value value);
  // x.name and x[key]
  Result<Value> attribute(const Value& base, std::string_view name);
  Result<Value> item(const Value& base, const Value& key);

  const BlockTag* find_block(std::string_view name) const;
  Scope* scope() { return scope_; }
  Scope* top_scope() { return top_; }  // of the template's own variables
  bool autoescape() const { return autoescape_; }
  bool escapes(Escaping escaping) const {
    return escaping == Escaping::on || (escaping == Escaping::when_run && autoescape_);
  }
  // Sets it while it lives.
  class EscapeChange {
   public:
    EscapeChange(Interpreter& in, bool is_on) : in_(in), before_(std::exchange(in.autoescape_, is_on)) {}
    ~EscapeChange() { in_.autoescape_ = before_; }
    EscapeChange(const EscapeChange&) = delete;

   private:
    Interpreter& in_;
    bool before_;
  };
  // Makes `scope` the current one while it lives.
  class ScopeChange {
   public:
    ScopeChange(Interpreter& in, Scope* scope) : in_(in), outside_(std::exchange(in.scope_, scope)) {}
    ~ScopeChange() { in_.scope_ = outside_; }
    ScopeChange(const ScopeChange&) = delete;

   private:
    Interpreter& in_;
    Scope* outside_;
  };

  void begin_generated();
  void end_generated();
  ChatTemplate::Rendered take_result() { return {output_.bytes(), std::move(generated_), output_.typed()}; }

 private:
  Result<void> check_output(size_t n_more);
  Result<Value> call_macro(const Function& function, Arguments arguments);
  // caller, varargs and kwargs, where the body mentions them.
  Result<void> define_rest(const MacroDefinition& macro, Arguments& arguments);
  Result<std::optional<Value>> builtin_attribute(const Value& base, std::string_view name);

  Runtime rt_;
  std::string now_;
  const Blocks* blocks_;
  Scope *scope_ = nullptr, *top_ = nullptr;
  bool autoescape_ = false;
  Text output_;
  int n_captures_ = 0;
  std::vector<std::pair<size_t, size_t>> generated_;
};

}  // namespace hearth::jinja
