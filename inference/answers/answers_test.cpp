// Answers read back: every style of call, reasoning, malformed text; and however the text is cut, the same comes out.
#include <gtest/gtest.h>

#include <random>

#include "inference/answers/answer_parser.h"

namespace hearth::answers::answers_test {
namespace {

Tools test_tools() {
  return Tools(*parse_json(R"([
    {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {
      "city": {"type": "string"}, "days": {"type": "integer"}, "where": {"type": "object"}}}}},
    {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {
      "a": {"type": "integer"}, "b": {"type": "integer"}}}}}])"));
}

struct Case {
  const char* name;
  const char* source;  // what of the chat template tells the format
  std::string prompt, text;
  std::string content, reasoning;
  std::vector<std::pair<std::string, std::string>> calls;  // name, arguments
  bool offers_tools = true;
};

const std::string kHermes =
    "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1, \"b\": [2, \"}\"]}}\n</tool_call>";
constexpr const char* kLlama = "<|start_header_id|> \"parameters\" <|python_tag|>";
constexpr const char* kDeepSeek = "<think></think><｜tool▁call▁begin｜>";
constexpr const char* kCoder = "<tool_call><function=<parameter=";
constexpr const char* kGlm = "<think><tool_call><arg_key>";
constexpr const char* kHarmony = "<|channel|><|message|>";
constexpr const char* kMistral = "[TOOL_CALLS][THINK]";

