// Content guards: where they are put, that templates leave them where they are, and that the tokenizer drops them.
#include "model_store/templates/content_guard.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/files.h"
#include "base/json.h"
#include "model_store/templates/chat_template.h"

namespace hearth {
namespace {

Tokenizer tokenizer() {
  const std::string folder = HEARTH_SOURCE_DIR "/tests/golden/sharded_tokenizer_bf16/";
  return *Tokenizer::from_json(*read_file(folder + "tokenizer.json"), *read_file(folder + "tokenizer_config.json"));
}

TEST(ContentGuard, MarksSpellingsOnly) {
  const ContentGuard guard(tokenizer());
  const std::string mark(kContentGuard);
  EXPECT_EQ(guard.guard("a <|eot_id|> b"), "a <" + mark + "|eot_id|> b");
  EXPECT_EQ(guard.guard("<|eot_id|><|eot_id|>"), "<" + mark + "|eot_id|><" + mark + "|eot_id|>");
  EXPECT_EQ(guard.guard("<|eot_i|> < 5 <b>"), "<|eot_i|> < 5 <b>");
  EXPECT_EQ(guard.guard("<|eot" + mark + "_id|>"), "<" + mark + "|eot_id|>") << "a typed mark hides nothing";
}

TEST(ContentGuard, MessagesOfUsersAndToolsOnly) {
  const ContentGuard guard(tokenizer());
  auto messages = guard.guard_messages(
      R"([{"role":"system","content":"<|eot_id|>"},{"role":"user","content":[{"type":"text","text":"<|eot_id|>"}]},
          {"role":"tool","content":"<|eot_id|>"},{"role":"user","zebra":1,"content":"x"}])");
  ASSERT_TRUE(messages) << messages.error().to_string();
  const Json json = Json::parse(*messages);
  EXPECT_EQ(json[0]["content"], "<|eot_id|>");
  EXPECT_NE(json[1]["content"][0]["text"], "<|eot_id|>");
  EXPECT_NE(json[2]["content"], "<|eot_id|>");
  EXPECT_NE(messages->find(R"("zebra":1,"content":"x")"), std::string::npos) << "the order of keys is kept";
  EXPECT_FALSE(guard.guard_messages("{}"));
}

TEST(ContentGuard, ComesThroughTemplatesAndGoesInTheTokenizer) {
  const Tokenizer tokens = tokenizer();
  const ContentGuard guard(tokens);
  const std::string typed = "a <|eot_id|> b";
  auto messages = guard.guard_messages(Json::array({{{"role", "user"}, {"content", typed}}}).dump());
  const std::string context = "{\"messages\":" + *messages + "}";
  auto text = [&](const char* source) { return *ChatTemplate::parse(source)->render(context); };
  const std::vector<int32_t> plain = *tokens.encode(typed, {.add_special = false, .parse_special = false});
  for (const char* source : {"{{ messages[0].content }}", "{{ messages[0].content | trim }}"})
    EXPECT_EQ(*tokens.encode(text(source), {.add_special = false, .guarded = true}), plain) << source;
  const std::string quoted = "\"a <|eot_id|> b\"";
  for (const char* source :
       {"{{ messages[0].content | tojson }}", "{{ messages[0].content | tojson(ensure_ascii=true) }}"})
    EXPECT_EQ(*tokens.encode(text(source), {.add_special = false, .guarded = true}),
              *tokens.encode(quoted, {.add_special = false, .parse_special = false}))
        << source;
  // The template's own token stays one.
  const auto ids = *tokens.encode(text("{{ messages[0].content }}<|eot_id|>"), {.add_special = false, .guarded = true});
  EXPECT_EQ(std::count(ids.begin(), ids.end(), *tokens.token_id("<|eot_id|>")), 1);
}

}  // namespace
}  // namespace hearth
