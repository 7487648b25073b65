// Where a prompt's bytes come from: what a template does with the texts of a conversation never makes them its own, and
// never makes its own typed; and the tokenizer finds control tokens in the template's own text only.
#include "model_store/templates/typed_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "model_store/formats/load.h"
#include "model_store/templates/chat_template.h"
#include "model_store/tokenizers/added_tokens.h"

namespace hearth::typed_text_test {
namespace {
namespace fs = std::filesystem;
using Ordered = nlohmann::ordered_json;

// The rendered text with « » around what is typed.
std::string shown(std::string_view source, const std::string& context) {
  auto parsed = ChatTemplate::parse(source);
  if (!parsed) return "PARSE: " + parsed.error().to_string();
  auto out = parsed->render_marked(context);
  if (!out) return "ERROR: " + out.error().to_string();
  std::string text;
  size_t at = 0;
  for (const TextRange& r : out->typed) {
    text += out->text.substr(at, r.begin - at) + "«" + out->text.substr(r.begin, r.end - r.begin) + "»";
    at = r.end;
  }
  return text + out->text.substr(at);
}

struct Case {
  const char *source, *expected;
};

class TypedText : public testing::TestWithParam<Case> {};

TEST_P(TypedText, KeepsItsOrigin) {
  const std::string context =
      R"({"s": " ab<c> ", "t": "x</think>y", "l": ["p", "q"], "d": {"k": "v\n\"w\""}, "bos_token": "<s>"})";
  EXPECT_EQ(shown(GetParam().source, context), GetParam().expected) << GetParam().source;
}

INSTANTIATE_TEST_SUITE_P(
    Templates, TypedText,
    testing::Values(Case{"<{{ s }}>", "<« ab<c> »>"}, Case{"{{ bos_token }}{{ s|trim }}", "<s>«ab<c>»"},
                    Case{"{{ '<' + s.strip() + '>' }}", "<«ab<c>»>"},
                    Case{"{{ '<' ~ s|trim ~ 1 ~ '>' }}", "<«ab<c>»1>"}, Case{"{{ ('<' + s + '>')[0:3] }}", "<« a»"},
                    Case{"{{ ('<' + s.strip() + '>')[::-1] }}", ">«>c<ba»<"},
                    Case{"{{ t.split('</think>')[0] }}</think>{{ t.split('</think>')[-1] }}", "«x»</think>«y»"},
                    Case{"{{ t.partition('</think>')|join('|') }}", "«x»|«</think>»|«y»"},
                    Case{"{{ t.rsplit('/', 1) | join('+') }}", "«x<»+«think>y»"},
                    Case{"{{ t.replace('</think>', '<end>') }}", "«x»<end>«y»"},
                    Case{"{{ t|replace('x', s|trim) }}", "«ab<c></think>y»"},
                    Case{"{{ '<a>b'|replace('b', s|trim) }}", "<a>«ab<c>»"},
                    Case{"{{ '-'.join(l) }}{{ l|join('+') }}", "«p»-«qp»+«q»"},
                    Case{"{{ l }}{{ d|tojson }}", R"(['«p»', '«q»']{"«k»": "«v\n\"w\"»"})"},
                    Case{"{{ d|string }}{{ '<' ~ d }}", R"({'«k»': '«v\n"w"»'}<{'«k»': '«v\n"w"»'})"},
                    Case{"{{ d|tojson(indent=2) }}", "{\n  \"«k»\": \"«v\\n\\\"w\\\"»\"\n}"},
                    Case{"{{ '%s<%s>' % (l[0], 'own') }}{{ '{}<{}>'.format(l[1], 'own') }}", "«p»<own>«q»<own>"},
                    Case{"{{ '<%5s>'|format(l[0]) }}{{ '{:>3}'.format(l[1]) }}", "<    «p»>  «q»"},
                    Case{"{% set x %}<{{ l[0] }}>{% endset %}{{ x }}", "<«p»>"},
                    Case{"{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(l[0]) }}{{ m('own') }}", "<«p»><own>"},
                    Case{"{% for c in s|trim %}{{ c }}{% endfor %}<{% for k, v in d.items() %}{{ k }}={% endfor %}",
                         "«ab<c>»<«k»="},
                    Case{"{{ s|upper }}{{ 'own'|upper }}{{ s.title() }}", "« AB<C> »OWN« Ab<C> »"},
                    Case{"{% set ns = namespace(x='<') %}{% set ns.x = ns.x + l[0] %}{{ ns.x }}>", "<«p»>"},
                    Case{"{{ l[0] * 2 }}{{ '<' * 2 }}", "«pp»<<"}, Case{"{{ d.k|indent(2) }}", "«v»\n  «\"w\"»"},
                    Case{"{{ (s|trim)|e }}<", "«ab&lt;c&gt;»<"},
                    Case{"{{ ('<' + l[0])|center(6) }}{{ l[0].ljust(3) }}", "  <«p»  «p»  "},
                    Case{"{{ t|truncate(5, true, '<e>', 0) }}", "«x<»<e>"},
                    Case{"{{ t.removeprefix('x')|reverse }}", "«y>kniht/<»"},
                    Case{"{{ l|first }}{{ l|map('upper')|join('<') }}{{ none_such|default('<') }}", "«pP»<«Q»<"},
                    Case{"{{ s is string }}{{ s|length }}{{ '</think>' in t }}{{ l[0] == 'p' }}", "True7TrueTrue"},
                    Case{"{% filter upper %}a{{ l[0] }}{% endfilter %}",
                         "«AP»"},  // nobody follows letters there: typed as a whole
                    Case{"{% generation %}<{{ l[0] }}{% endgeneration %}", "<«p»"}));

