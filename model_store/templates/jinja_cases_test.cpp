// Small templates against what Jinja2 itself renders (jinja_cases.py and jinja_chat_cases.py made the expectations).
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/files.h"
#include "model_store/templates/chat_template.h"

namespace hearth::jinja_cases_test {
namespace {

using Ordered = nlohmann::ordered_json;

// Returns how many there are.
int expect_as_jinja2(const std::string& file) {
  const auto text = read_file(file);
  if (!text) ADD_FAILURE() << text.error().to_string();
  const Ordered document = Ordered::parse(text ? *text : R"({"context": {}, "cases": []})");
  const std::string context = document["context"].dump();
  for (const Ordered& item : document["cases"]) {
    const std::string source = item[0];
    auto chat = ChatTemplate::parse(source);
    auto got = chat ? chat->render(context) : Result<std::string>(chat.error());
    if (item[1].is_null())
      EXPECT_FALSE(got) << source << "\n  should be an error, gives: " << *got;
    else
      EXPECT_EQ(got ? *got : got.error().to_string(), item[1].get<std::string>()) << source;
  }
  return static_cast<int>(document["cases"].size());
}

TEST(JinjaCases, RenderAsJinja2Does) {
  const char* chosen = std::getenv("HEARTH_JINJA_CASES");
  EXPECT_GT(expect_as_jinja2(chosen ? chosen : HEARTH_SOURCE_DIR "/model_store/templates/jinja_cases.json"), 4000);
}

TEST(JinjaCases, ChatTemplatesByChanceRenderAsJinja2Does) {
  EXPECT_GT(expect_as_jinja2(HEARTH_SOURCE_DIR "/model_store/templates/jinja_chat_cases.json"), 500);
}

}  // namespace
}  // namespace hearth::jinja_cases_test
