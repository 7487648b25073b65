// A recursive-descent parser with a bound on its depth.
#include "model_store/templates/parser.h"

#include <algorithm>
#include <charconv>

#include "model_store/templates/lexer.h"

namespace hearth::jinja {
namespace {

class Parser {
 public:
  Parser(std::vector<Token> tokens, int max_depth, size_t* constants_bytes)
      : tokens_(std::move(tokens)), max_depth_(max_depth), constants_bytes_(constants_bytes) {}

  Result<Block> whole() {
    Block body = TRY(block({}));
    if (!at(TokenKind::end)) return unexpected("the template's end");
    return body;
  }

 private:
  // ---- tokens
  const Token& current() const { return tokens_[at_]; }
  const Token& following() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  int line() const { return current().line; }
  bool at(TokenKind kind) const { return current().kind == kind; }
  bool at_symbol(std::string_view s) const { return at(TokenKind::symbol) && current().text == s; }
  bool at_name(std::string_view s) const { return at(TokenKind::name) && current().text == s; }
  void next() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool take_symbol(std::string_view s) {
    bool found = at_symbol(s);
    if (found) next();
    return found;
  }
  bool take_name(std::string_view s) {
    bool found = at_name(s);
    if (found) next();
    return found;
  }
  Error unexpected(std::string_view wanted) const {
    const char* names[] = {"text", "{{", "}}", "{%", "%}"};
    std::string got = at(TokenKind::end)                       ? "the end of the template"
                      : current().kind <= TokenKind::block_end ? names[static_cast<int>(current().kind)]
                                                               : "\"" + current().text.substr(0, 60) + "\"";
    return error(Code::invalid_argument, "line {} of the chat template: expected {}, got {}", line(), wanted, got);
  }
  Result<void> expect_symbol(std::string_view s) {
    if (!take_symbol(s)) return unexpected("\"" + std::string(s) + "\"");
    return {};
  }
  Result<std::string> expect_name() {
    if (!at(TokenKind::name)) return unexpected("a name");
    std::string name = current().text;
    next();
    return name;
  }
  Result<void> expect_block_end() {
    if (!at(TokenKind::block_end)) return unexpected("%}");
    next();
    return {};
  }

  struct Depth {
    int* depth;
    explicit Depth(int* d) : depth(d) {}
    Depth(Depth&& other) noexcept : depth(std::exchange(other.depth, nullptr)) {}
    ~Depth() {
      if (depth) --*depth;
    }
  };
  Result<Depth> enter() {
    if (depth_ >= max_depth_)
      return error(Code::resource_exhausted, "line {} of the chat template: nested deeper than {} levels", line(),
                   max_depth_);
    ++depth_;
    return Depth(&depth_);
  }

  // ---- statements
  // Up to {% one of `ends`, which is left to the caller (its name is the current token).
  Result<Block> block(std::initializer_list<std::string_view> ends) {
    auto depth = TRY(enter());
    Block out;
    for (;;) {
      if (at(TokenKind::end)) return out;
      if (at(TokenKind::text)) {
        out.push_back(std::make_unique<TextOutput>(line(), current().text));
        next();
      } else if (at(TokenKind::variable_begin)) {
        auto node = std::make_unique<ValueOutput>(line());
        next();
        node->value_ = TRY(tuple_or_expression());
        if (!at(TokenKind::variable_end)) return unexpected("}}");
        next();
        out.push_back(std::move(node));
      } else {
        next();  // block_begin
        if (!at(TokenKind::name)) return unexpected("a tag's name");
        if (std::find(ends.begin(), ends.end(), current().text) != ends.end()) return out;
        out.push_back(TRY(statement()));
      }
    }
  }

  // The block of a tag and its closing tag.
  Result<Block> body_until(std::string_view end) {
    TRY(expect_block_end());
    Block out = TRY(block({end}));
    if (!take_name(end)) return unexpected("{% " + std::string(end) + " %}");
    return out;
  }

