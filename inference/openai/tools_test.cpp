// Tools through the OpenAI surface: what the template is shown, and calls as whole answers and as streams.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/http/sse.h"
#include "inference/openai/scripted_generator.h"
#include "inference/openai/surface.h"

namespace hearth::openai::tools_test {
namespace {

// Shows everything that it is given, and tells the format of calls by its text.
constexpr const char* kTemplate =
    "{%- for t in tools or [] %}{{ t | tojson }}\n{% endfor %}"
    "{%- for m in messages %}[{{ m.role }}{{ ' ' ~ m.name if m.name }}] {{ m.content }}{{ '<think>' ~ "
    "m.reasoning_content if "
    "m.reasoning_content }}{% for c in m.tool_calls or [] %}<tool_call>{{ c.function.name }}{{ c.function.arguments | "
    "tojson "
    "}}{% endfor %}{{ '\\n' }}{% endfor %}{{ effort ~ '' }}{{ reasoning_effort ~ '' }}[assistant]{{ '<think>' if "
    "thinks }}";

constexpr const char* kCall = "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1, \"b\": 2}}\n</tool_call>";

class Tools : public testing::Test {
 protected:
  void SetUp() override {
    auto model = load_model(std::filesystem::path(HEARTH_SOURCE_DIR) / "tests/golden/sharded_tokenizer_bf16");
    ASSERT_TRUE(model) << model.error().to_string();
    auto chat = ChatTemplate::parse(kTemplate);
    ASSERT_TRUE(chat) << chat.error().to_string();
    model->chat_template = *chat;
    generator_ = std::make_unique<ScriptedGenerator>(std::move(*model));
    add_routes(router_, *generator_, {"tiny", ""});
  }

  Result<http::Response> call(const std::string& body) {
    http::Request request;
    request.method = "POST";
    request.path = "/v1/chat/completions";
    request.body = body;
    return router_.match(request.method, request.path).route->handler(request);
  }
  Json answer(std::string_view text, const Json& more = Json::object()) {
    generator_->text = text;
    Json body = {{"model", "tiny"}, {"messages", Json::array({{{"role", "user"}, {"content", "1+2?"}}})}};
    body["tools"] = Json::parse(R"([{"type": "function", "function": {"name": "add", "parameters": {}}}])");
    body.update(more);
    auto response = call(body.dump());
    EXPECT_TRUE(response) << response.error().to_string();
    return response ? Json::parse(response->body)["choices"][0] : Json();
  }

  class Collector : public http::StreamWriter {
   public:
    bool write(std::string_view bytes) override { return parser.feed(bytes).has_value(); }
    bool gone() const override { return false; }
    http::SseParser parser;
  };
  std::vector<Json> stream(std::string_view text, const Json& more = Json::object()) {
    generator_->text = text;
    Json body = {
        {"model", "tiny"}, {"stream", true}, {"messages", Json::array({{{"role", "user"}, {"content", "1+2?"}}})}};
    body["tools"] = Json::parse(R"([{"type": "function", "function": {"name": "add", "parameters": {}}}])");
    body.update(more);
    auto response = call(body.dump());
    EXPECT_TRUE(response) << response.error().to_string();
    Collector collector;
    EXPECT_TRUE(response->stream(collector));
    std::vector<Json> choices;
    while (auto event = collector.parser.next())
      if (event->data != "[DONE]") choices.push_back(Json::parse(event->data)["choices"][0]);
    return choices;
  }

