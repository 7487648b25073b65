// Statements: a recursive-descent parser with a bound on its depth.
#include "model_store/templates/parser.h"

#include "model_store/templates/expression_parser.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

class StatementParser : private ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;

  Result<ParsedTemplate> whole() {
    ParsedTemplate out;
    out.body = TRY(block({}));
    if (!at(TokenKind::end)) return unexpected("the template's end");
    out.blocks = std::move(blocks_);
    return out;
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
  Result<StatementPtr> print_statement(int start);
  Result<StatementPtr> autoescape_statement(int start);
  Result<StatementPtr> block_statement(int start);
  // What a tag that loads another template may say after its name; nothing is loaded.
  Result<StatementPtr> load_statement(int start, const std::string& tag);
  Result<void> imported_names();
  void take_context();
  // The body of a macro or a call, and which of caller, varargs and kwargs it mentions.
  Result<void> macro_body(MacroDefinition& macro, std::string_view end);
  // name | name.attribute | (a, b) | a, b
  Result<Target> target(bool may_be_attribute);
  Result<Target> single_target(bool may_be_attribute);

  int loop_depth_ = 0;
  std::map<std::string, const BlockTag*, std::less<>> blocks_;
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
      node->escaping_ = escaping_;
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
  using Parse = Result<StatementPtr> (StatementParser::*)(int);
  constexpr std::pair<std::string_view, Parse> kTags[] = {
      {"if", &StatementParser::if_statement},       {"for", &StatementParser::for_statement},
      {"set", &StatementParser::set_statement},     {"macro", &StatementParser::macro_statement},
      {"call", &StatementParser::call_statement},   {"filter", &StatementParser::filter_statement},
      {"with", &StatementParser::with_statement},   {"generation", &StatementParser::generation_statement},
      {"print", &StatementParser::print_statement}, {"autoescape", &StatementParser::autoescape_statement},
      {"block", &StatementParser::block_statement},
  };
  const int start = line();
  const std::string tag = TRY(expect_name());
  StatementPtr out;
  for (const auto& [name, parse] : kTags)
    if (name == tag) out = TRY((this->*parse)(start));
  if (tag == "break" || tag == "continue") out = TRY(loop_control(start, tag));
  if (tag == "extends" || tag == "include" || tag == "import" || tag == "from") out = TRY(load_statement(start, tag));
  if (!out)
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
    ExpressionPtr condition = TRY(tuple_or_expression(/*with_condition=*/false));
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
  node->is_recursive_ = take_name("recursive");
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
  TRY(macro_body(node->definition_, "endmacro"));
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
  TRY(macro_body(node->caller_, "endcall"));
  return StatementPtr(std::move(node));
}

Result<StatementPtr> StatementParser::filter_statement(int start) {
  auto node = std::make_unique<FilterBlock>(start);
  node->escaping_ = escaping_;
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

Result<void> StatementParser::macro_body(MacroDefinition& macro, std::string_view end) {
  const Mentions outside = std::exchange(mentions_, Mentions());
  macro.body = TRY(isolated_body(end));
  macro.uses_caller = mentions_.caller;
  macro.uses_varargs = mentions_.varargs;
  macro.uses_kwargs = mentions_.kwargs;
  mentions_ = {mentions_.caller || outside.caller, mentions_.varargs || outside.varargs,
               mentions_.kwargs || outside.kwargs};
  for (size_t i = 0; i + macro.defaults.size() < macro.parameters.size(); ++i)
    if (macro.uses_caller && macro.parameters[i] == "caller")
      return error(Code::invalid_argument, "line {} of the chat template: the parameter \"caller\" needs a default",
                   line());
  for (const std::string& parameter : macro.parameters) {
    macro.uses_varargs &= parameter != "varargs";
    macro.uses_kwargs &= parameter != "kwargs";
  }
  return {};
}

Result<StatementPtr> StatementParser::print_statement(int start) {
  auto node = std::make_unique<Print>(start);
  node->escaping_ = escaping_;
  while (!at(TokenKind::block_end)) {
    node->values_.push_back(TRY(expression()));
    if (!take_symbol(",")) break;
  }
  return StatementPtr(std::move(node));
}

Result<StatementPtr> StatementParser::autoescape_statement(int start) {
  auto node = std::make_unique<Autoescape>(start);
  node->is_on_ = TRY(expression());
  const auto* constant = dynamic_cast<const Constant*>(node->is_on_.get());
  const Escaping inside = !constant ? Escaping::when_run : truth(constant->value_) ? Escaping::on : Escaping::off;
  const Escaping outside = std::exchange(escaping_, inside);
  node->body_ = TRY(body_until("endautoescape"));
  escaping_ = outside;
  return StatementPtr(std::move(node));
}

Result<StatementPtr> StatementParser::block_statement(int start) {
  auto node = std::make_unique<BlockTag>(start);
  node->name_ = TRY(expect_name());
  node->is_scoped_ = take_name("scoped");
  node->is_required_ = take_name("required");
  if (!blocks_.emplace(node->name_, node.get()).second)
    return error(Code::invalid_argument, "line {} of the chat template: the block \"{}\" is there twice", start,
                 node->name_.substr(0, 60));
  node->body_ = TRY(isolated_body("endblock"));
  take_name(node->name_);
  for (const StatementPtr& inside : node->body_) {
    const auto* text = dynamic_cast<const TextOutput*>(inside.get());
    if (node->is_required_ && (!text || !strip_left(text->text_).empty()))
      return error(Code::invalid_argument, "line {} of the chat template: a required block holds blanks only", start);
  }
  return StatementPtr(std::move(node));
}

Result<StatementPtr> StatementParser::load_statement(int start, const std::string& tag) {
  TRY(expression());
  if (tag == "include" && take_name("ignore") && !take_name("missing")) return unexpected("\"missing\"");
  if (tag == "import") {
    if (!take_name("as")) return unexpected("\"as\"");
    TRY(expect_name());
  }
  if (tag == "from") TRY(imported_names());
  if (tag != "extends") take_context();
  return StatementPtr(std::make_unique<LoadTag>(start, tag));
}

Result<void> StatementParser::imported_names() {
  if (!take_name("import")) return unexpected("\"import\"");
  do {
    if (TRY(expect_name()).starts_with('_'))
      return error(Code::invalid_argument, "line {} of the chat template: names with _ cannot be imported", line());
    if (take_name("as")) TRY(expect_name());
  } while (take_symbol(","));
  return {};
}

void StatementParser::take_context() {
  if ((at_name("with") || at_name("without")) && following().text == "context") {
    next();
    next();
  }
}

Result<Target> StatementParser::target(bool may_be_attribute) {
  Target first = TRY(single_target(may_be_attribute));
  if (!at_symbol(",")) return first;
  Target all;
  all.parts.push_back(std::move(first));
  while (take_symbol(",")) {
    if (!at(TokenKind::name) && !at_symbol("(")) break;
    if (at_name("in")) break;
    all.parts.push_back(TRY(single_target(may_be_attribute)));
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
  return StatementParser(std::move(tokens), max_depth, constants_bytes).whole();
}

}  // namespace hearth::jinja
