// Routes of the engine. Each handler: parse, render, generate, answer; streams and whole answers share one path.
#include "inference/openai/surface.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>

#include "base/http/sse.h"
#include "inference/chat_tokens.h"
#include "inference/openai/answer_reader.h"
#include "inference/openai/other_tasks.h"
#include "inference/openai/requests.h"
#include "inference/openai/wire.h"

namespace hearth::openai {
namespace {

constexpr uint64_t kMaxRequestBytes = uint64_t{16} << 20;
constexpr std::chrono::seconds kAnswerTimeLimit{
    3600};  // a long answer of a large model; the client may go away earlier

std::string new_id(const char* prefix) {
  static std::atomic<uint64_t> counter{std::random_device{}()};
  static const uint64_t process = (static_cast<uint64_t>(std::random_device{}()) << 32) | std::random_device{}();
  return fmt::format("{}-{:016x}{:08x}", prefix, process, static_cast<uint32_t>(++counter));
}

int64_t unix_time() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

class Surface {
 public:
  Surface(Generator& generator, ServedName names) : generator_(generator), names_(std::move(names)) {
    const LoadedModel& model = generator_.model();
    if (model.chat_template) format_ = answers::find_format(model.chat_template->source());
    tool_format_ = model.tool_template ? answers::find_format(model.tool_template->source()) : format_;
    if (!model.tokenizer) return;
    for (const answers::AnswerFormat& format : {format_, tool_format_})
      for (const std::string& mark : format.marks())
        if (auto id = model.tokenizer->token_id(mark); id && model.tokenizer->is_special(*id))
          shown_special_.push_back(*id);
    std::sort(shown_special_.begin(), shown_special_.end());
  }

  Result<http::Response> chat(http::Request& http_request) {
    ChatRequest request =
        TRY(parse_chat_request(TRY(http::json_body(http_request)), http_request.body, sampling_defaults()));
    TRY(check_model(request.options));
    const LoadedModel& model = generator_.model();
    const bool with_tools = !request.tools_json.empty();
    const ChatTemplate* chat_template = TRY_WITH(chat_template_for(model, with_tools), "{} cannot answer", names_.name);
    if (!request.tools.empty() && chat_template->source().find("tools") == std::string::npos)
      return error(Code::invalid_argument, "{} was not made for tools: its chat template does not show them",
                   names_.name);
    ChatTokens prompt = TRY(chat_tokens(model, {.messages_json = request.messages_json,
                                                .tools_json = request.tools_json,
                                                .add_generation_prompt = request.add_generation_prompt,
                                                .extra_json = request.variables_json}));
    GenerationRequest generation = generation_for(request.options);
    generation.prompt = std::move(prompt.tokens);
    generation.n_lasting = prompt.n_lasting;
    generation.shown_special = shown_special_;
    auto parser = answers::make_answer_parser(
        with_tools ? tool_format_ : format_,
        {.tools = answers::Tools(std::move(request.tools)), .prompt = std::move(prompt.text)});
    return answer(kChat, request.options, std::move(generation), "",
                  AnswerReader(std::move(parser), request.parallel_tool_calls), http_request.stop);
  }

  Result<http::Response> complete(http::Request& http_request) {
    CompletionRequest request = TRY(parse_completion_request(TRY(http::json_body(http_request)), sampling_defaults()));
    TRY(check_model(request.options));
    GenerationRequest generation = generation_for(request.options);
    generation.prompt = std::move(request.token_prompt);
    const std::string text = request.prompts.empty() ? std::string() : request.prompts[0];
    if (!request.prompts.empty())
      generation.prompt =
          TRY(generator_.model().tokenizer->encode(text, {.add_special = true, .parse_special = false}));
    return answer(kText, request.options, std::move(generation), request.echo ? text : "", AnswerReader(nullptr, true),
                  http_request.stop);
  }

  Result<http::Response> models() const {
    return http::json_response(
        {{"object", "list"},
         {"data",
          Json::array({{{"id", names_.name}, {"object", "model"}, {"created", started_}, {"owned_by", "hearth"}}})}});
  }

  Result<http::Response> health() const {
    const Device& device = generator_.device();
    return http::json_response({{"status", "ok"},
                                {"model", names_.name},
                                {"max_seq_len", generator_.max_seq_len()},
                                {"device", device.name},
                                {"device_reason", device.reason},
                                {"device_note", device.note}});
  }

