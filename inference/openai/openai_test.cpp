// The OpenAI surface: bodies in, JSON and SSE out, on handlers called directly; a real client is tested with hearthd.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include <filesystem>

#include "base/http/sse.h"
#include "inference/openai/requests.h"
#include "inference/openai/surface.h"

namespace hearth::openai {
namespace {

class Surface : public testing::Test {
 protected:
  void SetUp() override {
    auto model = load_model(std::filesystem::path(HEARTH_SOURCE_DIR) / "tests/golden/sharded_tokenizer_bf16");
    ASSERT_TRUE(model) << model.error().to_string();
    GeneratorOptions options;
    options.step.n_threads = 1;
    auto created = Generator::create(std::make_shared<const LoadedModel>(std::move(*model)), options);
    ASSERT_TRUE(created) << created.error().to_string();
    generator_ = std::move(*created);
    add_routes(router_, *generator_, "tiny");
  }

  Result<http::Response> call(std::string_view method, std::string_view path, const Json& body) {
    const http::Router::Match match = router_.match(method, path);
    EXPECT_NE(match.route, nullptr);
    http::Request request;
    request.method = method;
    request.path = path;
    request.body = body.dump();
    return match.route->handler(request);
  }

  Json call_json(std::string_view path, const Json& body) {
    auto response = call("POST", path, body);
    EXPECT_TRUE(response) << response.error().to_string();
    return response ? Json::parse(response->body) : Json();
  }

  class Collector : public http::StreamWriter {
   public:
    bool write(std::string_view bytes) override {
      EXPECT_TRUE(parser.feed(bytes));
      return !is_gone;
    }
    bool gone() const override { return is_gone; }
    http::SseParser parser;
    bool is_gone = false;
  };

  std::vector<std::string> call_stream(std::string_view path, const Json& body) {
    auto response = call("POST", path, body);
    EXPECT_TRUE(response) << response.error().to_string();
    Collector collector;
    EXPECT_TRUE(response->stream(collector));
    std::vector<std::string> events;
    while (auto event = collector.parser.next()) events.push_back(event->data);
    return events;
  }

