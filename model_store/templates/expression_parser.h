// Expressions of the template language: operators (parse_operators.cpp) and what they are applied to
// (parse_operands.cpp).
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>

#include "model_store/templates/ast.h"
#include "model_store/templates/token_reader.h"

namespace hearth::jinja {

class ExpressionParser : protected TokenReader {
 public:
  // `constants_bytes` counts the strings that stand in the template.
  ExpressionParser(std::vector<Token> tokens, int max_depth, size_t* constants_bytes)
      : TokenReader(std::move(tokens), max_depth), constants_bytes_(constants_bytes) {}

 protected:
  // a, b, c is a tuple where a bare expression could stand.
  Result<ExpressionPtr> tuple_or_expression(bool with_condition = true);
  Result<ExpressionPtr> expression();
  Result<FilterUse> filter();
  // "(" ... ")"
  Result<CallArguments> arguments();
  Result<void> argument(CallArguments& out);
  static bool is_reserved(std::string_view name);

  Escaping escaping_ = Escaping::off;  // where the parser is
  // Which of these the macro under way mentions.
  struct Mentions {
    bool caller = false, varargs = false, kwargs = false;
  } mentions_;

 private:
  // Operators, from the weakest to the strongest.
  template <class Operand>
  Result<ExpressionPtr> logic(std::string_view word, Operand operand);
  Result<ExpressionPtr> logic_or();
  Result<ExpressionPtr> logic_and();
  Result<ExpressionPtr> logic_not();
  std::optional<Comparison> take_comparison();
  Result<ExpressionPtr> comparison();
  template <class Operand>
  Result<ExpressionPtr> binary(std::initializer_list<std::pair<std::string_view, BinaryOperator>> operators,
                               Operand operand);
  Result<ExpressionPtr> sum();
  Result<ExpressionPtr> concatenation();
  Result<ExpressionPtr> product();
  Result<ExpressionPtr> power();
  Result<ExpressionPtr> unary(bool with_filter);

  // Operands.
  ExpressionPtr constant(std::string text);
  Result<ExpressionPtr> primary();
  Result<ExpressionPtr> number();
  Result<ExpressionPtr> name();
  Result<ExpressionPtr> parenthesis();
  Result<ExpressionPtr> list();
  Result<ExpressionPtr> dict();

  // What may follow one: .name  [key]  [a:b:c]  (arguments)  |filter  is test
  Result<void> postfix(Chain& chain);
  Result<std::unique_ptr<const Suffix>> subscript();
  Result<std::unique_ptr<const Suffix>> call();
  Result<std::string> dotted_name();
  Result<void> filters_and_tests(Chain& chain);
  bool at_test_operand() const;
  // is [not] name, name(arguments), or name operand
  Result<std::unique_ptr<const Suffix>> test();

  size_t* constants_bytes_;
};

}  // namespace hearth::jinja