// Well-formed answers, in every family's own way.
std::vector<Case> good_cases() {
  return {
      {"plain", "", "", " Hello\n", " Hello\n", "", {}},
      {"hermes",
       "<tool_call>",
       "",
       "Let me see.\n" + kHermes,
       "Let me see.",
       "",
       {{"add", R"({"a": 1, "b": [2, "}"]})"}}},
      {"hermes twice",
       "<tool_call>",
       "",
       kHermes + "\n" + kHermes,
       "",
       "",
       {{"add", R"({"a": 1, "b": [2, "}"]})"}, {"add", R"({"a": 1, "b": [2, "}"]})"}}},
      {"hermes, text behind",
       "<tool_call>",
       "",
       kHermes + "\nDone.",
       "\nDone.",
       "",
       {{"add", R"({"a": 1, "b": [2, "}"]})"}}},
      {"hermes, arguments first",
       "<tool_call>",
       "",
       R"(<tool_call>{"arguments": {"a": 1}, "name": "add"}</tool_call>)",
       "",
       "",
       {{"add", R"({"a": 1})"}}},
      {"hermes, arguments as text",
       "<tool_call>",
       "",
       R"(<tool_call>{"name": "add", "arguments": "{\"a\": 1}"}</tool_call>)",
       "",
       "",
       {{"add", R"({"a": 1})"}}},
      {"hermes, none offered", "<tool_call>", "", kHermes, kHermes, "", {}, false},
      {"thinking", "<think><tool_call>", "", "<think>\nHm.\n\n</think>\n\n4", "4", "Hm.", {}},
      {"thinking, opened by the prompt", "<think>", "user: 2+2\n<think>\n", "Hm.</think>4", "4", "Hm.", {}},
      {"thinking, then a call",
       "<think><tool_call>",
       "<think>\n",
       "Add.\n</think>\n\n" + kHermes,
       "",
       "Add.",
       {{"add", R"({"a": 1, "b": [2, "}"]})"}}},
      {"thinking, not closed", "<think>", "<think>", "Hm. <b", "", "Hm. <b", {}},
      {"thinking, closed only", "<think>", "", "</think>\n4", "4", "", {}},
      {"llama",
       kLlama,
       "",
       R"({"name": "add", "parameters": {"a": 1, "b": 2}})",
       "",
       "",
       {{"add", R"({"a": 1, "b": 2})"}}},
      {"llama, two",
       kLlama,
       "",
       R"({"name": "add", "parameters": {"a": 1}}; {"name": "get_weather", "parameters": {"city": "Oslo"}})",
       "",
       "",
       {{"add", R"({"a": 1})"}, {"get_weather", R"({"city": "Oslo"})"}}},
      {"llama, typed",
       kLlama,
       "",
       R"({"type": "function", "function": "add", "parameters": {"a": 1}})",
       "",
       "",
       {{"add", R"({"a": 1})"}}},
      {"llama, python tag",
       kLlama,
       "",
       R"(<|python_tag|>{"name": "add", "parameters": {"a": 1}})",
       "",
       "",
       {{"add", R"({"a": 1})"}}},
      {"llama, built-in",
       kLlama,
       "",
       R"(<|python_tag|>brave_search.call(query="a \"b\""))",
       "",
       "",
       {{"brave_search", R"({"query":"a \"b\""})"}}},
      {"llama, JSON that is an answer", kLlama, "", R"({"city": "Oslo"})", R"({"city": "Oslo"})", "", {}},
      {"llama, unknown tool",
       kLlama,
       "",
       R"({"name": "Ann", "parameters": {}})",
       R"({"name": "Ann", "parameters": {}})",
       "",
       {}},
      {"coder",
       kCoder,
       "",
       "<tool_call>\n<function=get_weather>\n<parameter=city>\nNew\n\"York\"\n</parameter>\n<parameter=days>\n3\n</"
       "parameter>\n"
       "<parameter=where>\n{\"x\": [1]}\n</parameter>\n</function>\n</tool_call>",
       "",
       "",
       {{"get_weather", R"({"city": "New\n\"York\"", "days": 3, "where": {"x": [1]}})"}}},
      {"coder, a string of digits",
       kCoder,
       "",
       "<function=get_weather><parameter=city>\n0123\n</parameter></function>",
       "",
       "",
       {{"get_weather", R"({"city": "0123"})"}}},
      {"coder, no parameters",
       kCoder,
       "",
       "Go.<tool_call><function=add></function></tool_call>",
       "Go.",
       "",
       {{"add", "{}"}}},
      {"glm",
       kGlm,
       "<think>",
       "Hm.</think><tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Oslo</arg_value>\n<arg_key>days</"
       "arg_key>\n"
       "<arg_value>3</arg_value>\n</tool_call>",
       "",
       "Hm.",
       {{"get_weather", R"({"city": "Oslo", "days": 3})"}}},
      {"glm, tight",
       kGlm,
       "",
       "<tool_call>add<arg_key>a</arg_key><arg_value>1</arg_value></tool_call>",
       "",
       "",
       {{"add", R"({"a": 1})"}}},
      {"glm, nothing", kGlm, "", "<tool_call>add</tool_call>", "", "", {{"add", "{}"}}},
      {"minimax",
       "<minimax:tool_call>",
       "",
       "<minimax:tool_call>\n<invoke name=\"get_weather\">\n<parameter name=\"city\">Oslo</parameter>\n</invoke>\n"
       "<invoke name=\"add\">\n<parameter name=\"a\">1</parameter>\n</invoke>\n</minimax:tool_call>",
       "",
       "",
       {{"get_weather", R"({"city": "Oslo"})"}, {"add", R"({"a": 1})"}}},
      {"dsml",
       "｜DSML｜",
       "",
       "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"f\">\n<｜DSML｜parameter name=\"a\" "
       "string=\"true\">1</｜DSML｜parameter>\n"
       "<｜DSML｜parameter name=\"b\" "
       "string=\"false\">1</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>",
       "",
       "",
       {{"f", R"({"a": "1", "b": 1})"}}},
      {"seed",
       "<seed:think><seed:tool_call>",
       "",
       "<seed:think>Hm</seed:think><seed:tool_call>\n<function=add>\n<parameter=a>1</parameter>\n</function>\n</"
       "seed:tool_call>",
       "",
       "Hm",
       {{"add", R"({"a": 1})"}}},
      {"mistral, array",
       kMistral,
       "",
       R"([TOOL_CALLS][{"name": "add", "arguments": {"a": 1}}, {"name": "add", "arguments": {}}])",
       "",
       "",
       {{"add", R"({"a": 1})"}, {"add", "{}"}}},
      {"mistral, header",
       kMistral,
       "",
       R"([THINK]Hm[/THINK][TOOL_CALLS]add[ARGS]{"a": 1}[TOOL_CALLS]add[CALL_ID]abc123456[ARGS]{"a": 2})",
       "",
       "Hm",
       {{"add", R"({"a": 1})"}, {"add", R"({"a": 2})"}}},
      {"mistral, thinking not closed",
       kMistral,
       "",
       R"([THINK]Hm[TOOL_CALLS]add[ARGS]{"a": 1})",
       "",
       "Hm",
       {{"add", R"({"a": 1})"}}},
      {"deepseek v3",
       kDeepSeek,
       "",
       "Well.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>add\n```json\n{\"a\": "
       "1}\n```<｜tool▁call▁end｜>\n"
       "<｜tool▁call▁begin｜>function<｜tool▁sep｜>add\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
       "Well.",
       "",
       {{"add", R"({"a": 1})"}, {"add", "{}"}}},
      {"deepseek v3.1",
       kDeepSeek,
       "<think>",
       "Hm</think><｜tool▁calls▁begin｜><｜tool▁call▁begin｜>add<｜tool▁sep｜>{\"a\": "
       "1}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
       "",
       "Hm",
       {{"add", R"({"a": 1})"}}},
      {"kimi",
       "<|tool_calls_section_begin|><|tool_call_begin|><|tool_call_argument_begin|>",
       "",
       "<|tool_calls_section_begin|><|tool_call_begin|>functions.add:0<|tool_call_argument_begin|>{\"a\": "
       "1}<|tool_call_end|>"
       "<|tool_call_begin|>functions.add:1<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>",
       "",
       "",
       {{"add", R"({"a": 1})"}, {"add", "{}"}}},
      {"granite",
       "<|tool_call|>",
       "",
       R"(<|tool_call|>[{"name": "add", "arguments": {"a": 1}}])",
       "",
       "",
       {{"add", R"({"a": 1})"}}},
      {"granite, thinking",
       "Here is my thought process:",
       "",
       "Here is my thought process: Hm.\nHere is my response: 4",
       "4",
       "Hm.",
       {}},
      {"functools",
       "functools",
       "",
       R"(functools[{"name": "add", "arguments": {"a": 1}}])",
       "",
       "",
       {{"add", R"({"a": 1})"}}},
      {"command",
       "<|START_THINKING|><|START_ACTION|>",
       "",
       "<|START_THINKING|>Hm<|END_THINKING|><|START_ACTION|>[\n  {\"tool_call_id\": \"0\", \"tool_name\": \"add\", "
       "\"parameters\": "
       "{\"a\": 1}}\n]<|END_ACTION|>",
       "",
       "Hm",
       {{"add", R"({"a": 1})"}}},
      {"command, an answer", "<|START_ACTION|>", "", "<|START_RESPONSE|>Four.<|END_RESPONSE|>", "Four.", "", {}},
      {"functionary",
       ">>>all",
       "assistant\n\n>>>",
       "all\nWell.\n>>>add\n{\"a\": 1}",
       "Well.",
       "",
       {{"add", R"({"a": 1})"}}},
      {"functionary, at once", ">>>all", "assistant\n\n>>>", "add\n{\"a\": 1}", "", "", {{"add", R"({"a": 1})"}}},
      {"functionary, none offered", ">>>all", "assistant\n\n>>>", "all\nWell.", "Well.", "", {}, false},
      {"function tags", "<function=", "", "<function=add>{\"a\": 1}</function>", "", "", {{"add", R"({"a": 1})"}}},
      {"giga",
       "<|function_call|>",
       "",
       R"(<|function_call|>{"name": "add", "arguments": {"a": 1}})",
       "",
       "",
       {{"add", R"({"a": 1})"}}},
      {"lfm",
       "<|tool_call_start|>",
       "",
       "<|tool_call_start|>[add(a=1, b=[True, None, 'x']), get_weather(city='O\\'slo', where={'x': "
       "-1.5})]<|tool_call_end|>Fine.",
       "Fine.",
       "",
       {{"add", R"({"a":1,"b":[true,null,"x"]})"}, {"get_weather", R"({"city":"O'slo","where":{"x":-1.5}})"}}},
      {"channels",
       kHarmony,
       "<|start|>assistant",
       "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary<|message|>I "
       "look.<|end|><|start|>assistant"
       "<|channel|>commentary to=functions.add <|constrain|>json<|message|>{\"a\": 1}<|call|>",
       "I look.",
       "Hm.",
       {{"add", R"({"a": 1})"}}},
      {"channels, recipient first",
       kHarmony,
       "<|start|>assistant",
       " to=functions.add<|channel|>commentary json<|message|>{\"a\": 1}",
       "",
       "",
       {{"add", R"({"a": 1})"}}},
      {"channels, an answer",
       kHarmony,
       "<|start|>assistant",
       "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Four < five.<|return|>",
       "Four < five.",
       "Hm.",
       {}},
  };
}

// Text that is no call, wholly or from some place on: it must all be there.
std::vector<Case> malformed_cases() {
  const std::string bad_hermes = "<tool_call>\n{\"name\": \"add\", \"arguments\": [1}\n</tool_call>";
  return {
      {"no JSON", "<tool_call>", "", "a <tool_call> b", "a <tool_call> b", "", {}},
      {"bad JSON", "<tool_call>", "", bad_hermes, bad_hermes, "", {}},
      {"no name",
       "<tool_call>",
       "",
       "<tool_call>{\"arguments\": {}}</tool_call>",
       "<tool_call>{\"arguments\": {}}</tool_call>",
       "",
       {}},
      {"a name that is none",
       "<tool_call>",
       "",
       "<tool_call>{\"name\": \"a b\"}",
       "<tool_call>{\"name\": \"a b\"}",
       "",
       {}},
      {"cut off in the name",
       "<tool_call>",
       "",
       "x <tool_call>{\"name\": \"ad",
       "x <tool_call>{\"name\": \"ad",
       "",
       {}},
      {"cut off in the mark", "<tool_call>", "", "x <tool_", "x <tool_", "", {}},
      {"cut off in the arguments",
       "<tool_call>",
       "",
       "<tool_call>{\"name\": \"add\", \"arguments\": {\"a\": 1",
       "",
       "",
       {{"add", "{\"a\": 1"}}},
      {"bad arguments",
       "<tool_call>",
       "",
       "<tool_call>{\"name\": \"add\", \"arguments\": {\"a\": x}}",
       "x}}",
       "",
       {{"add", "{\"a\": "}}},
      {"one mark in another",
       "<tool_call>",
       "",
       "<tool_call><tool_call>" + kHermes.substr(11),
       "<tool_call>",
       "",
       {{"add", R"({"a": 1, "b": [2, "}"]})"}}},
      {"array that breaks",
       kMistral,
       "",
       R"([TOOL_CALLS][{"name": "add", "arguments": {}}, 5] x)",
       ", 5] x",
       "",
       {{"add", "{}"}}},
      {"header without arguments", kMistral, "", "[TOOL_CALLS]add now", "[TOOL_CALLS]add now", "", {}},
      {"wrapper alone", kCoder, "", "Use <tool_call> so </tool_call>.", "Use <tool_call> so </tool_call>.", "", {}},
      {"tags that break", kCoder, "", "<function=add><parameter=a>1</parameter> oh", " oh", "", {{"add", "{\"a\": 1"}}},
      {"value not closed", kCoder, "", "<function=add><parameter=a>1", "1", "", {{"add", "{\"a\": "}}},
      {"not python", "<|tool_call_start|>", "", "<|tool_call_start|>[add(1)]", "<|tool_call_start|>[add(1)]", "", {}},
      {"python cut off",
       "<|tool_call_start|>",
       "",
       "<|tool_call_start|>[add(a=1",
       "<|tool_call_start|>[add(a=1",
       "",
       {}},
      {"no channel", kHarmony, "<|start|>assistant", "Hello <|mess", "Hello <|mess", "", {}},
      {"a header that is none", kHarmony, "<|start|>assistant", "<|channel|>fin", "<|channel|>fin", "", {}},
      {"deep nesting",
       "<tool_call>",
       "",
       "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\":" + std::string(200, '['),
       std::string(200 - 63, '['),
       "",
       {{"f", "{\"a\":" + std::string(63, '[')}}},
  };
}

void append(AnswerDelta& whole, const AnswerDelta& delta) {
  whole.content += delta.content;
  whole.reasoning += delta.reasoning;
  for (const CallDelta& call : delta.calls) {
    if (static_cast<size_t>(call.index) == whole.calls.size())
      whole.calls.push_back({call.index, call.id, call.name, {}});
    ASSERT_EQ(static_cast<size_t>(call.index) + 1, whole.calls.size());
    whole.calls.back().arguments += call.arguments;
  }
}

std::string shown(const AnswerDelta& a) {
  std::string out = "content: " + a.content + "\nreasoning: " + a.reasoning;
  for (const CallDelta& c : a.calls) out += "\ncall " + c.id + " " + c.name + " " + c.arguments;
  return out;
}

template <class Cut>  // the length of the next piece
AnswerDelta parse(const Case& c, Cut cut) {
  AnswerOptions options{.tools = c.offers_tools ? test_tools() : Tools(), .prompt = c.prompt};
  int n = 0;
  options.new_call_id = [&n] { return "id" + std::to_string(n++); };
  auto parser = make_answer_parser(find_format(c.source), std::move(options));
  AnswerDelta whole;
  for (std::string_view rest = c.text; !rest.empty();) {
    const size_t length = std::min(std::max<size_t>(cut(), 1), rest.size());
    append(whole, parser->push(rest.substr(0, length)));
    rest.remove_prefix(length);
  }
  append(whole, parser->finish());
  EXPECT_EQ(parser->n_calls(), static_cast<int>(whole.calls.size()));
  return whole;
}

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const AnswerDelta whole = parse(c, [] { return SIZE_MAX; });
    EXPECT_EQ(whole.content, c.content);
    EXPECT_EQ(whole.reasoning, c.reasoning);
    std::vector<std::pair<std::string, std::string>> calls;
    for (const CallDelta& call : whole.calls) {
      calls.emplace_back(call.name, call.arguments);
      EXPECT_FALSE(call.id.empty());
    }
    EXPECT_EQ(calls, c.calls);
  }
}

