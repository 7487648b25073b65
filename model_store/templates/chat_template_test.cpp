// Chat templates: every reference template to the byte, the language's rules, and hostile templates.
#include "model_store/templates/chat_template.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/files.h"

namespace hearth::chat_template_test {
namespace {
namespace fs = std::filesystem;

std::string render(std::string_view source, std::string_view context = "{}") {
  auto parsed = ChatTemplate::parse(source);
  if (!parsed) return "PARSE: " + parsed.error().to_string();
  auto text = parsed->render(context);
  return text ? *text : "ERROR: " + text.error().to_string();
}

fs::path reference_folder() {
  const char* chosen = std::getenv("HEARTH_REFERENCE_DIR");
  return chosen ? fs::path(chosen) : fs::path(HEARTH_SOURCE_DIR) / "../shared/reference";
}

TEST(ChatTemplate, RendersEveryReferenceTemplateToTheByte) {
  fs::path folder = reference_folder() / "chat_templates";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is absent; HEARTH_REFERENCE_DIR names the reference data";
  auto cases = nlohmann::ordered_json::parse(*read_file(folder / "cases.json"));
  int n_cases = 0, n_templates = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".jinja") continue;
    ++n_templates;
    fs::path expected_path = entry.path();
    expected_path.replace_extension(".expected.json");
    Json expected = *parse_json(*read_file(expected_path));
    auto parsed = ChatTemplate::parse(*read_file(entry.path()));
    ASSERT_TRUE(parsed) << entry.path() << ": " << parsed.error().to_string();
    for (const auto& item : cases["cases"].items()) {
      auto context = item.value();
      for (const char* key : {"bos_token", "eos_token", "now"}) context[key] = cases[key];
      auto text = parsed->render(context.dump());
      const Json& want = expected[item.key()];
      ++n_cases;
      if (want.contains("text"))
        EXPECT_EQ(text ? *text : text.error().to_string(), want["text"].get<std::string>())
            << entry.path().filename() << " / " << item.key();
      else
        EXPECT_FALSE(text) << entry.path().filename() << " / " << item.key() << " should be an error: " << want;
    }
  }
  EXPECT_GT(n_templates, 30);
  EXPECT_EQ(n_cases, n_templates * 9);
}

TEST(ChatTemplate, WhiteSpaceControl) {
  EXPECT_EQ(render("  {% if true %}\nx\n  {% endif %}\ny\n"), "x\ny");
  EXPECT_EQ(render("a {%- if true -%} b {%- endif -%} c"), "abc");
  EXPECT_EQ(render("a\n  {{- 'b' -}}  \n c"), "abc");
  EXPECT_EQ(render("{# note #}\nx"), "x");
  EXPECT_EQ(render("{% raw %}{{ x }}{% endraw %}"), "{{ x }}");
  EXPECT_EQ(render("x  {%+ if true %}y{% endif %}"), "x  y");
}

TEST(ChatTemplate, ExpressionsFollowPython) {
  EXPECT_EQ(render("{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }}"), "3 -4 2 3.5 1024");
  EXPECT_EQ(render("{{ 'abcdef'[1:4] }} {{ 'abcdef'[::-1] }} {{ [1,2,3][-1] }} {{ [1,2,3][:2] }}"),
            "bcd fedcba 3 [1, 2]");
  EXPECT_EQ(render("{{ 'a' in 'cat' and 2 in [1, 2] and 'k' in {'k': 1} }}"), "True");
  EXPECT_EQ(render("{{ 1 < 2 < 3 }} {{ none }} {{ {'a': [1, 'x', true]} }} {{ (1,) }}"),
            "True None {'a': [1, 'x', True]} (1,)");
  EXPECT_EQ(render("{{ x.y is defined }}{{ x is defined }}", R"({"x": {}})"), "FalseTrue");
  EXPECT_EQ(render("{{ 'a' ~ 1 ~ none }} {{ 'ab' * 2 }} {{ '%s-%d' % ('a', 3) }}"), "a1None abab a-3");
  EXPECT_EQ(render("{{ 'yes' if x else 'no' }}{{ 'only' if x }}"), "no");
  EXPECT_EQ(render("{{ '你好世界'[1:3] }} {{ '你好'|length }}"), "好世 2");
}