  Result<StatementPtr> statement() {
    int start = line();
    std::string tag = TRY(expect_name());
    StatementPtr out;
    if (tag == "if")
      out = TRY(if_statement(start));
    else if (tag == "for")
      out = TRY(for_statement(start));
    else if (tag == "set")
      out = TRY(set_statement(start));
    else if (tag == "macro")
      out = TRY(macro_statement(start));
    else if (tag == "call")
      out = TRY(call_statement(start));
    else if (tag == "filter")
      out = TRY(filter_statement(start));
    else if (tag == "with")
      out = TRY(with_statement(start));
    else if (tag == "generation")
      out = TRY(generation_statement(start));
    else if (tag == "break" || tag == "continue")
      out = TRY(loop_control(start, tag));
    else
      return error(Code::invalid_argument, "line {} of the chat template: the tag \"{}\" is not known here", start,
                   tag.substr(0, 60));
    TRY(expect_block_end());
    return out;
  }

  Result<StatementPtr> loop_control(int start, const std::string& tag) {
    if (loop_depth_ == 0)
      return error(Code::invalid_argument, "line {} of the chat template: \"{}\" outside a loop", start, tag);
    return StatementPtr(std::make_unique<LoopControl>(start, tag == "break" ? Flow::break_loop : Flow::continue_loop));
  }

  Result<StatementPtr> if_statement(int start) {
    auto node = std::make_unique<If>(start);
    do {
      ExpressionPtr condition = TRY(tuple_or_expression());
      TRY(expect_block_end());
      node->branches_.emplace_back(std::move(condition), TRY(block({"elif", "else", "endif"})));
    } while (take_name("elif"));
    if (take_name("else")) {
      TRY(expect_block_end());
      node->otherwise_ = TRY(block({"endif"}));
    }
    if (!take_name("endif")) return unexpected("{% endif %}");
    return StatementPtr(std::move(node));
  }

  Result<StatementPtr> for_statement(int start) {
    auto node = std::make_unique<For>(start);
    node->target_ = TRY(target(/*may_be_attribute=*/false));
    if (!take_name("in")) return unexpected("\"in\"");
    node->sequence_ = TRY(tuple_or_expression(/*with_condition=*/false));
    if (take_name("if")) node->condition_ = TRY(expression());
    if (at_name("recursive"))
      return error(Code::unimplemented, "line {} of the chat template: recursive loops are not supported", start);
    TRY(expect_block_end());
    ++loop_depth_;
    node->body_ = TRY(block({"else", "endfor"}));
    --loop_depth_;
    if (take_name("else")) {
      TRY(expect_block_end());
      node->otherwise_ = TRY(block({"endfor"}));
    }
    if (!take_name("endfor")) return unexpected("{% endfor %}");
    return StatementPtr(std::move(node));
  }

  Result<StatementPtr> set_statement(int start) {
    Target to = TRY(target(/*may_be_attribute=*/true));
    if (take_symbol("=")) {
      auto node = std::make_unique<Set>(start);
      node->target_ = std::move(to);
      node->value_ = TRY(tuple_or_expression());
      return StatementPtr(std::move(node));
    }
    auto node = std::make_unique<SetBlock>(start);
    node->target_ = std::move(to);
    while (take_symbol("|")) node->filters_.push_back(TRY(filter()));
    node->body_ = TRY(isolated_body("endset"));
    return StatementPtr(std::move(node));
  }

  // A body that loop controls may not leave.
  Result<Block> isolated_body(std::string_view end) {
    int outside = std::exchange(loop_depth_, 0);
    Block out = TRY(body_until(end));
    loop_depth_ = outside;
    return out;
  }

  Result<void> signature(MacroDefinition& macro) {
    TRY(expect_symbol("("));
    while (!at_symbol(")")) {
      macro.parameters.push_back(TRY(expect_name()));
      if (take_symbol("="))
        macro.defaults.push_back(TRY(expression()));
      else if (!macro.defaults.empty())
        return unexpected("a default value");
      if (macro.parameters.size() > 255)
        return error(Code::resource_exhausted, "line {} of the chat template: more than 255 parameters", line());
      if (!take_symbol(",")) break;
    }
    return expect_symbol(")");
  }

