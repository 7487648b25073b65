// The syntax tree of a template. Nodes know how to evaluate themselves; chains (a + b + c, x.y.z, elif, and/or) are
// flat lists, so that a long one is no deep recursion.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model_store/templates/value.h"

namespace hearth::jinja {

class Interpreter;
struct CallArguments;

enum class Flow : uint8_t { normal, break_loop, continue_loop };

class Expression {
 public:
  virtual ~Expression() = default;
  virtual Result<Value> evaluate(Interpreter& in) const = 0;
};
using ExpressionPtr = std::unique_ptr<const Expression>;

class Statement {
 public:
  explicit Statement(int line) : line_(line) {}
  virtual ~Statement() = default;
  virtual Result<Flow> run(Interpreter& in) const = 0;
  int line() const { return line_; }

 private:
  int line_;
};
using StatementPtr = std::unique_ptr<const Statement>;
using Block = std::vector<StatementPtr>;

struct CallArguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  ExpressionPtr more_positional, more_named;  // *these, **these; each may be absent
};

// What {% autoescape %} says where a node stands: known from the source, or only when it runs.
enum class Escaping : uint8_t { off, on, when_run };

// What a value is assigned to: a name, an attribute of a namespace, or several of them.
struct Target {
  std::string name, attribute;
  std::vector<Target> parts;
};

struct FilterUse {
  std::string name;
  CallArguments arguments;
};

class MacroDefinition {
 public:
  std::string name;
  std::vector<std::string> parameters;
  std::vector<ExpressionPtr> defaults;  // of the last parameters
  Block body;
  // Names that the body mentions and that have a meaning only then.
  bool uses_caller = false, uses_varargs = false, uses_kwargs = false;
};

enum class BinaryOperator : uint8_t { add, subtract, multiply, divide, floor_divide, modulo, power, concatenate };
enum class Comparison : uint8_t { equal, not_equal, less, less_equal, greater, greater_equal, in, not_in };

class Constant : public Expression {
 public:
  explicit Constant(Value value) : value_(std::move(value)) {}
  Result<Value> evaluate(Interpreter& in) const override;
  Value value_;
};
class Name : public Expression {
 public:
  explicit Name(std::string name) : name_(std::move(name)) {}
  Result<Value> evaluate(Interpreter& in) const override;
  std::string name_;
};
class ListDisplay : public Expression {
 public:
  Result<Value> evaluate(Interpreter& in) const override;
  std::vector<ExpressionPtr> items_;
  bool is_tuple_ = false;
};
class DictDisplay : public Expression {
 public:
  Result<Value> evaluate(Interpreter& in) const override;
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> items_;
};
// first op operand op operand ... from left to right.
class BinaryChain : public Expression {
 public:
  Result<Value> evaluate(Interpreter& in) const override;
  ExpressionPtr first_;
  std::vector<std::pair<BinaryOperator, ExpressionPtr>> rest_;
  bool escapes_ = false;  // ~ inside {% autoescape true %}
};
class ComparisonChain : public Expression {
 public:
  Result<Value> evaluate(Interpreter& in) const override;
  ExpressionPtr first_;
  std::vector<std::pair<Comparison, ExpressionPtr>> rest_;
};
class Logic : public Expression {  // and, or: the value of the operand that decides
 public:
  Result<Value> evaluate(Interpreter& in) const override;
  bool is_and_ = false;
  std::vector<ExpressionPtr> operands_;
};
class Not : public Expression {
 public:
  Result<Value> evaluate(Interpreter& in) const override;
  ExpressionPtr operand_;
};
class Negate : public Expression {
 public:
  Result<Value> evaluate(Interpreter& in) const override;
  ExpressionPtr operand_;
  bool negative_ = true;
};
class Conditional : public Expression {
 public:
  Result<Value> evaluate(Interpreter& in) const override;
  ExpressionPtr then_, condition_, otherwise_;  // otherwise_ may be absent: undefined
};

