// Reads /v1/chat/completions and /v1/completions bodies.
#include "inference/openai/requests.h"

#include <random>

#include "inference/openai/chat_messages.h"

namespace hearth::openai {
namespace {

Result<void> refuse(const Json& body, const char* name, const char* why) {
  auto it = body.find(name);
  if (it == body.end() || it->is_null() || *it == false || (it->is_array() && it->empty()) ||
      (it->is_object() && it->empty()))
    return {};
  return error(Code::invalid_argument, "\"{}\" is not supported by this version: {}", name, why);
}

Result<std::vector<std::string>> read_stop(const Json& body) {
  std::vector<std::string> out;
  auto it = body.find("stop");
  if (it == body.end() || it->is_null()) return out;
  if (it->is_string()) return std::vector{it->get<std::string>()};
  if (!it->is_array())
    return error(Code::invalid_argument, "\"stop\" must be a string or an array of strings, got {}", it->type_name());
  for (const Json& item : *it) {
    if (!item.is_string()) return error(Code::invalid_argument, "\"stop\" must hold strings, got {}", item.type_name());
    out.push_back(item.get<std::string>());
  }
  return out;
}

// max_completion_tokens is the newer name of max_tokens.
Result<int> read_max_tokens(const Json& body) {
  for (const char* name : {"max_completion_tokens", "max_tokens"}) {
    auto it = body.find(name);
    if (it == body.end() || it->is_null()) continue;
    const int n = TRY(json_get<int>(body, name));
    if (n < 1) return error(Code::invalid_argument, "\"{}\" must be at least 1, got {}", name, n);
    return n;
  }
  return 0;
}

// An absent seed is drawn, so that repeated requests differ; greedy requests do not use it.
Result<uint64_t> read_seed(const Json& body) {
  auto it = body.find("seed");
  if (it == body.end() || it->is_null()) {
    std::random_device device;
    return (static_cast<uint64_t>(device()) << 32) | device();
  }
  return static_cast<uint64_t>(TRY(json_get<int64_t>(body, "seed")));
}

Result<CompletionOptions> read_options(const Json& body) {
  if (!body.is_object())
    return error(Code::invalid_argument, "the body must be a JSON object, got {}", body.type_name());
  CompletionOptions out;
  out.model = TRY(json_get<std::string>(body, "model"));
  out.max_tokens = TRY(read_max_tokens(body));
  out.has_temperature = body.contains("temperature") && !body["temperature"].is_null();
  out.has_top_p = body.contains("top_p") && !body["top_p"].is_null();
  out.sampling.temperature = static_cast<float>(TRY(json_get_or<double>(body, "temperature", 1.0)));
  out.sampling.top_p = static_cast<float>(TRY(json_get_or<double>(body, "top_p", 1.0)));
  out.sampling.top_k = TRY(json_get_or<int>(body, "top_k", 0));
  out.sampling.min_p = static_cast<float>(TRY(json_get_or<double>(body, "min_p", 0.0)));
  out.sampling.repetition_penalty = static_cast<float>(TRY(json_get_or<double>(body, "repetition_penalty", 1.0)));
  out.sampling.seed = TRY(read_seed(body));
  TRY(validate(out.sampling));
  out.stop = TRY(read_stop(body));
  out.stream = TRY(json_get_or<bool>(body, "stream", false));
  if (auto it = body.find("stream_options"); it != body.end() && it->is_object())
    out.include_usage = TRY(json_get_or<bool>(*it, "include_usage", false));
  if (TRY(json_get_or<int>(body, "n", 1)) != 1)
    return error(Code::invalid_argument, "\"n\" above 1 is not supported by this version: send several requests");
  for (const char* name : {"presence_penalty", "frequency_penalty"})
    if (TRY(json_get_or<double>(body, name, 0.0)) != 0)
      return error(Code::invalid_argument, "\"{}\" is not supported by this version: use repetition_penalty", name);
  TRY(refuse(body, "logit_bias", "biases come with grammars"));
  TRY(refuse(body, "logprobs", "log-probabilities come later"));
  return out;
}

}  // namespace

Result<ChatRequest> parse_chat_request(const Json& body, std::string_view text) {
  ChatRequest out{.options = TRY(read_options(body))};
  TRY(refuse(body, "functions", "it is the older form of \"tools\"; send tools"));
  if (auto it = body.find("response_format");
      it != body.end() && it->is_object() && it->value("type", "text") != "text")
    return error(Code::invalid_argument, "\"response_format\" other than text is not supported by this version");
  // Valid JSON of bounded depth: it was read as Json before.
  const OrderedJson ordered = OrderedJson::parse(text, nullptr, false);
  if (ordered.is_discarded()) return error(Code::invalid_argument, "the body is not valid JSON");
  TRY(read_tools(ordered, out));
  out.messages_json = TRY(read_messages(ordered));
  out.variables_json = TRY(read_variables(ordered));
  return out;
}

Result<CompletionRequest> parse_completion_request(const Json& body) {
  CompletionRequest out{TRY(read_options(body)), {}, {}, false};
  out.echo = TRY(json_get_or<bool>(body, "echo", false));
  if (out.options.max_tokens == 0) out.options.max_tokens = 16;  // OpenAI's default for this endpoint
  auto prompt = body.find("prompt");
  if (prompt == body.end()) return error(Code::invalid_argument, "field \"prompt\" is missing");
  if (prompt->is_string()) {
    out.prompts.push_back(prompt->get<std::string>());
    return out;
  }
  if (!prompt->is_array() || prompt->empty())
    return error(Code::invalid_argument,
                 "\"prompt\" must be a string, an array with one string, or an array of token ids");
  if ((*prompt)[0].is_number_integer()) {
    for (const Json& id : *prompt) {
      if (!id.is_number_integer())
        return error(Code::invalid_argument, "\"prompt\" mixes token ids with {}", id.type_name());
      out.token_prompt.push_back(static_cast<int32_t>(id.get<int64_t>()));
    }
    return out;
  }
  if (prompt->size() != 1 || !(*prompt)[0].is_string())
    return error(Code::invalid_argument,
                 "several prompts in one request are not supported by this version: send several requests");
  out.prompts.push_back((*prompt)[0].get<std::string>());
  return out;
}

}  // namespace hearth::openai
