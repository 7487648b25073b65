// Statements: a recursive-descent parser with a bound on its depth.
#include "model_store/templates/parser.h"

#include "model_store/templates/expression_parser.h"

namespace hearth::jinja {
namespace {

class StatementParser : private ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;

  Result<Block> whole() {
    Block body = TRY(block({}));
    if (!at(TokenKind::end)) return unexpected("the template's end");
    return body;
  }

 private:
  // Up to {% one of `ends`, which is left to the caller (its name is the current token).
  Result<Block> block(std::initializer_list<std::string_view> ends);
  // The block of a tag and its closing tag.
  Result<Block> body_until(std::string_view end);
  Result<StatementPtr> statement();
  Result<StatementPtr> loop_control(int start, const std::string& tag);
  Result<StatementPtr> if_statement(int start);
  Result<StatementPtr> for_statement(int start);
  Result<StatementPtr> set_statement(int start);
  // A body that loop controls may not leave.
  Result<Block> isolated_body(std::string_view end);
  Result<void> signature(MacroDefinition& macro);
  Result<StatementPtr> macro_statement(int start);
  Result<StatementPtr> call_statement(int start);
  Result<StatementPtr> filter_statement(int start);
  Result<StatementPtr> with_statement(int start);
  Result<StatementPtr> generation_statement(int start);
  // name | name.attribute | (a, b) | a, b
  Result<Target> target(bool may_be_attribute);
  Result<Target> single_target(bool may_be_attribute);

  int loop_depth_ = 0;
};

Result<Block> StatementParser::block(std::initializer_list<std::string_view> ends) {
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

Result<Block> StatementParser::body_until(std::string_view end) {
  TRY(expect_block_end());
  Block out = TRY(block({end}));
  if (!take_name(end)) return unexpected("{% " + std::string(end) + " %}");
  return out;
}

Result<StatementPtr> StatementParser::statement() {
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

Result<StatementPtr> StatementParser::loop_control(int start, const std::string& tag) {
  if (loop_depth_ == 0)
    return error(Code::invalid_argument, "line {} of the chat template: \"{}\" outside a loop", start, tag);
  return StatementPtr(std::make_unique<LoopControl>(start, tag == "break" ? Flow::break_loop : Flow::continue_loop));
}

Result<StatementPtr> StatementParser::if_statement(int start) {
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

Result<StatementPtr> StatementParser::for_statement(int start) {
  auto node = std::make_unique<For>(start);
  node->target_ = TRY(target(/*may_be_attribute=*/false));
  if (node->target_.name == "loop")
    return error(Code::invalid_argument, "line {} of the chat template: \"loop\" cannot be a loop's variable", start);
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

Result<StatementPtr> StatementParser::set_statement(int start) {
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

Result<Block> StatementParser::isolated_body(std::string_view end) {
  int outside = std::exchange(loop_depth_, 0);
  Block out = TRY(body_until(end));
  loop_depth_ = outside;
  return out;
}

Result<void> StatementParser::signature(MacroDefinition& macro) {
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

Result<StatementPtr> StatementParser::macro_statement(int start) {
  auto node = std::make_unique<Macro>(start);
  node->definition_.name = TRY(expect_name());
  TRY(signature(node->definition_));
  node->definition_.body = TRY(isolated_body("endmacro"));
  return StatementPtr(std::move(node));
}

Result<StatementPtr> StatementParser::call_statement(int start) {
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

Result<StatementPtr> StatementParser::filter_statement(int start) {
  auto node = std::make_unique<FilterBlock>(start);
  do {
    node->filters_.push_back(TRY(filter()));
  } while (take_symbol("|"));
  node->body_ = TRY(isolated_body("endfilter"));
  return StatementPtr(std::move(node));
}

Result<StatementPtr> StatementParser::with_statement(int start) {
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

Result<StatementPtr> StatementParser::generation_statement(int start) {
  auto node = std::make_unique<Generation>(start);
  node->body_ = TRY(isolated_body("endgeneration"));
  return StatementPtr(std::move(node));
}

Result<Target> StatementParser::target(bool may_be_attribute) {
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

Result<Target> StatementParser::single_target(bool may_be_attribute) {
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

}  // namespace

Result<ParsedTemplate> parse_template(std::string_view source, int max_depth, size_t* constants_bytes) {
  auto tokens = TRY(tokenize_template(source));
  ParsedTemplate out;
  out.body = TRY(StatementParser(std::move(tokens), max_depth, constants_bytes).whole());
  return out;
}

}  // namespace hearth::jinja