  std::unique_ptr<Generator> generator_;
  http::Router router_;
};

Json chat_body(const Json& more = Json::object()) {
  Json body = {{"model", "tiny"},
               {"messages", Json::array({{{"role", "user"}, {"content", "Hello"}}})},
               {"max_tokens", 8},
               {"temperature", 0}};
  body.update(more);
  return body;
}

TEST_F(Surface, ChatAnswersWithUsage) {
  const Json answer = call_json("/v1/chat/completions", chat_body());
  EXPECT_EQ(answer["object"], "chat.completion");
  EXPECT_EQ(answer["choices"][0]["message"]["role"], "assistant");
  EXPECT_EQ(answer["usage"]["total_tokens"],
            answer["usage"]["prompt_tokens"].get<int>() + answer["usage"]["completion_tokens"].get<int>());
  EXPECT_GT(answer["usage"]["completion_tokens"].get<int>(), 0);
}

TEST_F(Surface, StreamSpellsTheSameAnswer) {
  const Json whole = call_json("/v1/chat/completions", chat_body());
  const auto events =
      call_stream("/v1/chat/completions", chat_body({{"stream", true}, {"stream_options", {{"include_usage", true}}}}));
  ASSERT_GE(events.size(), 4u);
  EXPECT_EQ(events.back(), "[DONE]");
  std::string text;
  for (size_t i = 0; i + 2 < events.size(); ++i) {
    const Json chunk = Json::parse(events[i]);
    EXPECT_EQ(chunk["object"], "chat.completion.chunk");
    EXPECT_TRUE(chunk["usage"].is_null());
    if (chunk["choices"][0]["delta"].contains("content"))
      text += chunk["choices"][0]["delta"]["content"].get<std::string>();
  }
  EXPECT_EQ(text, whole["choices"][0]["message"]["content"].get<std::string>());
  const Json usage = Json::parse(events[events.size() - 2]);
  EXPECT_TRUE(usage["choices"].empty());
  EXPECT_EQ(usage["usage"]["completion_tokens"], whole["usage"]["completion_tokens"]);
}

TEST_F(Surface, CompletionEchoesAndCounts) {
  const Json answer = call_json(
      "/v1/completions", {{"model", "tiny"}, {"prompt", "abc"}, {"max_tokens", 3}, {"temperature", 0}, {"echo", true}});
  EXPECT_EQ(answer["object"], "text_completion");
  EXPECT_TRUE(answer["choices"][0]["text"].get<std::string>().starts_with("abc"));
  EXPECT_LE(answer["usage"]["completion_tokens"].get<int>(), 3);
}

TEST_F(Surface, AVanishedClientCancels) {
  auto response = call("POST", "/v1/chat/completions", chat_body({{"stream", true}, {"max_tokens", 200}}));
  ASSERT_TRUE(response);
  Collector collector;
  collector.is_gone = true;
  EXPECT_TRUE(response->stream(collector));
  // The caller is told before the scheduler's thread has counted it.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (generator_->stats().n_running != 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(generator_->stats().n_running, 0);
}

TEST_F(Surface, WrongRequestsNameTheMember) {
  auto expect_error = [&](const Json& body, Code code, std::string_view text) {
    auto response = call("POST", "/v1/chat/completions", body);
    ASSERT_FALSE(response) << body.dump();
    EXPECT_EQ(response.error().code, code);
    EXPECT_NE(response.error().to_string().find(text), std::string::npos) << response.error().to_string();
  };
  expect_error(chat_body({{"model", "other"}}), Code::not_found, "other");
  expect_error(chat_body({{"messages", Json::array()}}), Code::invalid_argument, "messages");
  expect_error(chat_body({{"messages", Json::array({{{"role", "robot"}, {"content", "x"}}})}}), Code::invalid_argument,
               "messages[0].role");
  expect_error(chat_body({{"temperature", "hot"}}), Code::invalid_argument, "temperature");
  expect_error(chat_body({{"temperature", -1}}), Code::invalid_argument, "temperature");
  expect_error(chat_body({{"max_tokens", 0}}), Code::invalid_argument, "max_tokens");
  expect_error(chat_body({{"stop", 5}}), Code::invalid_argument, "stop");
  expect_error(chat_body({{"n", 2}}), Code::invalid_argument, "\"n\"");
  const Json tool = {{"type", "function"}, {"function", {{"name", "add"}}}};
  expect_error(chat_body({{"tools", Json::array({{{"type", "function"}}})}}), Code::invalid_argument,
               "tools[0].function");
  expect_error(chat_body({{"tools", Json::array({{{"type", "retrieval"}}})}}), Code::invalid_argument, "tools[0].type");
  expect_error(chat_body({{"tools", Json::array({tool})}}), Code::invalid_argument, "not made for tools");
  expect_error(chat_body({{"tools", Json::array({tool})}, {"tool_choice", "required"}}), Code::invalid_argument,
               "tool_choice");
  expect_error(chat_body({{"tools", Json::array({tool})},
                          {"tool_choice", {{"type", "function"}, {"function", {{"name", "add"}}}}}}),
               Code::invalid_argument, "tool_choice");
  expect_error(chat_body({{"tools", Json::array({tool})}, {"tool_choice", "sometimes"}}), Code::invalid_argument,
               "tool_choice");
  expect_error(chat_body({{"messages", Json::array({{{"role", "tool"}, {"content", "4"}}})}}), Code::invalid_argument,
               "tool_call_id");
  expect_error(chat_body({{"stream", true},
                          {"messages", Json::array({{{"role", "user"}, {"content", std::string(9000, 'a')}}})}}),
               Code::invalid_argument, "the prompt has");
}

TEST_F(Surface, HealthAnswersWhileChatsHoldAllWorkers) {
  for (const char* path : {"/health", "/metrics"}) EXPECT_TRUE(router_.match("GET", path).route->options.quick) << path;
  EXPECT_FALSE(router_.match("POST", "/v1/chat/completions").route->options.quick);
}

TEST_F(Surface, HealthAndMetrics) {
  EXPECT_EQ(Json::parse(call("GET", "/health", nullptr)->body)["status"], "ok");
  EXPECT_NE(call("GET", "/metrics", nullptr)->body.find("hearth_engine_requests_total{model=\"tiny\"} 0"),
            std::string::npos);
  EXPECT_EQ(Json::parse(call("GET", "/v1/models", nullptr)->body)["data"][0]["id"], "tiny");
}

}  // namespace
}  // namespace hearth::openai