// Every text that goes in is marked; wherever a mark comes out, it is typed. (What is typed may have grown.)
void expect_marks_typed(const ChatTemplate& chat, const std::string& context, const std::string& mark,
                        const std::string& what, int& n_found) {
  auto out = chat.render_marked(context);
  if (!out) return;
  for (size_t at = 0; (at = out->text.find(mark, at)) != std::string::npos; at += mark.size(), ++n_found) {
    const bool is_typed = std::any_of(out->typed.begin(), out->typed.end(),
                                      [&](const TextRange& r) { return r.begin <= at && at + mark.size() <= r.end; });
    EXPECT_TRUE(is_typed) << what << " at " << at << ": " << out->text.substr(at > 40 ? at - 40 : 0, 80);
  }
}

void add_mark(Ordered& value, const std::string& mark) {
  if (value.is_string()) value = value.get<std::string>() + mark;
  if (value.is_structured())
    for (auto& item : value) add_mark(item, mark);
}

TEST(TypedTextOrigin, NothingTypedBecomesTheTemplatesOwnInAnyLanguageCase) {
  const Ordered document = Ordered::parse(*read_file(HEARTH_SOURCE_DIR "/model_store/templates/jinja_cases.json"));
  const std::string mark = "\uE000";
  Ordered context = document["context"];
  for (auto& [key, value] : context.items())
    if (key != "now") add_mark(value, mark);
  int n_found = 0;
  for (const Ordered& item : document["cases"])
    if (auto chat = ChatTemplate::parse(item[0].get<std::string>()))
      expect_marks_typed(*chat, context.dump(), mark, item[0], n_found);
  EXPECT_GT(n_found, 500);
}

TEST(TypedTextOrigin, NothingTypedBecomesTheTemplatesOwnInAnyReferenceTemplate) {
  const char* chosen = std::getenv("HEARTH_REFERENCE_DIR");
  const fs::path folder =
      (chosen ? fs::path(chosen) : fs::path(HEARTH_SOURCE_DIR) / "../shared/reference") / "chat_templates";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is absent; HEARTH_REFERENCE_DIR names the reference data";
  const Ordered cases = Ordered::parse(*read_file(folder / "cases.json"));
  const std::string mark = "\uE000";
  int n_found = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".jinja") continue;
    auto chat = ChatTemplate::parse(*read_file(entry.path()));
    if (!chat) continue;
    for (Ordered item : cases["cases"]) {
      for (auto& message : item["messages"])
        for (auto& [key, value] : message.items())
          if (key != "role") add_mark(value, mark);
      if (item.contains("tools")) add_mark(item["tools"], mark);
      for (const char* key : {"bos_token", "eos_token", "now"}) item[key] = cases[key];
      expect_marks_typed(*chat, item.dump(), mark, entry.path().filename(), n_found);
    }
  }
  EXPECT_GT(n_found, 1000);
}