  Result<http::Response> metrics() const {
    const GeneratorStats s = generator_.stats();
    std::string out;
    auto line = [&](const char* name, const char* type, const char* help, auto value) {
      out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0}{{model=\"{3}\"}} {4}\n", name, help, type, names_.name,
                         value);
    };
    line("hearth_engine_requests_total", "counter", "Requests accepted.", s.n_requests);
    line("hearth_engine_cancelled_total", "counter", "Requests that were cancelled.", s.n_cancelled);
    line("hearth_engine_prompt_tokens_total", "counter", "Prompt tokens of admitted requests.", s.n_prompt_tokens);
    line("hearth_engine_prompt_tokens_reused_total", "counter", "Of them, found in the cache.", s.n_reused_tokens);
    line("hearth_engine_prompt_tokens_read_total", "counter", "Prompt tokens run through the model.", s.n_read_tokens);
    line("hearth_engine_completion_tokens_total", "counter", "Tokens generated.", s.n_completion_tokens);
    line("hearth_engine_steps_total", "counter", "Model steps run.", s.n_steps);
    line("hearth_engine_graphs_built_total", "counter", "Plans made for a size of step that had none ready.",
         s.n_graphs_built);
    line("hearth_engine_busy_seconds_total", "counter", "Time spent in steps.", s.busy_s);
    line("hearth_engine_preempted_total", "counter", "Answers that waited for pages of the cache midway.",
         s.n_preempted);
    line("hearth_engine_cache_pages", "gauge", "Pages of the cache.", s.n_pages);
    line("hearth_engine_cache_pages_in_use", "gauge", "Pages that running requests use.", s.n_pages_in_use);
    line("hearth_engine_cache_pages_kept", "gauge", "Pages kept for requests that begin alike.", s.n_pages_kept);
    line("hearth_engine_requests_running", "gauge", "Requests in the batch now.", s.n_running);
    line("hearth_engine_requests_waiting", "gauge", "Requests waiting for a slot.", s.n_waiting);
    return http::text_response(out, "text/plain; version=0.0.4");
  }

 private:
  Result<void> check_model(const CompletionOptions& options) const {
    if (names_.is(options.model)) return {};
    return error(Code::not_found, "the model \"{}\" is not served here; this engine serves \"{}\"", options.model,
                 names_.name);
  }

  // What the client leaves open comes from the model's own defaults.
  SamplingParams sampling_defaults() const {
    SamplingParams out = kApiDefaults;
    const GenerationDefaults& defaults = generator_.model().generation;
    if (defaults.temperature) out.temperature = static_cast<float>(*defaults.temperature);
    if (defaults.top_p) out.top_p = static_cast<float>(*defaults.top_p);
    if (defaults.top_k) out.top_k = *defaults.top_k;
    if (defaults.min_p) out.min_p = static_cast<float>(*defaults.min_p);
    if (defaults.repetition_penalty) out.repetition_penalty = static_cast<float>(*defaults.repetition_penalty);
    return out;
  }

  GenerationRequest generation_for(const CompletionOptions& options) const {
    GenerationRequest out;
    out.sampling = options.sampling;
    out.min_tokens = options.min_tokens;
    out.ignore_eos = options.ignore_eos;
    out.stop_ids = options.stop_ids;
    out.max_tokens = options.max_tokens;
    out.stop = options.stop;
    return out;
  }

  Json frame(const char* object, const std::string& id, int64_t created, Json choices) const {
    return {
        {"id", id}, {"object", object}, {"created", created}, {"model", names_.name}, {"choices", std::move(choices)}};
  }

  Result<http::Response> answer(const Style& style, const CompletionOptions& options, GenerationRequest generation,
                                std::string echo, AnswerReader reader, const std::stop_token& stop) {
    if (auto refusal = refusal_of(generation)) return *std::move(refusal);
    if (options.stream) return stream(style, options, std::move(generation), std::move(echo), std::move(reader), stop);
    answers::AnswerDelta whole{.content = std::move(echo)};
    auto on_text = [&](std::string_view text) {
      append(whole, reader.push(text));
      return !reader.is_over();
    };
    const GenerationSummary summary = TRY(generator_.generate(generation, on_text, stop));
    if (summary.finish == FinishReason::cancelled && !reader.is_over())
      return error(Code::cancelled, "the request was cancelled");
    append(whole, reader.finish());
    Json body = frame(style.whole_object, new_id(style.id_prefix), unix_time(),
                      Json::array({style.whole_choice(whole, reader.finish_reason(summary.finish))}));
    body["usage"] = usage_of(summary);
    return http::json_response(body);
  }

