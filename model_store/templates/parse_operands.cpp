// Operands of expressions, and the suffixes, filters and tests that follow them.
#include <charconv>
#include <cmath>

#include "model_store/templates/expression_parser.h"

namespace hearth::jinja {

bool ExpressionParser::is_reserved(std::string_view name) {
  for (std::string_view word : {"true", "false", "none", "True", "False", "None"})
    if (name == word) return true;
  return false;
}

ExpressionPtr ExpressionParser::constant(std::string text) {
  return std::make_unique<Constant>(
      Value::text(Kind::string, std::make_shared<CountedString>(Text(std::move(text)), constants_bytes_)));
}

Result<ExpressionPtr> ExpressionParser::primary() {
  if (at(TokenKind::string)) {
    std::string text;
    for (; at(TokenKind::string); next()) text += current().text;
    return constant(std::move(text));
  }
  if (at(TokenKind::integer) || at(TokenKind::real)) return number();
  if (at(TokenKind::name)) return name();
  if (take_symbol("(")) return parenthesis();
  if (take_symbol("[")) return list();
  if (take_symbol("{")) return dict();
  return unexpected("an expression");
}

Result<ExpressionPtr> ExpressionParser::number() {
  const std::string& text = current().text;
  Value value;
  if (at(TokenKind::real)) {
    double d = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), d).ec == std::errc::result_out_of_range)
      d = text.find("e-") == std::string::npos && text.find("E-") == std::string::npos ? HUGE_VAL : 0;
    value = Value::real(d);
  } else {
    int64_t i = 0;
    const bool is_based = text.size() > 2 && text[0] == '0' && (text[1] | 32) >= 'b';  // 0x, 0o, 0b
    const int base = !is_based ? 10 : (text[1] | 32) == 'x' ? 16 : (text[1] | 32) == 'o' ? 8 : 2;
    const auto [end, problem] = std::from_chars(text.data() + (is_based ? 2 : 0), text.data() + text.size(), i, base);
    if (problem != std::errc() || end != text.data() + text.size())
      return error(Code::invalid_argument, "line {} of the chat template: the number {} is too large", line(),
                   text.substr(0, 60));
    value = Value::integer(i);
  }
  next();
  return ExpressionPtr(std::make_unique<Constant>(value));
}

// As in Jinja2 a word of the language is a variable's name, too, where an operand stands: "a == not(b)" calls it.
Result<ExpressionPtr> ExpressionParser::name() {
  std::string word = current().text;
  if (word == "true" || word == "True" || word == "false" || word == "False") {
    next();
    return ExpressionPtr(std::make_unique<Constant>(Value::boolean(word[0] == 't' || word[0] == 'T')));
  }
  if (word == "none" || word == "None") {
    next();
    return ExpressionPtr(std::make_unique<Constant>(Value::none()));
  }
  mentions_.caller |= word == "caller";
  mentions_.varargs |= word == "varargs";
  mentions_.kwargs |= word == "kwargs";
  next();
  return ExpressionPtr(std::make_unique<Name>(std::move(word)));
}

Result<ExpressionPtr> ExpressionParser::parenthesis() {
  if (take_symbol(")")) {
    auto empty = std::make_unique<ListDisplay>();
    empty->is_tuple_ = true;
    return ExpressionPtr(std::move(empty));
  }
  ExpressionPtr inner = TRY(tuple_or_expression());
  TRY(expect_symbol(")"));
  return inner;
}

Result<ExpressionPtr> ExpressionParser::list() {
  auto node = std::make_unique<ListDisplay>();
  while (!at_symbol("]")) {
    node->items_.push_back(TRY(expression()));
    if (!take_symbol(",")) break;
  }
  TRY(expect_symbol("]"));
  return ExpressionPtr(std::move(node));
}

Result<ExpressionPtr> ExpressionParser::dict() {
  auto node = std::make_unique<DictDisplay>();
  while (!at_symbol("}")) {
    ExpressionPtr key = TRY(expression());
    TRY(expect_symbol(":"));
    node->items_.emplace_back(std::move(key), TRY(expression()));
    if (!take_symbol(",")) break;
  }
  TRY(expect_symbol("}"));
  return ExpressionPtr(std::move(node));
}