// A model whose marks are of both kinds: special, and not called special by the file.
class ControlMarks : public testing::Test {
 protected:
  static constexpr const char* kMarks[] = {"<s>",      "</s>",        "<|im_end|>", "<｜User｜>", "<｜Assistant｜>",
                                           "</think>", "<tool_call>", "[INST]",     "/nothink"};
  void SetUp() override {
    Ordered json = Ordered::parse(*read_file(HEARTH_SOURCE_DIR "/tests/golden/sharded_tokenizer_bf16/tokenizer.json"));
    int id = 5000;
    for (const char* mark : kMarks)
      json["added_tokens"].push_back(
          {{"id", id++}, {"content", mark}, {"special", std::string(mark).size() < 5}, {"normalized", id % 2 == 0}});
    json["added_tokens"].push_back({{"id", id++}, {"content", "   "}, {"special", false}, {"normalized", false}});
    json["added_tokens"].push_back({{"id", id++}, {"content", "<table>"}, {"special", false}, {"normalized", false}});
    auto read = Tokenizer::from_json(json.dump());
    ASSERT_TRUE(read) << read.error().to_string();
    model_.tokenizer = *read;
  }
  std::vector<int32_t> ids(const char* source, const Ordered& messages, const Ordered& tools = nullptr,
                           const std::string& extra = "") {
    model_.chat_template = *ChatTemplate::parse(source);
    const std::string text = messages.dump(), tool_text = tools.is_null() ? "" : tools.dump();
    auto rendered = render_chat(model_, {.messages_json = text, .tools_json = tool_text, .extra_json = extra});
    EXPECT_TRUE(rendered) << rendered.error().to_string();
    return *model_.tokenizer->encode(rendered->text, {.add_special = false, .typed = rendered->typed});
  }
  int count(const std::vector<int32_t>& ids, const char* token) {
    return static_cast<int>(std::count(ids.begin(), ids.end(), *model_.tokenizer->token_id(token)));
  }
  LoadedModel model_;
};

constexpr const char* kEverything =
    "{{ bos_token }}{% for t in tools or [] %}{{ t|tojson }}{% endfor %}{% for m in messages %}<｜User｜>{{ m.role }}:"
    "{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endif %}"
    "{% for c in m.tool_calls or [] %}<tool_call>{{ c.function.name }}{{ c.function.arguments|tojson }}{% endfor %}"
    "{{ m.name or '' }}{{ m.reasoning_content or '' }}</s>{% endfor %}{{ extra or '' }}";

TEST_F(ControlMarks, WhatIsTypedStaysTextInEveryRole) {
  for (const char* mark : kMarks) {
    SCOPED_TRACE(mark);
    const std::string typed = std::string("a ") + mark + mark + " b";
    const Ordered call = {{"function", {{"name", typed}, {"arguments", {{typed, typed}}}}}};
    const Ordered messages = {
        {{"role", "system"}, {"content", typed}},
        {{"role", "user"}, {"content", {{{"type", "text"}, {"text", typed}}}}, {"name", typed}},
        {{"role", "assistant"}, {"content", typed}, {"reasoning_content", typed}, {"tool_calls", {call}}},
        {{"role", "tool"}, {"content", typed}},
        {{"role", typed}, {"content", typed}}};
    const Ordered tools = {{{"type", "function"},
                            {"function", {{"name", typed}, {"description", typed}, {"parameters", {{typed, typed}}}}}}};
    const auto got = ids(kEverything, messages, tools, Ordered({{"extra", typed}, {"bos_token", typed}}).dump());
    const std::string name = mark;
    EXPECT_EQ(count(got, mark), name == "<｜User｜>" ? 5 : name == "</s>" ? 5 : name == "<tool_call>" ? 1 : 0);
  }
}

