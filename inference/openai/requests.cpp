// Reads /v1/chat/completions and /v1/completions bodies.
#include "inference/openai/requests.h"

#include <limits>
#include <random>

#include "inference/openai/chat_messages.h"
#include "inference/openai/unsupported_fields.h"

namespace hearth::openai {
namespace {

constexpr size_t kMaxTokenIds = size_t{1} << 22;  // beyond every context

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

// The first of the names under which a field is known that is there; nullptr: none is.
const char* given(const Json& body, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (auto it = body.find(name); it != body.end() && !it->is_null()) return name;
  return nullptr;
}

template <class T>
Result<void> read(const Json& body, std::initializer_list<const char*> names, T& out) {
  const char* name = given(body, names);
  if (!name) return {};
  if constexpr (std::is_same_v<T, float>)
    out = static_cast<float>(TRY(json_get<double>(body, name)));
  else
    out = TRY(json_get<T>(body, name));
  return {};
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

// vLLM and llama.cpp switch top_k off with -1 as well as with 0.
Result<void> read_sampling(const Json& body, SamplingParams& out) {
  TRY(read(body, {"temperature"}, out.temperature));
  TRY(read(body, {"top_p"}, out.top_p));
  TRY(read(body, {"top_k"}, out.top_k));
  if (out.top_k == -1) out.top_k = 0;
  TRY(read(body, {"min_p"}, out.min_p));
  TRY(read(body, {"repetition_penalty", "repeat_penalty"}, out.repetition_penalty));
  TRY(read(body, {"repetition_window", "repeat_last_n"}, out.repetition_window));
  out.seed = TRY(read_seed(body));
  return validate(out);
}

Result<std::vector<int32_t>> read_token_ids(const Json& list, const char* name) {
  if (!list.is_array())
    return error(Code::invalid_argument, "\"{}\" must be an array of token ids, got {}", name, list.type_name());
  if (list.size() > kMaxTokenIds)
    return error(Code::invalid_argument, "\"{}\" has {} token ids; at most {}", name, list.size(), kMaxTokenIds);
  std::vector<int32_t> out;
  for (const Json& id : list) {
    if (!id.is_number_integer())
      return error(Code::invalid_argument, "\"{}\" must hold token ids, got {}", name, id.type_name());
    const auto n = id.is_number_unsigned() ? id.get<uint64_t>() : static_cast<uint64_t>(id.get<int64_t>());
    if (n > std::numeric_limits<int32_t>::max())
      return error(Code::invalid_argument, "\"{}\": token id {} is outside every vocabulary", name, id.dump());
    out.push_back(static_cast<int32_t>(n));
  }
  return out;
}

// max_completion_tokens is the newer name of max_tokens; n_predict is llama.cpp's, whose -1 is "as many as there is
// room".
Result<int> read_max_tokens(const Json& body) {
  const char* name = given(body, {"max_completion_tokens", "max_tokens", "n_predict"});
  if (!name) return 0;
  const int n = TRY(json_get<int>(body, name));
  if (n == -1 && std::string_view(name) == "n_predict") return 0;
  if (n < 1) return error(Code::invalid_argument, "\"{}\" must be at least 1, got {}", name, n);
  return n;
}

Result<CompletionOptions> read_options(const Json& body, const SamplingParams& defaults, Endpoint endpoint) {
  if (!body.is_object())
    return error(Code::invalid_argument, "the body must be a JSON object, got {}", body.type_name());
  TRY(refuse_unsupported(body, endpoint));
  CompletionOptions out;
  out.model = TRY(json_get<std::string>(body, "model"));
  out.max_tokens = TRY(read_max_tokens(body));
  TRY(read(body, {"min_tokens"}, out.min_tokens));
  if (out.min_tokens < 0)
    return error(Code::invalid_argument, "\"min_tokens\" must be at least 0, got {}", out.min_tokens);
  out.sampling = defaults;
  TRY(read_sampling(body, out.sampling));
  out.stop = TRY(read_stop(body));
  if (const char* name = given(body, {"stop_token_ids"})) out.stop_ids = TRY(read_token_ids(body[name], name));
  TRY(read(body, {"ignore_eos"}, out.ignore_eos));
  out.stream = TRY(json_get_or<bool>(body, "stream", false));
  if (auto it = body.find("stream_options"); it != body.end() && it->is_object())
    out.include_usage = TRY(json_get_or<bool>(*it, "include_usage", false));
  return out;
}

}  // namespace

Result<ChatRequest> parse_chat_request(const Json& body, std::string_view text, const SamplingParams& defaults) {
  ChatRequest out{.options = TRY(read_options(body, defaults, Endpoint::chat))};
  TRY(read(body, {"add_generation_prompt"}, out.add_generation_prompt));
  // Valid JSON of bounded depth: it was read as Json before.
  const OrderedJson ordered = OrderedJson::parse(text, nullptr, false);
  if (ordered.is_discarded()) return error(Code::invalid_argument, "the body is not valid JSON");
  TRY(read_tools(ordered, out));
  out.messages_json = TRY(read_messages(ordered));
  out.variables_json = TRY(read_variables(ordered));
  return out;
}

Result<CompletionRequest> parse_completion_request(const Json& body, const SamplingParams& defaults) {
  CompletionRequest out{TRY(read_options(body, defaults, Endpoint::completion)), {}, {}, false};
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
    out.token_prompt = TRY(read_token_ids(*prompt, "prompt"));
    return out;
  }
  if (prompt->size() != 1 || !(*prompt)[0].is_string())
    return error(Code::invalid_argument,
                 "several prompts in one request are not supported by this version: send several requests");
  out.prompts.push_back((*prompt)[0].get<std::string>());
  return out;
}

}  // namespace hearth::openai
