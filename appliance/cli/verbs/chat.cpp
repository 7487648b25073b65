// hearth chat N [PROMPT]: talk to a deployed model through the service. With a prompt, or without a terminal, one
// answer.
#include <unistd.h>

#include <iostream>

#include "appliance/cli/answer_view.h"
#include "appliance/cli/deployments.h"
#include "appliance/cli/interrupt.h"
#include "appliance/cli/typed_text.h"
#include "appliance/cli/verbs.h"
#include "base/error_response.h"
#include "base/text_encoding.h"

namespace hearth::cli {
namespace {

struct ChatArguments {
  std::string model, prompt, system;
  int max_tokens = 0;
  std::optional<double> temperature;
  std::optional<int> seed;
};

Json request_body(const ChatArguments& a, const Json& messages) {
  Json body = {
      {"model", a.model}, {"messages", messages}, {"stream", true}, {"stream_options", {{"include_usage", true}}}};
  if (a.max_tokens > 0) body["max_tokens"] = a.max_tokens;
  if (a.temperature) body["temperature"] = *a.temperature;
  if (a.seed) body["seed"] = *a.seed;
  return body;
}

struct Answer {
  std::string text, reasoning, finish_reason;
  Json usage;
};

// Takes one event's document; shows what it adds.
Result<void> take(const Json& chunk, Answer& answer, AnswerView& view) {
  if (chunk.contains("error"))
    return error(Code::unavailable, "{}", chunk["error"].value("message", "the service reported an error"));
  if (chunk.contains("usage") && chunk["usage"].is_object()) answer.usage = chunk["usage"];
  for (const Json& choice : chunk.value("choices", Json::array())) {
    if (choice.contains("finish_reason") && choice["finish_reason"].is_string())
      answer.finish_reason = choice["finish_reason"];
    if (!choice.contains("delta")) continue;
    auto piece = [&](const char* key) {
      auto it = choice["delta"].find(key);
      return it != choice["delta"].end() && it->is_string() ? it->get<std::string>() : std::string();
    };
    if (std::string thought = piece("reasoning_content"); !thought.empty()) {
      answer.reasoning += thought;
      view.thought(thought);
    }
    std::string text = piece("content");
    answer.text += text;
    view.text(text);
  }
  return {};
}

Result<Answer> ask(const ApiClient& service, const ChatArguments& a, const Json& messages, bool show) {
  Interruptible under_way;
  http::ClientRequest request = service.request("POST", "/v1/chat/completions");
  request.timeout = {};
  request.headers.set("Content-Type", "application/json");
  request.body = dump_json(request_body(a, messages));
  request.stop = under_way.token();
  Answer answer;
  AnswerView view(show);
  auto read_all = [&]() -> Result<void> {
    http::ClientStream stream = TRY(http::ClientStream::open(request));
    if (stream.status() >= 400) return error_from_response(stream.status(), TRY(stream.read()));
    while (auto event = TRY(stream.next_event())) {
      if (event->data == "[DONE]") break;
      TRY(take(TRY(parse_json(event->data)), answer, view));
    }
    return {};
  };
  Result<void> done = read_all();
  view.finish();
  if (!done && done.error().code != Code::cancelled) return std::move(done).error();
  if (!done) answer.finish_reason = "cancelled";
  return answer;
}

Json first_messages(const ChatArguments& a) {
  Json messages = Json::array();
  if (!a.system.empty()) messages.push_back({{"role", "system"}, {"content", a.system}});
  return messages;
}

Result<void> answer_once(const Cli& cli, const ApiClient& service, const ChatArguments& a) {
  Json messages = first_messages(a);
  messages.push_back({{"role", "user"}, {"content", a.prompt}});
  Answer answer = TRY(ask(service, a, messages, !cli.json));
  if (cli.json) {
    Json document = {
        {"model", a.model}, {"text", answer.text}, {"finish_reason", answer.finish_reason}, {"usage", answer.usage}};
    if (!answer.reasoning.empty()) document["reasoning"] = answer.reasoning;
    cli.print(document, [] { return std::string(); });
  } else {
    std::cout << std::endl;
  }
  return {};
}

enum class Said { message, nothing, leave, forget };

// A line of a conversation: a message, or a command about the conversation, which is answered here.
Said what_is_said(std::string_view line) {
  while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
  if (line.empty()) return Said::nothing;
  for (std::string_view word : {"/bye", "/quit", "/exit", "exit", "quit"})
    if (line == word) return Said::leave;
  if (line == "/new") {
    fmt::print(stderr, "a new conversation: the model remembers nothing of the old one\n");
    return Said::forget;
  }
  if (line.front() != '/') return Said::message;
  if (line != "/help" && line != "/?") fmt::print(stderr, "unknown command {}\n", line);
  fmt::print(stderr,
             "/new   forget this conversation\n/bye   leave (also /quit, exit, Ctrl-D)\n/help  this text\n"
             "Ctrl-C stops an answer. Anything else is a message.\n");
  return Said::nothing;
}

Result<void> talk(const ApiClient& service, const ChatArguments& a) {
  fmt::print(stderr, "Talking to {}. Ctrl-C stops an answer, /new forgets, /help says more, /bye or Ctrl-D leaves.\n",
             a.model);
  Json messages = first_messages(a);
  for (std::string line; std::cout << "\n> " << std::flush, std::getline(std::cin, line);) {
    Said said = what_is_said(line);
    if (said == Said::leave) break;
    if (said == Said::forget) messages = first_messages(a);
    if (said != Said::message) continue;
    if (auto text = to_utf8(line, "this line"); !text) {
      fmt::print(stderr, "{}\n", text.error().to_string());
      continue;
    }
    messages.push_back({{"role", "user"}, {"content", line}});
    Result<Answer> answer = ask(service, a, messages, true);
    if (!answer) {
      fmt::print(stderr, "{}\n", answer.error().to_string());
      messages.erase(messages.size() - 1);
      continue;
    }
    messages.push_back({{"role", "assistant"}, {"content", answer->text}});
    std::cout << std::endl;
  }
  return {};
}

}  // namespace

void declare_chat(Command& command) {
  auto a = std::make_shared<ChatArguments>();
  command.positional("N", a->model, "Deployed model");
  command.positional("PROMPT", a->prompt, "Ask this and leave; default: a conversation, or the whole of stdin", false);
  command.option("--system", a->system, "System message");
  command.option("--max-tokens", a->max_tokens, "Longest answer");
  command.option("--temp", a->temperature, "Temperature; default: the model's own");
  command.option("--seed", a->seed, "Same seed, same answer");
  command.on_run([=](const Cli& cli) -> Result<void> {
    take_interrupts();
    a->prompt = TRY(to_utf8(a->prompt, "the prompt"));
    a->system = TRY(to_utf8(a->system, "the system message"));
    ApiClient service = TRY(cli.service());
    TRY(wait_until_ready(service, a->model));
    bool is_conversation = a->prompt.empty() && ::isatty(STDIN_FILENO) && !cli.json;
    if (is_conversation) return talk(service, *a);
    if (a->prompt.empty()) a->prompt = TRY(text_of_stdin());
    if (a->prompt.empty()) return error(Code::invalid_argument, "there is no prompt: give one, or write it to stdin");
    return answer_once(cli, service, *a);
  });
}

}  // namespace hearth::cli