  Result<StatementPtr> macro_statement(int start) {
    auto node = std::make_unique<Macro>(start);
    node->definition_.name = TRY(expect_name());
    TRY(signature(node->definition_));
    node->definition_.body = TRY(isolated_body("endmacro"));
    return StatementPtr(std::move(node));
  }

  Result<StatementPtr> call_statement(int start) {
    auto node = std::make_unique<CallBlock>(start);
    node->caller_.name = "caller";
    if (at_symbol("(")) TRY(signature(node->caller_));
    ExpressionPtr call = TRY(expression());
    // The last suffix must be a call; its arguments are ours.
    auto* chain = dynamic_cast<Chain*>(const_cast<Expression*>(call.get()));
    auto* last = chain && !chain->suffixes_.empty()
                     ? dynamic_cast<CallSuffix*>(const_cast<Suffix*>(chain->suffixes_.back().get()))
                     : nullptr;
    if (!last) return unexpected("a call");
    node->arguments_ = std::move(last->arguments_);
    chain->suffixes_.pop_back();
    node->function_ = std::move(call);
    node->caller_.body = TRY(isolated_body("endcall"));
    return StatementPtr(std::move(node));
  }

  Result<StatementPtr> filter_statement(int start) {
    auto node = std::make_unique<FilterBlock>(start);
    do {
      node->filters_.push_back(TRY(filter()));
    } while (take_symbol("|"));
    node->body_ = TRY(isolated_body("endfilter"));
    return StatementPtr(std::move(node));
  }

  Result<StatementPtr> with_statement(int start) {
    auto node = std::make_unique<With>(start);
    while (!at(TokenKind::block_end)) {
      Target to = TRY(target(false));
      TRY(expect_symbol("="));
      node->variables_.emplace_back(std::move(to), TRY(expression()));
      if (!take_symbol(",")) break;
    }
    node->body_ = TRY(body_until("endwith"));
    return StatementPtr(std::move(node));
  }

  Result<StatementPtr> generation_statement(int start) {
    auto node = std::make_unique<Generation>(start);
    node->body_ = TRY(isolated_body("endgeneration"));
    return StatementPtr(std::move(node));
  }

  // name | name.attribute | (a, b) | a, b
  Result<Target> target(bool may_be_attribute) {
    Target first = TRY(single_target(may_be_attribute));
    if (!at_symbol(",")) return first;
    Target all;
    all.parts.push_back(std::move(first));
    while (take_symbol(",")) {
      if (!at(TokenKind::name) && !at_symbol("(")) break;
      if (at_name("in")) break;
      all.parts.push_back(TRY(single_target(false)));
      if (all.parts.size() > 255)
        return error(Code::resource_exhausted, "line {} of the chat template: more than 255 targets", line());
    }
    return all;
  }

  Result<Target> single_target(bool may_be_attribute) {
    auto depth = TRY(enter());
    if (take_symbol("(")) {
      Target inner = TRY(target(false));
      TRY(expect_symbol(")"));
      return inner;
    }
    Target out;
    out.name = TRY(expect_name());
    if (is_reserved(out.name))
      return error(Code::invalid_argument, "line {} of the chat template: cannot assign to \"{}\"", line(), out.name);
    if (may_be_attribute && take_symbol(".")) out.attribute = TRY(expect_name());
    return out;
  }

  static bool is_reserved(std::string_view name) {
    for (std::string_view word :
         {"true", "false", "none", "True", "False", "None", "and", "or", "not", "if", "else", "in", "is"})
      if (name == word) return true;
    return false;
  }