// One step of x.name[key](arguments)|filter is test.
class Suffix {
 public:
  virtual ~Suffix() = default;
  virtual Result<Value> apply(Interpreter& in, const Value& base) const = 0;
};
class AttributeSuffix : public Suffix {
 public:
  Result<Value> apply(Interpreter& in, const Value& base) const override;
  std::string name_;
};
class ItemSuffix : public Suffix {
 public:
  Result<Value> apply(Interpreter& in, const Value& base) const override;
  ExpressionPtr key_;
};
class SliceSuffix : public Suffix {
 public:
  Result<Value> apply(Interpreter& in, const Value& base) const override;
  ExpressionPtr begin_, end_, step_;  // each may be absent
};
class CallSuffix : public Suffix {
 public:
  Result<Value> apply(Interpreter& in, const Value& base) const override;
  CallArguments arguments_;
};
class FilterSuffix : public Suffix {
 public:
  Result<Value> apply(Interpreter& in, const Value& base) const override;
  FilterUse filter_;
};
class TestSuffix : public Suffix {
 public:
  Result<Value> apply(Interpreter& in, const Value& base) const override;
  std::string name_;
  bool negated_ = false;
  CallArguments arguments_;
};
class Chain : public Expression {
 public:
  Result<Value> evaluate(Interpreter& in) const override;
  ExpressionPtr base_;
  std::vector<std::unique_ptr<const Suffix>> suffixes_;
};

class TextOutput : public Statement {
 public:
  TextOutput(int line, std::string text) : Statement(line), text_(std::move(text)) {}
  Result<Flow> run(Interpreter& in) const override;
  std::string text_;
};
class ValueOutput : public Statement {
 public:
  using Statement::Statement;
  Result<Flow> run(Interpreter& in) const override;
  ExpressionPtr value_;
  Escaping escaping_ = Escaping::off;
};
class If : public Statement {
 public:
  using Statement::Statement;
  Result<Flow> run(Interpreter& in) const override;
  std::vector<std::pair<ExpressionPtr, Block>> branches_;
  Block otherwise_;
};
class For : public Statement {
 public:
  using Statement::Statement;
  Result<Flow> run(Interpreter& in) const override;
  Result<Flow> run_over(Interpreter& in, const Value& sequence, int depth0) const;
  Target target_;
  ExpressionPtr sequence_, condition_;  // condition_ may be absent
  bool is_recursive_ = false;
  Block body_, otherwise_;
};
class Set : public Statement {
 public:
  using Statement::Statement;
  Result<Flow> run(Interpreter& in) const override;
  Target target_;
  ExpressionPtr value_;
};
class SetBlock : public Statement {
 public:
  using Statement::Statement;
  Result<Flow> run(Interpreter& in) const override;
  Target target_;
  std::vector<FilterUse> filters_;
  Block body_;
};
class Macro : public Statement {
 public:
  using Statement::Statement;
  Result<Flow> run(Interpreter& in) const override;
  MacroDefinition definition_;
};
class CallBlock : public Statement {
 public:
  using Statement::Statement;
  Result<Flow> run(Interpreter& in) const override;
  ExpressionPtr function_;
  CallArguments arguments_;
  MacroDefinition caller_;
};
class FilterBlock : public Statement {
 public:
  using Statement::Statement;
  Result<Flow> run(Interpreter& in) const override;
  std::vector<FilterUse> filters_;
  Block body_;
  Escaping escaping_ = Escaping::off;
};
class Print : public Statement {  // {% print a, b %}
 public:
  using Statement::Statement;
  Result<Flow> run(Interpreter& in) const override;
  std::vector<ExpressionPtr> values_;
  Escaping escaping_ = Escaping::off;
};
class Autoescape : public Statement {
 public:
  using Statement::Statement;
  Result<Flow> run(Interpreter& in) const override;
  ExpressionPtr is_on_;
  Block body_;
};
// {% block name %}: a part of the page that self.name() shows again. It sees the template's own variables only, unless
// it is scoped.
class BlockTag : public Statement {
 public:
  using Statement::Statement;
  Result<Flow> run(Interpreter& in) const override;
  Result<Flow> show(Interpreter& in, Scope* around) const;
  std::string name_;
  bool is_scoped_ = false, is_required_ = false;
  Block body_;
};
// extends, include, import, from: there are no other templates to load.
class LoadTag : public Statement {
 public:
  LoadTag(int line, std::string tag) : Statement(line), tag_(std::move(tag)) {}
  Result<Flow> run(Interpreter& in) const override;
  std::string tag_;
};
class With : public Statement {
 public:
  using Statement::Statement;
  Result<Flow> run(Interpreter& in) const override;
  std::vector<std::pair<Target, ExpressionPtr>> variables_;
  Block body_;
};
class Generation : public Statement {
 public:
  using Statement::Statement;
  Result<Flow> run(Interpreter& in) const override;
  Block body_;
};
class LoopControl : public Statement {
 public:
  LoopControl(int line, Flow flow) : Statement(line), flow_(flow) {}
  Result<Flow> run(Interpreter& in) const override;
  Flow flow_;
};

}  // namespace hearth::jinja
