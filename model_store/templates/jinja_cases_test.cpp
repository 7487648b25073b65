// Small templates against what Jinja2 itself renders (jinja_cases.py made the expectations).
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/files.h"
#include "model_store/templates/chat_template.h"

namespace hearth {
namespace {

using Ordered = nlohmann::ordered_json;

TEST(JinjaCases, RenderAsJinja2Does) {
  const char* chosen = std::getenv("HEARTH_JINJA_CASES");
  auto text = read_file(chosen ? chosen : HEARTH_SOURCE_DIR "/model_store/templates/jinja_cases.json");
  ASSERT_TRUE(text) << text.error().to_string();
  const Ordered document = Ordered::parse(*text);
  const std::string context = document["context"].dump();
  int n = 0;
  for (const Ordered& item : document["cases"]) {
    const std::string source = item[0];
    auto chat = ChatTemplate::parse(source);
    auto got = chat ? chat->render(context) : Result<std::string>(chat.error());
    ++n;
    if (item[1].is_null())
      EXPECT_FALSE(got) << source << "\n  should be an error, gives: " << *got;
    else
      EXPECT_EQ(got ? *got : got.error().to_string(), item[1].get<std::string>()) << source;
  }
  EXPECT_GT(n, 4000);
}

}  // namespace
}  // namespace hearth