  // ---- expressions
  // a, b, c is a tuple where a bare expression could stand.
  Result<ExpressionPtr> tuple_or_expression(bool with_condition = true) {
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

  Result<ExpressionPtr> expression() {
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
  Result<ExpressionPtr> logic(std::string_view word, Operand operand) {
    ExpressionPtr first = TRY(operand());
    if (!at_name(word)) return first;
    auto node = std::make_unique<Logic>();
    node->is_and_ = word == "and";
    node->operands_.push_back(std::move(first));
    while (take_name(word)) node->operands_.push_back(TRY(operand()));
    return ExpressionPtr(std::move(node));
  }
  Result<ExpressionPtr> logic_or() {
    return logic("or", [&] { return logic_and(); });
  }
  Result<ExpressionPtr> logic_and() {
    return logic("and", [&] { return logic_not(); });
  }

  Result<ExpressionPtr> logic_not() {
    if (!at_name("not")) return comparison();
    auto depth = TRY(enter());
    next();
    auto node = std::make_unique<Not>();
    node->operand_ = TRY(logic_not());
    return ExpressionPtr(std::move(node));
  }

  std::optional<Comparison> take_comparison() {
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

  Result<ExpressionPtr> comparison() {
    ExpressionPtr first = TRY(sum());
    auto kind = take_comparison();
    if (!kind) return first;
    auto node = std::make_unique<ComparisonChain>();
    node->first_ = std::move(first);
    for (; kind; kind = take_comparison()) node->rest_.emplace_back(*kind, TRY(sum()));
    return ExpressionPtr(std::move(node));
  }

  template <class Operand>
  Result<ExpressionPtr> binary(std::initializer_list<std::pair<std::string_view, BinaryOperator>> operators,
                               Operand operand) {
    ExpressionPtr first = TRY(operand());
    std::unique_ptr<BinaryChain> node;
    for (;;) {
      auto found = std::find_if(operators.begin(), operators.end(), [&](const auto& o) { return at_symbol(o.first); });
      if (found == operators.end()) break;
      next();
      if (!node) node = std::make_unique<BinaryChain>();
      node->rest_.emplace_back(found->second, TRY(operand()));
    }
    if (!node) return first;
    node->first_ = std::move(first);
    return ExpressionPtr(std::move(node));
  }
  Result<ExpressionPtr> sum() {
    return binary({{"+", BinaryOperator::add}, {"-", BinaryOperator::subtract}}, [&] { return concatenation(); });
  }
  Result<ExpressionPtr> concatenation() {
    return binary({{"~", BinaryOperator::concatenate}}, [&] { return product(); });
  }
  Result<ExpressionPtr> product() {
    return binary({{"*", BinaryOperator::multiply},
                   {"/", BinaryOperator::divide},
                   {"//", BinaryOperator::floor_divide},
                   {"%", BinaryOperator::modulo}},
                  [&] { return power(); });
  }
  Result<ExpressionPtr> power() {
    return binary({{"**", BinaryOperator::power}}, [&] { return unary(true); });
  }

  Result<ExpressionPtr> unary(bool with_filter) {
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

  ExpressionPtr constant(std::string text) {
    return std::make_unique<Constant>(
        Value::text(Kind::string, std::make_shared<CountedString>(std::move(text), constants_bytes_)));
  }

  Result<ExpressionPtr> primary() {
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

  Result<ExpressionPtr> number() {
    const std::string& text = current().text;
    Value value;
    if (at(TokenKind::real)) {
      double d = 0;
      std::from_chars(text.data(), text.data() + text.size(), d);
      value = Value::real(d);
    } else {
      int64_t i = 0;
      if (std::from_chars(text.data(), text.data() + text.size(), i).ec != std::errc())
        return error(Code::invalid_argument, "line {} of the chat template: the number {} is too large", line(),
                     text.substr(0, 60));
      value = Value::integer(i);
    }
    next();
    return ExpressionPtr(std::make_unique<Constant>(value));
  }

  Result<ExpressionPtr> name() {
    std::string word = current().text;
    if (word == "true" || word == "True" || word == "false" || word == "False") {
      next();
      return ExpressionPtr(std::make_unique<Constant>(Value::boolean(word[0] == 't' || word[0] == 'T')));
    }
    if (word == "none" || word == "None") {
      next();
      return ExpressionPtr(std::make_unique<Constant>(Value::none()));
    }
    if (is_reserved(word)) return unexpected("an expression");
    next();
    return ExpressionPtr(std::make_unique<Name>(std::move(word)));
  }

  Result<ExpressionPtr> parenthesis() {
    if (take_symbol(")")) {
      auto empty = std::make_unique<ListDisplay>();
      empty->is_tuple_ = true;
      return ExpressionPtr(std::move(empty));
    }
    ExpressionPtr inner = TRY(tuple_or_expression());
    TRY(expect_symbol(")"));
    return inner;
  }

  Result<ExpressionPtr> list() {
    auto node = std::make_unique<ListDisplay>();
    while (!at_symbol("]")) {
      node->items_.push_back(TRY(expression()));
      if (!take_symbol(",")) break;
    }
    TRY(expect_symbol("]"));
    return ExpressionPtr(std::move(node));
  }

  Result<ExpressionPtr> dict() {
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

  // .name  [key]  [a:b:c]  (arguments)
  Result<void> postfix(Chain& chain) {
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

  Result<std::unique_ptr<const Suffix>> subscript() {
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

  Result<std::unique_ptr<const Suffix>> call() {
    auto node = std::make_unique<CallSuffix>();
    node->arguments_ = TRY(arguments());
    return std::unique_ptr<const Suffix>(std::move(node));
  }

  // "(" ... ")"
  Result<CallArguments> arguments() {
    TRY(expect_symbol("("));
    CallArguments out;
    while (!at_symbol(")")) {
      if (at_symbol("*") || at_symbol("**"))
        return error(Code::unimplemented, "line {} of the chat template: * and ** arguments are not supported", line());
      if (at(TokenKind::name) && following().kind == TokenKind::symbol && following().text == "=") {
        std::string keyword = current().text;
        next();
        next();
        out.named.emplace_back(std::move(keyword), TRY(expression()));
      } else {
        if (!out.named.empty()) return unexpected("a keyword argument");
        out.positional.push_back(TRY(expression()));
      }
      if (!take_symbol(",")) break;
    }
    TRY(expect_symbol(")"));
    return out;
  }

  Result<std::string> dotted_name() {
    std::string name = TRY(expect_name());
    while (take_symbol(".")) name += "." + TRY(expect_name());
    return name;
  }

  Result<FilterUse> filter() {
    FilterUse out;
    out.name = TRY(dotted_name());
    if (!find_filter(out.name))
      return error(Code::invalid_argument, "line {} of the chat template: no filter is called \"{}\"", line(),
                   out.name.substr(0, 60));
    if (at_symbol("(")) out.arguments = TRY(arguments());
    return out;
  }

  Result<void> filters_and_tests(Chain& chain) {
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

  bool at_test_operand() const {
    switch (current().kind) {
      case TokenKind::string:
      case TokenKind::integer:
      case TokenKind::real:
        return true;
      case TokenKind::symbol:
        return current().text == "[" || current().text == "{";
      case TokenKind::name: {
        for (std::string_view word : {"else", "or", "and", "if", "is", "in", "not", "recursive"})
          if (current().text == word) return false;
        return true;
      }
      default:
        return false;
    }
  }

  // is [not] name, name(arguments), or name operand
  Result<std::unique_ptr<const Suffix>> test() {
    auto node = std::make_unique<TestSuffix>();
    node->negated_ = take_name("not");
    node->name_ = at_symbol("==") || at_symbol("!=") || at_symbol("<") || at_symbol(">") ? current().text : "";
    if (!node->name_.empty())
      next();
    else
      node->name_ = TRY(dotted_name());
    if (!find_test(node->name_))
      return error(Code::invalid_argument, "line {} of the chat template: no test is called \"{}\"", line(),
                   node->name_.substr(0, 60));
    if (at_symbol("(")) {
      node->arguments_ = TRY(arguments());
    } else if (at_test_operand()) {
      auto operand = std::make_unique<Chain>();
      operand->base_ = TRY(primary());
      TRY(postfix(*operand));
      node->arguments_.positional.push_back(std::move(operand));
    }
    return std::unique_ptr<const Suffix>(std::move(node));
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0, max_depth_, loop_depth_ = 0;
  size_t* constants_bytes_;
};

}  // namespace

Result<ParsedTemplate> parse_template(std::string_view source, int max_depth, size_t* constants_bytes) {
  auto tokens = TRY(tokenize_template(source));
  ParsedTemplate out;
  out.body = TRY(Parser(std::move(tokens), max_depth, constants_bytes).whole());
  return out;
}

}  // namespace hearth::jinja