TEST_F(ControlMarks, HalfAMarkOfEachIsNone) {
  const Ordered messages = {{{"role", "user"}, {"content", "|im_end|>"}}, {{"role", "user"}, {"content", "<|im"}}};
  const auto got = ids("<{{ messages[0].content }}{{ messages[1].content }}_end|>", messages);
  EXPECT_EQ(count(got, "<|im_end|>"), 0);
  EXPECT_EQ(*model_.tokenizer->encode("<|im_end|><|im_end|>", {.add_special = false, .parse_special = false}), got);
}

// A template that splits an earlier answer at its tag, as reasoning models' templates do, writes its own tag again.
TEST_F(ControlMarks, WhatATemplateWritesAnewIsControl) {
  const Ordered messages = {{{"role", "assistant"}, {"content", "why</think>so"}}};
  const auto got =
      ids("{% set c = messages[0].content %}{% if '</think>' in c %}{{ c.split('</think>')[0] }}</think>"
          "{{ c.split('</think>')[-1] }}{% endif %}</s>",
          messages);
  EXPECT_EQ(got, *model_.tokenizer->encode("why</think>so</s>", {.add_special = false}));
  EXPECT_EQ(count(got, "</think>"), 1);
}

// Without marks in it, a conversation has the ids that it always had: nothing is cut at the borders.
TEST_F(ControlMarks, OrdinaryTextHasTheSameIds) {
  const char* source = "<s>{% for m in messages %}{{ m.role }}\n\n {{ m.content }} .{% endfor %}</s>";
  for (const char* typed :
       {"Hello world", " hello ", "\n\nx", "   y   ", "é\u0301", "it's", "<table>a</table>", "1234", ""}) {
    const Ordered messages = {{{"role", "user"}, {"content", typed}}, {{"role", "assistant"}, {"content", typed}}};
    model_.chat_template = *ChatTemplate::parse(source);
    const std::string text = messages.dump();
    const auto rendered = *render_chat(model_, {.messages_json = text});
    EXPECT_FALSE(rendered.typed.empty());
    EXPECT_EQ(ids(source, messages), *model_.tokenizer->encode(rendered.text, {.add_special = false})) << typed;
  }
}

TEST_F(ControlMarks, TextIsTypedAsAWhole) {
  for (const char* mark : kMarks) {
    EXPECT_TRUE(model_.tokenizer->is_control(*model_.tokenizer->token_id(mark)));
    EXPECT_EQ(count(*model_.tokenizer->encode(mark, {.parse_special = false}), mark), 0) << mark;
    EXPECT_EQ(count(*model_.tokenizer->encode(mark), mark), 1) << mark;
  }
  // Blanks and HTML are text, and have their tokens.
  EXPECT_EQ(count(*model_.tokenizer->encode("a   b", {.parse_special = false}), "   "), 1);
  EXPECT_EQ(count(*model_.tokenizer->encode("a<table>b", {.parse_special = false}), "<table>"), 1);
}

TEST(ControlMark, ByItsSpelling) {
  const auto is_mark = [](const char* text) { return is_control_mark({.content = text}); };
  for (const char* mark :
       {"<|User|>", "<｜User｜>", "<｜tool▁calls▁begin｜>", "</think>", "<think>", "<tool_call>", "[INST]",
        "|||EMAIL_ADDRESS|||", "/nothink", "▁<PRE>", "<unused99>", "[multimodal]", "<s>", "</s>"})
    EXPECT_TRUE(is_mark(mark)) << mark;
  for (const char* text :
       {"   ", "\n\n", "▁▁▁▁", "covid-19", "word", "don't", "->", "==", "{", "<=", "🔥", "<table>", "</h1>", "漢字"})
    EXPECT_FALSE(is_mark(text)) << text;
  EXPECT_TRUE(is_control_mark({.content = "word", .special = true}));
}

}  // namespace
}  // namespace hearth::typed_text_test
