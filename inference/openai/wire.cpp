// Choices as JSON.
#include "inference/openai/wire.h"

namespace hearth::openai {
namespace {

Json choice(std::string_view finish = {}) {
  Json out = {{"index", 0}, {"finish_reason", nullptr}, {"logprobs", nullptr}};
  if (!finish.empty()) out["finish_reason"] = finish;
  return out;
}

Json with_delta(Json delta) {
  Json out = choice();
  out["delta"] = std::move(delta);
  return out;
}

Json whole_call(const answers::CallDelta& call) {
  return {{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}};
}

// Id, type and name come with a call's first piece only.
Json piece_of_call(const answers::CallDelta& call) {
  Json out = {{"index", call.index}, {"function", {{"arguments", call.arguments}}}};
  if (call.name.empty()) return out;
  out["id"] = call.id;
  out["type"] = "function";
  out["function"]["name"] = call.name;
  return out;
}

}  // namespace

Json Style::whole_choice(const answers::AnswerDelta& answer, std::string_view finish) const {
  Json out = choice(finish);
  if (!is_chat) {
    out["text"] = answer.content;
    return out;
  }
  Json message = {{"role", "assistant"}, {"content", answer.content}, {"refusal", nullptr}};
  if (answer.content.empty() && !answer.calls.empty()) message["content"] = nullptr;
  if (!answer.reasoning.empty()) message["reasoning_content"] = answer.reasoning;
  for (const answers::CallDelta& call : answer.calls) message["tool_calls"].push_back(whole_call(call));
  out["message"] = std::move(message);
  return out;
}

std::vector<Json> Style::pieces(const answers::AnswerDelta& delta) const {
  std::vector<Json> out;
  if (!is_chat) {
    out.push_back(choice());
    out.back()["text"] = delta.content;
    return out;
  }
  if (!delta.reasoning.empty()) out.push_back(with_delta({{"reasoning_content", delta.reasoning}}));
  if (!delta.content.empty()) out.push_back(with_delta({{"content", delta.content}}));
  for (const answers::CallDelta& call : delta.calls)
    out.push_back(with_delta({{"tool_calls", Json::array({piece_of_call(call)})}}));
  return out;
}

Json Style::opening() const {
  return with_delta({{"role", "assistant"}, {"content", ""}});
}

Json Style::closing(std::string_view finish) const {
  Json out = choice(finish);
  if (is_chat)
    out["delta"] = Json::object();
  else
    out["text"] = "";
  return out;
}

Json usage_of(const GenerationSummary& s) {
  return {{"prompt_tokens", s.n_prompt_tokens},
          {"completion_tokens", s.n_completion_tokens},
          {"total_tokens", s.n_prompt_tokens + s.n_completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", s.n_cached_tokens}}}};
}

void append(answers::AnswerDelta& whole, const answers::AnswerDelta& delta) {
  whole.content += delta.content;
  whole.reasoning += delta.reasoning;
  for (const answers::CallDelta& call : delta.calls) {
    if (whole.calls.empty() || whole.calls.back().index != call.index)
      whole.calls.push_back(call);
    else
      whole.calls.back().arguments += call.arguments;
  }
}

}  // namespace hearth::openai
