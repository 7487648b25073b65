// The OpenAI surface: bodies in, JSON and SSE out, on handlers called directly; a real client is tested with hearthd.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include <filesystem>
#include <functional>

#include "base/http/sse.h"
#include "inference/openai/requests.h"
#include "inference/openai/surface.h"

namespace hearth::openai::openai_test {
namespace {

class Surface : public testing::Test {
 protected:
  void SetUp() override {
    start([](LoadedModel&) {});
  }

  // Another engine on the model, changed.
  void start(const std::function<void(LoadedModel&)>& change) {
    auto model = load_model(std::filesystem::path(HEARTH_SOURCE_DIR) / "tests/golden/sharded_tokenizer_bf16");
    ASSERT_TRUE(model) << model.error().to_string();
    change(*model);
    router_ = {};
    GeneratorOptions options;
    options.step.n_threads = 1;
    auto created = Generator::create(std::make_shared<const LoadedModel>(std::move(*model)), options);
    ASSERT_TRUE(created) << created.error().to_string();
    generator_ = std::move(*created);
    add_routes(router_, *generator_, {"tiny", "小模型 caf\xC3\xA9"});
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

TEST_F(Surface, TheModelsOwnSamplingIsNoFaultOfTheClient) {
  start([](LoadedModel& model) {
    model.generation = *generation_from_hf(
        "{}",
        R"({"top_k": -1, "top_p": 1.5, "temperature": -1, "min_p": 3, "repetition_penalty": 0, "do_sample": true})");
  });
  Json plain = chat_body();
  plain.erase("temperature");
  EXPECT_TRUE(call("POST", "/v1/chat/completions", plain));
  for (const Json& own : {Json{{"top_k", -5}}, Json{{"top_p", 1.5}}, Json{{"temperature", -1}}, Json{{"min_p", 3}}}) {
    auto refused = call("POST", "/v1/chat/completions", chat_body(own));
    ASSERT_FALSE(refused) << own.dump();
    EXPECT_EQ(refused.error().code, Code::invalid_argument);
  }
}

TEST_F(Surface, ToolsHaveATemplateOfTheirOwn) {
  start([](LoadedModel& model) {
    model.chat_template = *ChatTemplate::parse("plain");
    model.tool_template = *ChatTemplate::parse("{{ tools|length }} tools for you");
  });
  const Json tool = {{"type", "function"}, {"function", {{"name", "f"}, {"parameters", Json::object()}}}};
  const Json without = call_json("/v1/chat/completions", chat_body());
  const Json with = call_json("/v1/chat/completions", chat_body({{"tools", Json::array({tool})}}));
  EXPECT_GT(with["usage"]["prompt_tokens"].get<int>(), without["usage"]["prompt_tokens"].get<int>());
}

TEST_F(Surface, EmbeddingsOfAWriterAreRefusedByName) {
  auto refused = call("POST", "/v1/embeddings", {{"model", "tiny"}, {"input", "x"}});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("tiny writes text"), std::string::npos) << refused.error().message;
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
  for (const char* called : {"小模型 caf\xC3\xA9", "小模型 cafe\xCC\x81"})
    EXPECT_EQ(call_json("/v1/chat/completions", chat_body({{"model", called}}))["model"], "tiny") << called;
  expect_error(chat_body({{"messages", Json::array()}}), Code::invalid_argument, "messages");
  expect_error(chat_body({{"messages", Json::array({{{"role", "robot"}, {"content", "x"}}})}}), Code::invalid_argument,
               "in messages[0]: role must be");
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
  for (const Json& choice : {Json("sometimes"), Json{{"type", 5}}, Json(5)})
    expect_error(chat_body({{"tools", Json::array({tool})}, {"tool_choice", choice}}), Code::invalid_argument,
                 "tool_choice");
  expect_error(chat_body({{"messages", Json::array({{{"role", "tool"}, {"content", "4"}}})}}), Code::invalid_argument,
               "tool_call_id");
}

// The code by which OpenAI's clients know that a conversation has to be shortened; other bad prompts have another.
TEST_F(Surface, APromptBeyondTheContextHasItsOwnCode) {
  auto refusal = [&](const char* path, const Json& body) {
    auto response = call("POST", path, body);
    EXPECT_TRUE(response) << response.error().to_string();
    EXPECT_EQ(response->status, 400);
    EXPECT_FALSE(response->stream);
    return Json::parse(response->body)["error"];
  };
  const Json long_talk = Json::array({{{"role", "user"}, {"content", std::string(9000, 'a')}}});
  for (bool is_stream : {false, true}) {
    const Json chat = refusal("/v1/chat/completions", chat_body({{"messages", long_talk}, {"stream", is_stream}}));
    EXPECT_EQ(chat["code"], "context_length_exceeded");
    EXPECT_EQ(chat["type"], "invalid_request_error");
    EXPECT_NE(chat["message"].get<std::string>().find("the prompt has"), std::string::npos);
    const Json text = {{"model", "tiny"}, {"prompt", std::string(9000, 'a')}, {"stream", is_stream}};
    EXPECT_EQ(refusal("/v1/completions", text)["code"], "context_length_exceeded");
    const Json ids = {{"model", "tiny"}, {"prompt", {2'000'000'000}}, {"stream", is_stream}};
    EXPECT_EQ(refusal("/v1/completions", ids)["code"], "invalid_argument");
  }
}

// Fields that other servers honour and that change the answer: never taken in silence.
TEST(Requests, WhatIsNotSupportedIsRefusedByName) {
  const Json schema = {{"type", "object"}};
  const std::pair<const char*, Json> kBoth[] = {{"grammar", "root ::= \"yes\""},
                                                {"json_schema", schema},
                                                {"guided_json", schema},
                                                {"json_schema", Json::object()},
                                                {"guided_json", Json::object()},
                                                {"response_format", {{"type", "json_object"}}},
                                                {"response_format", {{"type", 5}}},
                                                {"response_format", "json"},
                                                {"skip_special_tokens", false},
                                                {"eta_cutoff", 0.1},
                                                {"no_repeat_ngram_size", 2},
                                                {"web_search_options", Json::object()},
                                                {"modalities", {"text", "audio"}},
                                                {"lora", {{{"id", 0}, {"scale", 1}}}},
                                                {"options", {{"num_ctx", 512}}},
                                                {"guided_regex", "a+"},
                                                {"guided_choice", {"a", "b"}},
                                                {"structured_outputs", {{"json", schema}}},
                                                {"regex", "a"},
                                                {"ebnf", "a"},
                                                {"format", "json"},
                                                {"best_of", 2},
                                                {"n", 2},
                                                {"use_beam_search", true},
                                                {"length_penalty", 0.5},
                                                {"logit_bias", {{"15", 3}}},
                                                {"bad_words", {"x"}},
                                                {"allowed_token_ids", {1, 2}},
                                                {"logprobs", 0},
                                                {"logprobs", true},
                                                {"top_logprobs", 3},
                                                {"prompt_logprobs", 0},
                                                {"n_probs", 2},
                                                {"presence_penalty", 0.5},
                                                {"frequency_penalty", -1},
                                                {"typical_p", 0.5},
                                                {"tfs_z", 0.9},
                                                {"mirostat", 2},
                                                {"xtc_probability", 0.5},
                                                {"dry_multiplier", 0.8},
                                                {"samplers", {"top_k"}},
                                                {"truncate_prompt_tokens", 5},
                                                {"thinking_budget_tokens", 0},
                                                {"suffix", "end"}};
  for (const auto& [name, value] : kBoth) {
    Json body = chat_body({{name, value}});
    auto chat = parse_chat_request(body, body.dump());
    ASSERT_FALSE(chat) << name;
    EXPECT_NE(chat.error().message.find(fmt::format("\"{}\"", name)), std::string::npos) << chat.error().message;
    body["prompt"] = "Once";
    body.erase("messages");
    EXPECT_FALSE(parse_completion_request(body)) << name;
  }
  for (const auto& [name, value] : {std::pair<const char*, Json>{"functions", {1}},
                                    {"continue_final_message", true},
                                    {"chat_template", "{{ x }}"},
                                    {"echo", true},
                                    {"enable_thinking", false},
                                    {"thinking", {{"type", "disabled"}}},
                                    {"verbosity", "low"},
                                    {"add_special_tokens", true},
                                    {"documents", {1}}}) {
    const Json body = chat_body({{name, value}});
    EXPECT_FALSE(parse_chat_request(body, body.dump())) << name;
  }
}

TEST(Requests, WhatAsksForNothingIsTaken) {
  const Json completion = {{"model", "tiny"},
                           {"prompt", "Once"},
                           {"response_format", {{"type", "text"}}},
                           {"add_special_tokens", true},
                           {"skip_special_tokens", true}};
  EXPECT_TRUE(parse_completion_request(completion));
  Json body = chat_body();
  for (const auto& [name, value] : {std::pair<const char*, Json>{"grammar", ""},
                                    {"grammar", nullptr},
                                    {"best_of", 1},
                                    {"n", 1},
                                    {"logit_bias", Json::object()},
                                    {"logprobs", false},
                                    {"logprobs", nullptr},
                                    {"presence_penalty", 0},
                                    {"frequency_penalty", 0.0},
                                    {"typical_p", 1},
                                    {"mirostat", 0},
                                    {"length_penalty", 1.0},
                                    {"tfs_z", 1},
                                    {"thinking_budget_tokens", -1},
                                    {"suffix", ""},
                                    {"json_schema", nullptr},
                                    {"response_format", {{"type", "text"}}},
                                    {"skip_special_tokens", true},
                                    {"add_special_tokens", false},
                                    {"modalities", {"text"}},
                                    {"verbosity", "medium"},
                                    {"functions", Json::array()},
                                    {"store", true},
                                    {"metadata", {{"a", "b"}}},
                                    {"user", "anna"},
                                    {"service_tier", "auto"},
                                    {"cache_prompt", true}}) {
    body[name] = value;
    EXPECT_TRUE(parse_chat_request(body, body.dump()))
        << name << ": " << parse_chat_request(body, body.dump()).error().message;
  }
}

TEST(Requests, OtherServersNamesAreHonoured) {
  const Json body = chat_body({{"stop_token_ids", {5, 7}},
                               {"min_tokens", 3},
                               {"ignore_eos", true},
                               {"repeat_penalty", 1.5},
                               {"repeat_last_n", 32},
                               {"top_k", -1},
                               {"add_generation_prompt", false}});
  auto chat = parse_chat_request(body, body.dump());
  ASSERT_TRUE(chat) << chat.error().message;
  EXPECT_EQ(chat->options.stop_ids, (std::vector<int32_t>{5, 7}));
  EXPECT_EQ(chat->options.min_tokens, 3);
  EXPECT_TRUE(chat->options.ignore_eos);
  EXPECT_FLOAT_EQ(chat->options.sampling.repetition_penalty, 1.5f);
  EXPECT_EQ(chat->options.sampling.repetition_window, 32);
  EXPECT_EQ(chat->options.sampling.top_k, 0);
  EXPECT_FALSE(chat->add_generation_prompt);
  Json llama_cpp = {{"model", "tiny"}, {"prompt", "Once"}, {"n_predict", 7}};
  EXPECT_EQ(parse_completion_request(llama_cpp)->options.max_tokens, 7);
}

// The model's own defaults hold for what the client left out, and for nothing else.
TEST(Requests, WhatTheClientSaysHoldsOverTheModel) {
  const SamplingParams model{
      .temperature = 0.6f, .top_k = 20, .top_p = 0.9f, .min_p = 0.1f, .repetition_penalty = 1.1f};
  Json body = chat_body();
  body.erase("temperature");
  EXPECT_FLOAT_EQ(parse_chat_request(body, body.dump(), model)->options.sampling.temperature, 0.6f);
  EXPECT_EQ(parse_chat_request(body, body.dump(), model)->options.sampling.top_k, 20);
  body.update({{"temperature", 1.0}, {"top_k", 0}, {"top_p", 1}, {"min_p", 0}, {"repetition_penalty", 1}});
  const SamplingParams said = parse_chat_request(body, body.dump(), model)->options.sampling;
  EXPECT_EQ(said.top_k, 0);
  EXPECT_FLOAT_EQ(said.min_p, 0);
  EXPECT_FLOAT_EQ(said.repetition_penalty, 1);
}

TEST(Requests, TokenIdsDoNotWrap) {
  for (const Json& id : {Json(int64_t{1} << 32), Json(-1), Json(int64_t{1} << 31), Json(UINT64_MAX), Json(INT64_MIN),
                         Json(1.5), Json("7")}) {
    const Json prompt = {{"model", "tiny"}, {"prompt", Json::array({1, id})}};
    EXPECT_EQ(parse_completion_request(prompt).error().code, Code::invalid_argument) << id;
    const Json body = chat_body({{"stop_token_ids", Json::array({id})}});
    EXPECT_EQ(parse_chat_request(body, body.dump()).error().code, Code::invalid_argument) << id;
  }
}

// A conversation of a model most of whose layers are recurrences: the template leaves out what asked for the answer, so
// that the second turn parts from the first prompt before its end.
TEST_F(Surface, TheSecondTurnOfAHybridModelReadsOnlyWhatIsNew) {
  auto model = load_model(std::filesystem::path(HEARTH_SOURCE_DIR) / "tests/golden/qwen3_5_bf16");
  ASSERT_TRUE(model) << model.error().to_string();
  const Tokenizer tokenizer = *model->tokenizer;
  auto created = Generator::create(std::make_shared<const LoadedModel>(std::move(*model)), {.step = {.n_threads = 1}});
  ASSERT_TRUE(created) << created.error().to_string();
  generator_ = std::move(*created);
  router_ = {};
  add_routes(router_, *generator_, {"tiny", ""});
  Json messages = Json::array({{{"role", "user"}, {"content", "Hello"}}});
  const Json first = call_json("/v1/chat/completions", chat_body({{"messages", messages}}));
  EXPECT_EQ(first["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
  messages.push_back({{"role", "assistant"}, {"content", "Something else."}});
  messages.push_back({{"role", "user"}, {"content", "And now?"}});
  const Json second = call_json("/v1/chat/completions", chat_body({{"messages", messages}}));
  const int n_header = static_cast<int>(
      tokenizer.encode("<|start_header_id|>assistant<|end_header_id|>\n\n", {.add_special = false})->size());
  const int n_first = first["usage"]["prompt_tokens"];
  EXPECT_EQ(second["usage"]["prompt_tokens_details"]["cached_tokens"], n_first - n_header);
  const std::string metrics = call("GET", "/metrics", nullptr)->body;
  const int n_second = second["usage"]["prompt_tokens"];
  EXPECT_NE(
      metrics.find(fmt::format("hearth_engine_prompt_tokens_reused_total{{model=\"tiny\"}} {}\n", n_first - n_header)),
      std::string::npos)
      << metrics;
  EXPECT_NE(
      metrics.find(fmt::format("hearth_engine_prompt_tokens_read_total{{model=\"tiny\"}} {}\n", n_second + n_header)),
      std::string::npos)
      << metrics;
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
}  // namespace hearth::openai::openai_test
