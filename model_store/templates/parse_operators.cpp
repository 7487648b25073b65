// Operators of expressions, each level in a function of its own; chains of one level are flat.
#include "model_store/templates/expression_parser.h"

namespace hearth::jinja {

Result<ExpressionPtr> ExpressionParser::tuple_or_expression(bool with_condition) {
  auto one = [&] { return with_condition ? expression() : logic_or(); };
  ExpressionPtr first = TRY(one());
  if (!at_symbol(",")) return first;
  auto tuple = std::make_unique<ListDisplay>();
  tuple->is_tuple_ = true;
  tuple->items_.push_back(std::move(first));
  while (take_symbol(",")) {
    if (at(TokenKind::variable_end) || at(TokenKind::block_end) || at_symbol(")") || at_symbol("]")) break;
    tuple->items_.push_back(TRY(one()));
  }
  return ExpressionPtr(std::move(tuple));
}

Result<ExpressionPtr> ExpressionParser::expression() {
  auto depth = TRY(enter());
  ExpressionPtr then = TRY(logic_or());
  std::vector<Depth> kept;  // each condition wraps the one before
  while (take_name("if")) {
    auto node = std::make_unique<Conditional>();
    node->then_ = std::move(then);
    node->condition_ = TRY(logic_or());
    if (take_name("else")) node->otherwise_ = TRY(expression());
    then = std::move(node);
    kept.push_back(TRY(enter()));
  }
  return then;
}

template <class Operand>
Result<ExpressionPtr> ExpressionParser::logic(std::string_view word, Operand operand) {
  ExpressionPtr first = TRY(operand());
  if (!at_name(word)) return first;
  auto node = std::make_unique<Logic>();
  node->is_and_ = word == "and";
  node->operands_.push_back(std::move(first));
  while (take_name(word)) node->operands_.push_back(TRY(operand()));
  return ExpressionPtr(std::move(node));
}

Result<ExpressionPtr> ExpressionParser::logic_or() {
  return logic("or", [&] { return logic_and(); });
}

Result<ExpressionPtr> ExpressionParser::logic_and() {
  return logic("and", [&] { return logic_not(); });
}

Result<ExpressionPtr> ExpressionParser::logic_not() {
  if (!at_name("not")) return comparison();
  auto depth = TRY(enter());
  next();
  auto node = std::make_unique<Not>();
  node->operand_ = TRY(logic_not());
  return ExpressionPtr(std::move(node));
}

std::optional<Comparison> ExpressionParser::take_comparison() {
  constexpr std::pair<std::string_view, Comparison> kSymbols[] = {
      {"==", Comparison::equal},      {"!=", Comparison::not_equal}, {"<", Comparison::less},
      {"<=", Comparison::less_equal}, {">", Comparison::greater},    {">=", Comparison::greater_equal}};
  for (auto [symbol, comparison] : kSymbols)
    if (take_symbol(symbol)) return comparison;
  if (take_name("in")) return Comparison::in;
  if (at_name("not") && following().kind == TokenKind::name && following().text == "in") {
    next();
    next();
    return Comparison::not_in;
  }
  return std::nullopt;
}

Result<ExpressionPtr> ExpressionParser::comparison() {
  ExpressionPtr first = TRY(sum());
  auto kind = take_comparison();
  if (!kind) return first;
  auto node = std::make_unique<ComparisonChain>();
  node->first_ = std::move(first);
  for (; kind; kind = take_comparison()) node->rest_.emplace_back(*kind, TRY(sum()));
  return ExpressionPtr(std::move(node));
}

template <class Operand>
Result<ExpressionPtr> ExpressionParser::binary(
    std::initializer_list<std::pair<std::string_view, BinaryOperator>> operators, Operand operand) {
  ExpressionPtr first = TRY(operand());
  std::unique_ptr<BinaryChain> node;
  for (;;) {
    auto found = std::find_if(operators.begin(), operators.end(), [&](const auto& o) { return at_symbol(o.first); });
    if (found == operators.end()) break;
    next();
    if (!node) node = std::make_unique<BinaryChain>();
    node->escapes_ = escaping_ == Escaping::on;
    node->rest_.emplace_back(found->second, TRY(operand()));
  }
  if (!node) return first;
  node->first_ = std::move(first);
  return ExpressionPtr(std::move(node));
}

Result<ExpressionPtr> ExpressionParser::sum() {
  return binary({{"+", BinaryOperator::add}, {"-", BinaryOperator::subtract}}, [&] { return concatenation(); });
}

Result<ExpressionPtr> ExpressionParser::concatenation() {
  return binary({{"~", BinaryOperator::concatenate}}, [&] { return product(); });
}

Result<ExpressionPtr> ExpressionParser::product() {
  return binary({{"*", BinaryOperator::multiply},
                 {"/", BinaryOperator::divide},
                 {"//", BinaryOperator::floor_divide},
                 {"%", BinaryOperator::modulo}},
                [&] { return power(); });
}

Result<ExpressionPtr> ExpressionParser::power() {
  return binary({{"**", BinaryOperator::power}}, [&] { return unary(true); });
}

Result<ExpressionPtr> ExpressionParser::unary(bool with_filter) {
  auto chain = std::make_unique<Chain>();
  if (at_symbol("-") || at_symbol("+")) {
    auto depth = TRY(enter());
    auto node = std::make_unique<Negate>();
    node->negative_ = at_symbol("-");
    next();
    node->operand_ = TRY(unary(false));
    chain->base_ = std::move(node);
  } else {
    chain->base_ = TRY(primary());
  }
  TRY(postfix(*chain));
  if (with_filter) TRY(filters_and_tests(*chain));
  if (chain->suffixes_.empty()) return std::move(chain->base_);
  return ExpressionPtr(std::move(chain));
}

}  // namespace hearth::jinja