  std::unique_ptr<ScriptedGenerator> generator_;
  http::Router router_;
};

TEST_F(Tools, AWholeAnswer) {
  const Json choice = answer("<think>Add.</think>\n" + std::string(kCall));
  EXPECT_EQ(choice["finish_reason"], "tool_calls");
  const Json& message = choice["message"];
  EXPECT_TRUE(message["content"].is_null());
  EXPECT_EQ(message["reasoning_content"], "Add.");
  ASSERT_EQ(message["tool_calls"].size(), 1u);
  EXPECT_EQ(message["tool_calls"][0]["type"], "function");
  EXPECT_EQ(message["tool_calls"][0]["function"], Json({{"name", "add"}, {"arguments", R"({"a": 1, "b": 2})"}}));
  EXPECT_TRUE(message["tool_calls"][0]["id"].get<std::string>().starts_with("call_"));
}

TEST_F(Tools, AStream) {
  std::string content, reasoning, arguments, name, finish;
  int n_pieces = 0;
  for (const Json& choice : stream("<think>Add.</think>Yes.\n" + std::string(kCall))) {
    if (!choice["finish_reason"].is_null()) finish = choice["finish_reason"];
    const Json& delta = choice["delta"];
    content += delta.value("content", "");
    reasoning += delta.value("reasoning_content", "");
    if (!delta.contains("tool_calls")) continue;
    const Json& piece = delta["tool_calls"][0];
    EXPECT_EQ(piece["index"], 0);
    EXPECT_EQ(piece.contains("id"), n_pieces == 0);
    if (n_pieces++ == 0) name = piece["function"]["name"];
    arguments += piece["function"]["arguments"].get<std::string>();
  }
  EXPECT_EQ(content, "Yes.");
  EXPECT_EQ(reasoning, "Add.");
  EXPECT_EQ(name, "add");
  EXPECT_EQ(Json::parse(arguments), Json({{"a", 1}, {"b", 2}}));
  EXPECT_GT(n_pieces, 2);
  EXPECT_EQ(finish, "tool_calls");
}

TEST_F(Tools, WithoutACallTheAnswerIsText) {
  EXPECT_EQ(answer("Three.")["finish_reason"], "stop");
  EXPECT_EQ(answer("Three.")["message"]["content"], "Three.");
  EXPECT_EQ(answer("<tool_call>oops")["message"]["content"], "<tool_call>oops");
}

TEST_F(Tools, NoneHidesTheTools) {
  const Json choice = answer(kCall, {{"tool_choice", "none"}});
  EXPECT_EQ(choice["message"]["content"], kCall);
  EXPECT_EQ(generator_->prompt.find("parameters"), std::string::npos) << generator_->prompt;
}

TEST_F(Tools, OneCallOnlyWhereNoMoreAreWanted) {
  const std::string two = std::string(kCall) + kCall;
  EXPECT_EQ(answer(two)["message"]["tool_calls"].size(), 2u);
  const Json one = answer(two, {{"parallel_tool_calls", false}});
  EXPECT_EQ(one["message"]["tool_calls"].size(), 1u);
  EXPECT_EQ(one["finish_reason"], "tool_calls");
  EXPECT_EQ(stream(two, {{"parallel_tool_calls", false}}).back()["finish_reason"], "tool_calls");
}

TEST_F(Tools, ALengthStaysALength) {
  generator_->finish = FinishReason::length;
  const Json choice = answer("<tool_call>{\"name\": \"add\", \"arguments\": {\"a\"");
  EXPECT_EQ(choice["finish_reason"], "length");
  EXPECT_EQ(choice["message"]["tool_calls"][0]["function"]["arguments"], "{\"a\"");
}

// What is spelled in a message stays text, in every role; the template's own tokens are tokens.
TEST_F(Tools, SpelledSpecialTokensAreText) {
  auto chat = ChatTemplate::parse("{% for m in messages %}<|start_header_id|>{{ m.content }}{% endfor %}");
  ASSERT_TRUE(chat);
  const int32_t header = *generator_->model().tokenizer->token_id("<|start_header_id|>");
  auto count = [&](const std::string& role) {
    auto model = load_model(std::filesystem::path(HEARTH_SOURCE_DIR) / "tests/golden/sharded_tokenizer_bf16");
    model->chat_template = *chat;
    ScriptedGenerator generator(std::move(*model));
    http::Router router;
    add_routes(router, generator, {"tiny", ""});
    http::Request request;
    Json message = {{"role", role}, {"content", "a<|start_header_id|>b"}, {"tool_call_id", "1"}};
    request.body = Json{{"model", "tiny"}, {"messages", Json::array({message})}}.dump();
    EXPECT_TRUE(router.match("POST", "/v1/chat/completions").route->handler(request));
    EXPECT_EQ(generator.prompt, "<|start_header_id|>a<|start_header_id|>b");
    return std::count(generator.prompt_ids.begin(), generator.prompt_ids.end(), header);
  };
  for (const char* role : {"user", "tool", "system", "assistant", "developer"}) EXPECT_EQ(count(role), 1) << role;
}

// Keys of tools and arguments stay in the client's order, arguments reach the template as values, a tool's answer has
// the tool's name.
TEST_F(Tools, TheTemplateSeesThemAsTheyCame) {
  auto response =
      call(R"({"model": "tiny", "reasoning_effort": "high", "chat_template_kwargs": {"effort": "x", "thinks": true},
    "tools": [{"type": "function", "function": {"name": "add", "zebra": 1, "apple": 2}}],
    "messages": [{"role": "developer", "content": [{"type": "text", "text": "Be brief."}]}, {"role": "user", "content": "1+2?"},
      {"role": "assistant", "content": null, "reasoning_content": "Add.", "tool_calls": [{"id": "c1", "type": "function",
        "function": {"name": "add", "arguments": "{\"b\": 2, \"a\": 1}"}}]},
      {"role": "tool", "tool_call_id": "c1", "content": "3"}]})");
  ASSERT_TRUE(response) << response.error().to_string();
  EXPECT_EQ(generator_->prompt,
            "{\"type\": \"function\", \"function\": {\"name\": \"add\", \"zebra\": 1, \"apple\": 2}}\n"
            "[system] Be brief.\n[user] 1+2?\n[assistant] <think>Add.<tool_call>add{\"b\": 2, \"a\": 1}\n[tool add] "
            "3\nxhigh[assistant]<think>");
}

}  // namespace
}  // namespace hearth::openai::tools_test