TEST(ChatTemplate, ScopesFollowJinja) {
  EXPECT_EQ(render("{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }},{% endfor %}{{ x }}"), "2,3,1");
  EXPECT_EQ(
      render("{% set ns = namespace(n=0) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}"),
      "6");
  EXPECT_EQ(render("{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}"), "2");
  EXPECT_EQ(
      render(
          "{% macro m(a, b='d') %}{{ a }}{{ b }}{{ c }}{% endmacro %}{% set c = '!' %}{{ m('x') }}{{ m('x', b='y') }}"),
      "xd!xy!");
  EXPECT_EQ(render("{% for a, b in {'k': 1}.items() %}{{ a }}{{ b }}{{ loop.last }}{% else %}none{% endfor %}"),
            "k1True");
  EXPECT_EQ(render("{% for i in range(9) if i is odd %}{% if i > 5 %}{% break %}{% endif %}{{ i }}{% endfor %}"),
            "135");
  EXPECT_EQ(render("{% set t %}a{{ 1 }}{% endset %}[{{ t }}]"), "[a1]");
  EXPECT_EQ(render("{% macro wrap() %}<{{ caller() }}>{% endmacro %}{% call wrap() %}x{% endcall %}"), "<x>");
}

TEST(ChatTemplate, FiltersAndJson) {
  EXPECT_EQ(render("{{ x|tojson }}", R"({"x": {"z": 1, "a": [true, null, "é\n"]}})"),
            R"({"z": 1, "a": [true, null, "é\n"]})");
  EXPECT_EQ(render("{{ {'a': 1}|tojson(indent=2) }}"), "{\n  \"a\": 1\n}");
  EXPECT_EQ(render("{{ [3, 1, 2]|sort|join(',') }} {{ ['a', 'b']|map('upper')|list }} {{ [1, 1, 2]|unique|list }}"),
            "1,2,3 ['A', 'B'] [1, 2]");
  EXPECT_EQ(render("{{ x|selectattr('r', 'equalto', 'u')|list|length }}", R"({"x": [{"r": "u"}, {"r": "v"}]})"), "1");
  EXPECT_EQ(render("{{ nope|default('d') }} {{ ''|default('e', true) }} {{ ' x '|trim }}"), "d e x");
  EXPECT_EQ(render("{{ 'a,b,c'.split(',', 1) }} {{ ' a  b '.split() }} {{ 'x'.join(['1', '2']) }}"),
            "['a', 'b,c'] ['a', 'b'] 1x2");
}

TEST(ChatTemplate, MarksGeneratedText) {
  auto parsed = ChatTemplate::parse("U:{{ q }}\n{% generation %}A:{{ a }}{% endgeneration %}|");
  ASSERT_TRUE(parsed) << parsed.error().to_string();
  auto rendered = parsed->render_marked(R"({"q": "hi", "a": "yo"})");
  ASSERT_TRUE(rendered) << rendered.error().to_string();
  ASSERT_EQ(rendered->generated.size(), 1u);
  auto [begin, end] = rendered->generated[0];
  EXPECT_EQ(rendered->text.substr(begin, end - begin), "A:yo");
}

TEST(ChatTemplate, RefusalsAreErrorsWithTheMessage) {
  EXPECT_NE(render("{{ raise_exception('roles must alternate') }}").find("roles must alternate"), std::string::npos);
  EXPECT_NE(render("{{ nope.x }}").find("\"nope\" is undefined"), std::string::npos);
  EXPECT_NE(render("{{ nope|int(5) }}").find("\"nope\" is undefined"), std::string::npos);
  EXPECT_NE(render("{{ nope|float }}").find("\"nope\" is undefined"), std::string::npos);
  EXPECT_NE(render("a\n\n{{ [1].append(2) }}").find("in line 3"), std::string::npos);
  EXPECT_NE(render("{% include 'x' %}").find("stands alone"), std::string::npos);
  EXPECT_NE(render("{% nope %}").find("PARSE"), std::string::npos);
}

// Wherever it stands, not only inside an if as in Jinja2, whose loops and filter blocks look at compile time.
TEST(ChatTemplate, AFilterOrTestThatDoesNotExistIsAnErrorWhenItIsReached) {
  for (const char* source : {"{% for x in [] %}{{ x|from_json }}{% endfor %}ok",
                             "{% if false %}{% filter nope %}{% endfilter %}{% endif %}ok",
                             "{% if false %}{% for x in [1] %}{{ x is nope }}{% endfor %}{% endif %}ok",
                             "{% macro m() %}{{ 1|nope }}{% endmacro %}ok", "{{ 'ok' if true else 1|nope }}",
                             "{{ []|map('nope')|list|length }}"})
    EXPECT_TRUE(render(source).ends_with("ok") || render(source) == "0") << source << render(source);
  EXPECT_NE(render("{% if true %}\n{{ 1|from_json }}{% endif %}").find("from_json"), std::string::npos);
  EXPECT_NE(render("{% if true %}\n{{ 1|from_json }}{% endif %}").find("in line 2"), std::string::npos);
  EXPECT_NE(render("{{ 1 is nope }}").find("nope"), std::string::npos);
}

}  // namespace
}  // namespace hearth::chat_template_test