TEST(Answers, EveryFamilysOwnFormat) {
  check(good_cases());
}
TEST(Answers, MalformedTextIsNotLost) {
  check(malformed_cases());
}

TEST(Answers, AnyCutGivesTheSame) {
  std::mt19937 random(5);
  std::vector<Case> cases = good_cases();
  for (Case& c : malformed_cases()) cases.push_back(std::move(c));
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const std::string whole = shown(parse(c, [] { return SIZE_MAX; }));
    EXPECT_EQ(shown(parse(c, [] { return 1; })), whole);
    for (size_t at = 1; at < c.text.size(); ++at) {
      bool is_first = true;
      EXPECT_EQ(shown(parse(c, [&] { return std::exchange(is_first, false) ? at : SIZE_MAX; })), whole)
          << "cut at " << at;
    }
    for (int i = 0; i < 20; ++i) EXPECT_EQ(shown(parse(c, [&] { return random() % 9; })), whole);
  }
}

// Pieces of marks and JSON in any order: nothing crashes, any cut gives the same.
TEST(Answers, AnyCutOfNonsenseGivesTheSame) {
  const std::vector<std::string> pieces = {"<tool_call>",
                                           "</tool_call>",
                                           "{\"name\": \"add\", ",
                                           "\"arguments\": {",
                                           "}",
                                           "}}",
                                           "<think>",
                                           "</think>",
                                           "\n",
                                           " ",
                                           "x",
                                           "<function=add>",
                                           "<parameter=city>",
                                           "</parameter>",
                                           "</function>",
                                           "[TOOL_CALLS]",
                                           "[ARGS]",
                                           "add",
                                           "[",
                                           "]",
                                           ",",
                                           "<|channel|>",
                                           "<|message|>",
                                           "<|start|>",
                                           "<|end|>",
                                           "<arg_key>",
                                           "</arg_key>",
                                           "<arg_value>",
                                           "</arg_value>",
                                           ">>>",
                                           "all\n",
                                           "\"",
                                           "\\",
                                           "1"};
  const char* sources[] = {"<think><tool_call>",  kLlama,   kCoder, kGlm, kHarmony, kMistral, ">>>all",
                           "<|tool_call_start|>", kDeepSeek};
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    Case c{"nonsense", sources[i % std::size(sources)], "", "", "", "", {}};
    for (size_t n = random() % 16; n > 0; --n) c.text += pieces[random() % pieces.size()];
    const std::string whole = shown(parse(c, [] { return SIZE_MAX; }));
    ASSERT_EQ(shown(parse(c, [] { return 1; })), whole) << c.source << "\n" << c.text;
    ASSERT_EQ(shown(parse(c, [&] { return random() % 7; })), whole) << c.source << "\n" << c.text;
  }
}