  // What is known to be wrong before anything is generated. A prompt that leaves no room for an answer has the code by
  // which clients know to shorten the conversation.
  std::optional<http::Response> refusal_of(const GenerationRequest& generation) const {
    const Result<void> checked = generator_.check(generation);
    if (checked) return std::nullopt;
    const bool is_too_long = static_cast<int64_t>(generation.prompt.size()) >= generator_.max_seq_len();
    return http::error_response(checked.error(), is_too_long ? "context_length_exceeded" : "");
  }

  // What can be refused is refused as a plain HTTP error before the stream begins; later errors are events, as OpenAI's
  // are.
  Result<http::Response> stream(const Style& style, const CompletionOptions& options, GenerationRequest generation,
                                std::string echo, AnswerReader first_reader, const std::stop_token& stop) {
    const bool include_usage = options.include_usage;
    // The body may be copied, a reader may not.
    auto shared = std::make_shared<AnswerReader>(std::move(first_reader));
    auto body = [this, style, include_usage, generation = std::move(generation), echo = std::move(echo), shared,
                 stop](http::StreamWriter& writer) -> Result<void> {
      AnswerReader& reader = *shared;
      const std::string id = new_id(style.id_prefix);
      const int64_t created = unix_time();
      auto send = [&](Json choices, Json usage) {
        Json chunk = frame(style.chunk_object, id, created, std::move(choices));
        if (include_usage) chunk["usage"] = std::move(usage);
        return writer.write(http::format_sse({.data = dump_json(chunk)}));
      };
      auto send_delta = [&](const answers::AnswerDelta& delta) {
        if (delta.empty()) return !writer.gone();
        bool is_there = true;
        for (Json& choice : style.pieces(delta)) is_there = send(Json::array({std::move(choice)}), nullptr);
        return is_there;
      };
      if (style.is_chat) send(Json::array({style.opening()}), nullptr);
      send_delta({.content = echo});
      auto on_text = [&](std::string_view text) { return send_delta(reader.push(text)) && !reader.is_over(); };
      auto summary = generator_.generate(generation, on_text, stop);
      if (!summary) {
        writer.write(http::format_sse({.data = http::error_response(summary.error()).body}));
        return {};
      }
      if (summary->finish == FinishReason::cancelled && !reader.is_over()) return {};
      send_delta(reader.finish());
      send(Json::array({style.closing(reader.finish_reason(summary->finish))}), nullptr);
      if (include_usage) send(Json::array(), usage_of(*summary));
      writer.write(http::format_sse({.data = "[DONE]"}));
      return {};
    };
    return http::stream_response("text/event-stream", std::move(body));
  }

  Generator& generator_;
  ServedName names_;
  answers::AnswerFormat format_, tool_format_;
  std::vector<int32_t> shown_special_;
  int64_t started_ = unix_time();
};

}  // namespace

void add_routes(http::Router& router, Generator& generator, const ServedName& names) {
  auto surface = std::make_shared<Surface>(generator, names);
  const http::RouteOptions generate{.max_body_bytes = kMaxRequestBytes, .time_limit = kAnswerTimeLimit};
  router.add(
      "POST", "/v1/chat/completions", [surface](http::Request& r) { return surface->chat(r); }, generate);
  router.add(
      "POST", "/v1/completions", [surface](http::Request& r) { return surface->complete(r); }, generate);
  add_other_tasks(router, ModelTask::generate, names.name);
  router.add("GET", "/v1/models", [surface](http::Request&) { return surface->models(); });
  router.add("GET", "/health", [surface](http::Request&) { return surface->health(); }, {.quick = true});
  router.add("GET", "/metrics", [surface](http::Request&) { return surface->metrics(); }, {.quick = true});
}

}  // namespace hearth::openai