Result<void> ExpressionParser::postfix(Chain& chain) {
  for (;;) {
    if (take_symbol(".")) {
      if (at(TokenKind::integer)) {
        auto node = std::make_unique<ItemSuffix>();
        node->key_ = TRY(number());
        chain.suffixes_.push_back(std::move(node));
        continue;
      }
      auto node = std::make_unique<AttributeSuffix>();
      node->name_ = TRY(expect_name());
      chain.suffixes_.push_back(std::move(node));
    } else if (take_symbol("[")) {
      chain.suffixes_.push_back(TRY(subscript()));
    } else if (at_symbol("(")) {
      chain.suffixes_.push_back(TRY(call()));
    } else {
      return {};
    }
  }
}

Result<std::unique_ptr<const Suffix>> ExpressionParser::subscript() {
  using Out = std::unique_ptr<const Suffix>;
  ExpressionPtr first;
  if (!at_symbol(":")) {
    first = TRY(tuple_or_expression());
    if (take_symbol("]")) {
      auto node = std::make_unique<ItemSuffix>();
      node->key_ = std::move(first);
      return Out(std::move(node));
    }
  }
  auto node = std::make_unique<SliceSuffix>();
  node->begin_ = std::move(first);
  TRY(expect_symbol(":"));
  if (!at_symbol(":") && !at_symbol("]")) node->end_ = TRY(expression());
  if (take_symbol(":") && !at_symbol("]")) node->step_ = TRY(expression());
  TRY(expect_symbol("]"));
  return Out(std::move(node));
}

Result<std::unique_ptr<const Suffix>> ExpressionParser::call() {
  auto node = std::make_unique<CallSuffix>();
  node->arguments_ = TRY(arguments());
  return std::unique_ptr<const Suffix>(std::move(node));
}

Result<CallArguments> ExpressionParser::arguments() {
  TRY(expect_symbol("("));
  CallArguments out;
  while (!at_symbol(")")) {
    TRY(argument(out));
    if (!take_symbol(",")) break;
  }
  TRY(expect_symbol(")"));
  return out;
}

Result<void> ExpressionParser::argument(CallArguments& out) {
  if (out.more_named) return unexpected("the end of the arguments");
  if (take_symbol("**")) {
    out.more_named = TRY(expression());
  } else if (at_symbol("*")) {
    if (out.more_positional) return unexpected("one * argument");
    next();
    out.more_positional = TRY(expression());
  } else if (at(TokenKind::name) && following().kind == TokenKind::symbol && following().text == "=") {
    std::string keyword = current().text;
    next();
    next();
    out.named.emplace_back(std::move(keyword), TRY(expression()));
  } else {
    if (!out.named.empty() || out.more_positional) return unexpected("a keyword argument");
    out.positional.push_back(TRY(expression()));
  }
  return {};
}

Result<std::string> ExpressionParser::dotted_name() {
  std::string name = TRY(expect_name());
  while (take_symbol(".")) name += "." + TRY(expect_name());
  return name;
}

Result<FilterUse> ExpressionParser::filter() {
  FilterUse out;
  out.name = TRY(dotted_name());
  if (at_symbol("(")) out.arguments = TRY(arguments());
  return out;
}

Result<void> ExpressionParser::filters_and_tests(Chain& chain) {
  for (;;) {
    if (take_symbol("|")) {
      auto node = std::make_unique<FilterSuffix>();
      node->filter_ = TRY(filter());
      chain.suffixes_.push_back(std::move(node));
    } else if (take_name("is")) {
      chain.suffixes_.push_back(TRY(test()));
    } else if (at_symbol("(")) {
      chain.suffixes_.push_back(TRY(call()));
    } else {
      return {};
    }
  }
}

bool ExpressionParser::at_test_operand() const {
  switch (current().kind) {
    case TokenKind::string:
    case TokenKind::integer:
    case TokenKind::real:
      return true;
    case TokenKind::symbol:
      return current().text == "[" || current().text == "{";
    case TokenKind::name:
      return current().text != "else" && current().text != "or" && current().text != "and";
    default:
      return false;
  }
}

Result<std::unique_ptr<const Suffix>> ExpressionParser::test() {
  auto node = std::make_unique<TestSuffix>();
  node->negated_ = take_name("not");
  node->name_ = TRY(dotted_name());
  if (at_symbol("(")) {
    node->arguments_ = TRY(arguments());
  } else if (at_name("is")) {
    return error(Code::invalid_argument, "line {} of the chat template: tests cannot be chained with \"is\"", line());
  } else if (at_test_operand()) {
    auto operand = std::make_unique<Chain>();
    operand->base_ = TRY(primary());
    TRY(postfix(*operand));
    node->arguments_.positional.push_back(std::move(operand));
  }
  return std::unique_ptr<const Suffix>(std::move(node));
}

}  // namespace hearth::jinja
