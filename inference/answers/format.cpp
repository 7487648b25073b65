// The table of formats. A row applies when the template's text holds all of its evidence; the first one wins.
#include "inference/answers/format.h"

#include <algorithm>

namespace hearth::answers {
namespace {

using Kind = HeaderField::Kind;

struct CallRow {
  std::vector<std::string_view> evidence;
  CallFormat format;
  bool short_call_ids = false;
};

// <open name NAME_END <parameter ...> ... close
TaggedCalls tags(std::string name_end, std::string open, std::string parameter_name_end, std::string parameter_close,
                 std::string close, bool trims_newlines, bool skips_attributes = false) {
  return {.name_end = std::move(name_end),
          .parameter_open = std::move(open),
          .parameter_name_end = std::move(parameter_name_end),
          .parameter_close = std::move(parameter_close),
          .skips_attributes = skips_attributes,
          .trims_newlines = trims_newlines,
          .close = std::move(close)};
}

TaggedCalls keys_and_values() {
  TaggedCalls out = tags("\n", "<arg_key>", "</arg_key>", "</arg_value>", "</tool_call>", false);
  out.name_may_end_bare = true;
  out.between = "<arg_value>";
  return out;
}

NamedJsonCalls named(std::vector<HeaderField> header, std::vector<std::string> closes) {
  return {std::move(header), std::move(closes)};
}

// From the most particular evidence to the most general.
std::vector<CallRow> call_rows() {
  return {
      // <｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{}\n```<｜tool▁call▁end｜>, later f<｜tool▁sep｜>{}
      {{"<｜tool▁call▁begin｜>"},
       {.grammars = {{"<｜tool▁call▁begin｜>",
                      named({{Kind::word, "<｜tool▁sep｜>", "function"}, {Kind::name, "\n```json\n", ""}},
                            {"```", "<｜tool▁call▁end｜>"})},
                     {"<｜tool▁call▁begin｜>", named({{Kind::name, "<｜tool▁sep｜>", ""}}, {"<｜tool▁call▁end｜>"})}},
        .wrappers = {"<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"},
        .ends_reasoning = true}},
      // <｜DSML｜invoke name="f"><｜DSML｜parameter name="a" string="true">x</｜DSML｜parameter></｜DSML｜invoke>
      {{"｜DSML｜"},
       {.grammars = {{"<｜DSML｜invoke name=\"", tags("\">", "<｜DSML｜parameter name=\"", "\"", "</｜DSML｜parameter>",
                                                      "</｜DSML｜invoke>", false, true)}},
        .wrappers = {"<｜DSML｜function_calls>", "</｜DSML｜function_calls>"}}},
      // <|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}<|tool_call_end|>
      {{"<|tool_call_begin|>", "<|tool_call_argument_begin|>"},
       {.grammars = {{"<|tool_call_begin|>",
                      named({{Kind::id_and_name, "<|tool_call_argument_begin|>", ""}}, {"<|tool_call_end|>"})}},
        .wrappers = {"<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"},
        .ends_reasoning = true}},
      // ]<]minimax[>[<invoke name="f">]<]minimax[>[<a>x]<]minimax[>[</a>]<]minimax[>[</invoke>
      {{"]<]minimax[>["},
       {.grammars = {{"]<]minimax[>[<invoke name=\"",
                      tags("\">", "]<]minimax[>[<", ">", "]<]minimax[>[</NAME>", "]<]minimax[>[</invoke>", false)}},
        .wrappers = {"]<]minimax[>[<tool_call>", "]<]minimax[>[</tool_call>"}}},
      // <minimax:tool_call><invoke name="f"><parameter name="a">x</parameter></invoke></minimax:tool_call>
      {{"<minimax:tool_call>"},
       {.grammars = {{"<invoke name=\"",
                      tags("\">", "<parameter name=\"", "\"", "</parameter>", "</invoke>", false, true)}},
        .wrappers = {"<minimax:tool_call>", "</minimax:tool_call>"}}},
      // <seed:tool_call><function=f><parameter=a>x</parameter></function></seed:tool_call>
      {{"<seed:tool_call>"},
       {.grammars = {{"<function=", tags(">", "<parameter=", ">", "</parameter>", "</function>", false)}},
        .wrappers = {"<seed:tool_call>", "</seed:tool_call>"}}},
      // <tool_call>f<arg_key>a</arg_key><arg_value>x</arg_value></tool_call>
      {{"<arg_key>"}, {.grammars = {{"<tool_call>", keys_and_values()}}}},
      // <|tool_call:begin|>ID<|tool_call:name|>f<|tool_call:args|>{}<|tool_call:end|>
      {{"<|tool_call:begin|>"},
       {.grammars = {{"<|tool_call:begin|>",
                      named({{Kind::id, "<|tool_call:name|>", ""}, {Kind::name, "<|tool_call:args|>", ""}},
                            {"<|tool_call:end|>"})}},
        .wrappers = {"<|tool_calls|>", "<|calls|>"},
        .ignored = {"<|begin|>assistant", "<|content|>"}}},
      // <tool_call>\n<function=f>\n<parameter=a>\nx\n</parameter>\n</function>\n</tool_call>
      {{"<function=", "<parameter="},
       {.grammars = {{"<function=", tags(">", "<parameter=", ">", "</parameter>", "</function>", true)}},
        .wrappers = {"<tool_call>", "</tool_call>"}}},
      // [TOOL_CALLS][{"name": ...}], later [TOOL_CALLS]f[CALL_ID]ID[ARGS]{} and [TOOL_CALLS]f[ARGS]{}
      {{"[TOOL_CALLS]"},
       {.grammars = {{"[TOOL_CALLS]", JsonCalls{}},
                     {"[TOOL_CALLS]", named({{Kind::name, "[CALL_ID]", ""}, {Kind::id, "[ARGS]", ""}}, {})},
                     {"[TOOL_CALLS]", named({{Kind::name, "[ARGS]", ""}}, {})}},
        .ends_reasoning = true},
       true},
      // <|START_ACTION|>[{"tool_call_id": "0", "tool_name": "f", "parameters": {}}]<|END_ACTION|>
      {{"<|START_ACTION|>"},
       {.grammars = {{"<|START_ACTION|>", JsonCalls{.close = "<|END_ACTION|>"}}},
        .ignored = {"<|START_RESPONSE|>", "<|END_RESPONSE|>"},
        .ends_reasoning = true}},
      // Action: ```json\n[{"tool_name": "f", "parameters": {}}]\n```
      {{"Action:", "```json"},
       {.grammars = {{"Action: ```json", JsonCalls{.close = "```"}}, {"Action:```json", JsonCalls{.close = "```"}}}}},
      // >>>f\n{} and >>>all\ntext
      {{">>>all"}, {.grammars = {{">>>", named({{Kind::name, "\n", ""}}, {})}}, .plain_name = "all"}},
      // <function=f>{}</function>
      {{"<function="}, {.grammars = {{"<function=", named({{Kind::name, ">", ""}}, {"</function>"})}}}},
      // <|tool_call|>[{"name": "f", "arguments": {}}]<|/tool_call|>
      {{"<|tool_call|>"}, {.grammars = {{"<|tool_call|>", JsonCalls{.close = "<|/tool_call|>"}}}}},
      // functools[{"name": "f", "arguments": {}}]
      {{"functools"}, {.grammars = {{"functools", JsonCalls{}}}}},
      // <|function_call|>{"name": "f", "arguments": {}}
      {{"<|function_call|>"}, {.grammars = {{"<|function_call|>", JsonCalls{.close = "<|message_sep|>"}}}}},
      {{"function call", "<|role_sep|>"},
       {.grammars = {{"function call<|role_sep|>", JsonCalls{.close = "<|message_sep|>"}}},
        .wrappers = {"<|message_sep|>"}}},
      // <|tool_call_start|>[f(a="x")]<|tool_call_end|>
      {{"<|tool_call_start|>"}, {.grammars = {{"<|tool_call_start|>", PythonicCalls{"<|tool_call_end|>", true}}}}},
      // <tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>
      {{"<tool_call>"}, {.grammars = {{"<tool_call>", JsonCalls{.close = "</tool_call>"}}}}},
      // {"name": "f", "parameters": {}} bare, or behind <|python_tag|>, or <|python_tag|>f.call(a="x")
      {{"<|start_header_id|>", "\"parameters\""},
       {.grammars = {{"<|python_tag|>", JsonCalls{.array = false, .separator = ';'}},
                     {"<|python_tag|>", PythonicCalls{"", false}},
                     {"", JsonCalls{.array = false, .separator = ';', .known_only = true}}}}},
  };
}

const std::vector<ReasoningMarks>& reasoning_rows() {
  static const std::vector<ReasoningMarks> rows = {
      {"<mm:think>", "</mm:think>"},
      {"<seed:think>", "</seed:think>"},
      {"[THINK]", "[/THINK]"},
      {"<|START_THINKING|>", "<|END_THINKING|>"},
      {"<|think|>", "<|end|>"},
      {"<think>", "</think>"},
      {"Here is my thought process:", "Here is my response:"},
  };
  return rows;
}

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

void add(std::vector<std::string>& to, const std::vector<std::string>& what) {
  to.insert(to.end(), what.begin(), what.end());
}

struct MarksOfStyle {
  std::vector<std::string>& out;
  void operator()(const JsonCalls& s) { out.push_back(s.close); }
  void operator()(const PythonicCalls& s) { out.push_back(s.close); }
  void operator()(const NamedJsonCalls& s) {
    for (const HeaderField& field : s.header) out.push_back(field.end);
    add(out, s.closes);
  }
  void operator()(const TaggedCalls& s) {
    add(out, {s.name_end, s.parameter_open, s.parameter_name_end, s.between, s.parameter_close, s.close});
  }
};

}  // namespace

std::vector<std::string> AnswerFormat::marks() const {
  std::vector<std::string> out;
  if (channels) out = {"<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|call|>", "<|return|>", "<|constrain|>"};
  for (const ReasoningMarks& r : reasoning) add(out, {r.open, r.close});
  if (calls) {
    add(out, calls->wrappers);
    add(out, calls->ignored);
    for (const CallGrammar& grammar : calls->grammars) {
      out.push_back(grammar.open);
      std::visit(MarksOfStyle{out}, grammar.style);
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  std::erase(out, "");
  return out;
}

AnswerFormat find_format(std::string_view source) {
  AnswerFormat out;
  if (holds(source, "<|channel|>") && holds(source, "<|message|>")) {
    out.channels = true;
    return out;
  }
  for (const ReasoningMarks& row : reasoning_rows())
    if (holds(source, row.open) || holds(source, row.close)) {
      out.reasoning.push_back(row);
      break;
    }
  static const std::vector<CallRow> rows = call_rows();
  for (const CallRow& row : rows)
    if (std::all_of(row.evidence.begin(), row.evidence.end(), [&](auto part) { return holds(source, part); })) {
      out.calls = row.format;
      out.short_call_ids = row.short_call_ids;
      break;
    }
  return out;
}

}  // namespace hearth::answers
