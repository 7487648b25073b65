// What the OpenAI endpoints take and give, as JSON Schema for the OpenAPI document. The engine checks requests itself
// (inference/openai/requests.cpp); this is what a client may send.
#include "appliance/hearthd/endpoints/endpoints.h"

namespace hearth {
namespace {

Json text(const char* description) {
  return {{"type", "string"}, {"description", description}};
}
Json object(Json properties, Json required = Json::array()) {
  Json out = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) out["required"] = std::move(required);
  return out;
}
Json list(Json items) {
  return {{"type", "array"}, {"items", std::move(items)}};
}
Json number(const char* type, const char* description) {
  return {{"type", type}, {"description", description}};
}

Json sampling() {
  return {
      {"model", text("a deployed model")},
      {"max_tokens", number("integer", "most tokens of the answer; max_completion_tokens and n_predict say the same")},
      {"min_tokens", number("integer", "no end before so many")},
      {"temperature", number("number", "0: always the likeliest token")},
      {"top_p", number("number", "0 to 1")},
      {"top_k", number("integer", "0: all")},
      {"min_p", number("number", "0 to 1")},
      {"repetition_penalty", number("number", "1: none; repeat_penalty says the same")},
      {"repetition_window", number("integer", "tokens that it looks back; repeat_last_n says the same")},
      {"stop_token_ids", list(number("integer", "ends the answer as the model's own end tokens do"))},
      {"ignore_eos", {{"type", "boolean"}, {"description", "the model's own end tokens end nothing"}}},
      {"seed", number("integer", "the same seed, the same answer")},
      {"stop", {{"description", "text that ends the answer, or an array of such"}}},
      {"stream", {{"type", "boolean"}, {"description", "pieces as server-sent events"}}},
      {"stream_options", object({{"include_usage", {{"type", "boolean"}}}})}};
}

Json tool_call() {
  Json function =
      object({{"name", text("the tool")}, {"arguments", text("a JSON object, as text")}}, {"name", "arguments"});
  return object({{"id", text("to be given back with the tool's answer")},
                 {"type", {{"const", "function"}}},
                 {"function", std::move(function)}});
}

Json message() {
  return object({{"role", {{"enum", {"system", "developer", "user", "assistant", "tool"}}}},
                 {"content", {{"description", "text, or an array of parts of type text"}}},
                 {"reasoning_content", text("of an earlier answer")},
                 {"tool_calls", list(tool_call())},
                 {"tool_call_id", text("of the call that a message of role tool answers")}},
                {"role"});
}

Json tool() {
  Json function = object({{"name", text("letters, digits and _ . : / -")},
                          {"description", text("for the model")},
                          {"parameters", {{"type", "object"}, {"description", "JSON Schema of the arguments"}}}},
                         {"name"});
  return object({{"type", {{"const", "function"}}}, {"function", std::move(function)}}, {"function"});
}

}  // namespace

Json chat_request_schema() {
  Json properties = sampling();
  properties["messages"] = list(message());
  properties["tools"] = list(tool());
  properties["tool_choice"] = {{"enum", {"none", "auto"}}, {"description", "whether tools may be called"}};
  properties["parallel_tool_calls"] = {{"type", "boolean"}, {"description", "false: at most one call in an answer"}};
  properties["add_generation_prompt"] = {{"type", "boolean"},
                                         {"description", "false: the model goes on where the messages end"}};
  properties["reasoning_effort"] = text("for models whose chat template knows it");
  properties["chat_template_kwargs"] = {{"type", "object"}, {"description", "further variables of the chat template"}};
  return object(std::move(properties), {"model", "messages"});
}

Json chat_response_schema() {
  Json answer = object({{"role", {{"const", "assistant"}}},
                        {"content", {{"type", {"string", "null"}}}},
                        {"reasoning_content", text("what the model thought before it answered")},
                        {"tool_calls", list(tool_call())}});
  Json choice = object({{"index", {{"type", "integer"}}},
                        {"message", std::move(answer)},
                        {"finish_reason", {{"enum", {"stop", "length", "tool_calls"}}}}});
  Json usage = object({{"prompt_tokens", {{"type", "integer"}}},
                       {"completion_tokens", {{"type", "integer"}}},
                       {"total_tokens", {{"type", "integer"}}}});
  return object({{"id", text("of the answer")}, {"choices", list(std::move(choice))}, {"usage", std::move(usage)}});
}

Json completion_request_schema() {
  Json properties = sampling();
  properties["prompt"] = {{"description", "text, or an array of token ids"}};
  properties["echo"] = {{"type", "boolean"}, {"description", "the prompt stands before the answer"}};
  return object(std::move(properties), {"model", "prompt"});
}

Json embeddings_request_schema() {
  return object({{"model", text("a deployed model")}, {"input", {{"description", "a text, or an array of texts"}}}},
                {"model", "input"});
}

Json rerank_request_schema() {
  return object(
      {{"model", text("a deployed model")}, {"query", text("what is looked for")}, {"documents", {{"type", "array"}}}},
      {"model", "query", "documents"});
}

}  // namespace hearth