TEST(Answers, ArgumentsStream) {
  auto parser = make_answer_parser(find_format("<tool_call>"), {.tools = test_tools()});
  EXPECT_TRUE(parser->push("<tool_call>{\"name\": \"get_weather\"").empty());
  const AnswerDelta first = parser->push(", \"arguments\": {\"city\": \"Os");
  ASSERT_EQ(first.calls.size(), 1u);
  EXPECT_EQ(first.calls[0].name, "get_weather");
  EXPECT_EQ(first.calls[0].arguments, "{\"city\": \"Os");
  const AnswerDelta second = parser->push("lo");
  ASSERT_EQ(second.calls.size(), 1u);
  EXPECT_EQ(second.calls[0].name, "");
  EXPECT_EQ(second.calls[0].arguments, "lo");
}

TEST(Answers, AStringBetweenTagsStreams) {
  auto parser = make_answer_parser(find_format(kCoder), {.tools = test_tools()});
  (void)parser->push("<tool_call>\n<function=get_weather>\n<parameter=city>\n");
  const AnswerDelta delta = parser->push("New \"Y");
  ASSERT_EQ(delta.calls.size(), 1u);
  EXPECT_EQ(delta.calls[0].arguments, "New \\\"Y");
}

TEST(Answers, IdsAreTheFormatsOwn) {
  auto mistral = make_answer_parser(find_format(kMistral), {.tools = test_tools()});
  EXPECT_EQ(mistral->push("[TOOL_CALLS]add[ARGS]{").calls.at(0).id.size(), 9u);
  auto kimi =
      make_answer_parser(find_format("<|tool_call_begin|><|tool_call_argument_begin|>"), {.tools = test_tools()});
  EXPECT_EQ(kimi->push("<|tool_call_begin|>functions.add:3<|tool_call_argument_begin|>{").calls.at(0).id,
            "functions.add:3");
  auto hermes = make_answer_parser(find_format("<tool_call>"), {.tools = test_tools()});
  EXPECT_TRUE(hermes->push(kHermes).calls.at(0).id.starts_with("call_"));
}

// A call that never comes to its name is given up, and a long answer is read in linear time.
TEST(Answers, LongTextIsReadInLinearTime) {
  const std::string filler(4000, 'a');
  for (const char* source : {"<think><tool_call>", kCoder, kHarmony}) {
    auto parser = make_answer_parser(find_format(source), {.tools = test_tools()});
    size_t n = parser->push(source == kCoder ? "<function=get_weather><parameter=city>" : "<tool_call>{\"name\": \"")
                   .content.size();
    for (int i = 0; i < 500; ++i) {
      const AnswerDelta delta = parser->push(filler);
      n += delta.content.size();
      for (const CallDelta& call : delta.calls) n += call.arguments.size();
    }
    EXPECT_GE(n, 1'900'000u) << source;
  }
}

}  // namespace
}  // namespace hearth::answers::answers_test
