// /v1/...: OpenAI's API. Requests go to the engine of the model that they name, bytes unchanged, as do the answers.
#include "appliance/hearthd/endpoints/endpoints.h"
#include "appliance/hearthd/forward_slots.h"
#include "base/http/client.h"
#include "base/http/sse.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxPromptBytes = uint64_t{16} << 20;
constexpr std::chrono::seconds kAnswerTimeLimit{3600};
constexpr int kMaxForwards = 160;  // of the service's 256 workers: the event streams and everything else need some, too
constexpr std::chrono::seconds kRetryAfter{5};
constexpr std::string_view kModelNotFound = "model_not_found";

// Why a request for this model cannot be answered, with the next step.
Error not_served(const Service& service, const std::string& model) {
  if (auto found = service.store().find(model))
    return error(Code::not_found,
                 "the {} is installed but not deployed; deploy it on the Models page or with `hearth deploy {}`",
                 found->kind == "adapter" ? fmt::format("adapter {} (of {})", model, found->parent.value_or("?"))
                                          : "model " + model,
                 model);
  std::string names;
  for (const api::Deployment& d : service.deployments.list()) names += (names.empty() ? "" : ", ") + d.model;
  return error(Code::not_found, "there is no model {} on this box; deployed now: {}", model,
               names.empty() ? "none" : names);
}

struct Route {
  std::string model;  // its name in the store
  std::filesystem::path socket;
  std::optional<http::Response> refusal;
};

// By its name in the store, which needs no look into the catalog; else by what people call it.
Route route_to(const Service& service, std::string model) {
  Result<std::filesystem::path> socket = service.deployments.ready_socket(model);
  if (!socket && socket.error().code == Code::not_found) {
    auto meant = service.store().resolve(model);
    if (!meant && meant.error().code == Code::invalid_argument) return {model, {}, http::error_response(meant.error())};
    if (meant && *meant != model) socket = service.deployments.ready_socket(model = *std::move(meant));
  }
  if (socket) return {model, *socket, std::nullopt};
  if (socket.error().code == Code::not_found)
    return {model, {}, http::error_response(not_served(service, model), kModelNotFound)};
  http::Response refusal = http::error_response(socket.error());
  refusal.headers.set("Retry-After", "2");
  return {model, {}, std::move(refusal)};
}

bool is_event_stream(const http::Headers& headers) {
  auto type = headers.find("Content-Type");
  return type && type->starts_with("text/event-stream");
}

// The engine died in the middle of an answer: said inside the stream, where OpenAI's clients look for it.
std::string stream_error(const Error& failed) {
  return http::format_sse(
      {.data = http::error_response(
                   error(Code::unavailable, "the model's engine stopped answering: {}", failed.to_string()))
                   .body});
}

Result<void> pass_on(http::ClientStream& from, http::StreamWriter& to, bool is_events) {
  while (true) {
    Result<std::string> bytes = from.read();
    if (!bytes) {
      if (is_events && bytes.error().code != Code::cancelled) to.write(stream_error(bytes.error()));
      return std::move(bytes).error();
    }
    if (bytes->empty() || !to.write(*bytes)) return {};
  }
}

// `slot` is held until the answer has been passed on.
Result<http::Response> forward(const http::Request& request, const std::filesystem::path& socket,
                               const std::shared_ptr<void>& slot) {
  http::ClientRequest onward{.method = request.method,
                             .url = "http://localhost" + request.path,
                             .body = request.body,
                             .unix_socket = socket,
                             .stop = request.stop};
  onward.headers.set("Content-Type", "application/json");
  Result<http::ClientStream> answer = http::ClientStream::open(onward);
  if (!answer && answer.error().code == Code::unavailable)
    return error(Code::unavailable, "the model's engine did not answer; it is being restarted, try again in a moment");
  auto stream = std::make_shared<http::ClientStream>(TRY(std::move(answer)));
  bool is_events = is_event_stream(stream->headers());
  http::Response out;
  if (is_events) {
    out = http::stream_response("text/event-stream",
                                [stream, slot](http::StreamWriter& to) { return pass_on(*stream, to, true); });
  } else {
    std::string bytes;
    do {
      bytes = TRY_WITH(stream->read(), "while the model's engine answered");
      out.body += bytes;
    } while (!bytes.empty());
    out.headers.set("Content-Type", stream->headers().find("Content-Type").value_or("application/json"));
  }
  out.status = stream->status();
  return out;
}

http::Response too_busy(const std::string& model) {
  return http::too_many_requests(
      fmt::format("{} has as many requests under way as it takes; try again in a moment", model), kRetryAfter);
}

Endpoint proxied(Service& service, ForwardSlots slots, std::string path, std::string summary, Json request_schema,
                 Json response_schema) {
  return {.method = "POST",
          .path = std::move(path),
          .summary = std::move(summary),
          .request_schema = std::move(request_schema),
          .response_schema = std::move(response_schema),
          .handler = [&service, slots = std::move(slots)](http::Request& request) mutable -> Result<http::Response> {
            Json body = TRY(http::json_body(request));
            Route route = route_to(service, TRY(json_get<std::string>(body, "model")));
            if (route.refusal) return *std::move(route.refusal);
            std::shared_ptr<void> slot = slots.take(route.model);
            return slot ? forward(request, route.socket, slot) : too_busy(route.model);
          },
          .options = {.max_body_bytes = kMaxPromptBytes, .time_limit = kAnswerTimeLimit}};
}

struct ServedModel {
  std::string id, object = "model", owned_by = "hearth";
  int64_t created = 0;
  static constexpr auto kFields = std::tuple{
      field("id", &ServedModel::id, "name to use as `model`"),
      field("object", &ServedModel::object, "model"),
      field("owned_by", &ServedModel::owned_by, "hearth"),
      field("created", &ServedModel::created, "when it was installed, seconds since 1970"),
  };
};
struct ServedModels {
  std::string object = "list";
  std::vector<ServedModel> data;
  static constexpr auto kFields = std::tuple{
      field("object", &ServedModels::object, "list"),
      field("data", &ServedModels::data, "models that answer now"),
  };
};

ServedModel served(const Service& service, const std::string& model) {
  auto record = service.store().find(model);
  return {.id = model, .created = record ? static_cast<int64_t>(record->installed_at) : 0};
}

}  // namespace

void add_openai(Endpoints& table, Service& service) {
  table.push_back(endpoint<ServedModels>("GET", "/v1/models", "Models that answer now (OpenAI)",
                                         [&](http::Request&) -> Result<ServedModels> {
                                           ServedModels out;
                                           for (const api::Deployment& d : service.deployments.list())
                                             if (d.state == "ready") out.data.push_back(served(service, d.model));
                                           return out;
                                         }));
  Endpoint one = endpoint<ServedModel>("GET", "/v1/models/{model}", "One model (OpenAI)", [&](http::Request& r) {
    return Result<ServedModel>(served(service, r.params["model"]));
  });
  one.handler = [&service, found = one.handler](http::Request& request) -> Result<http::Response> {
    Route route = route_to(service, request.params["model"]);
    if (route.refusal) return *std::move(route.refusal);
    request.params["model"] = std::move(route.model);
    return found(request);
  };
  table.push_back(std::move(one));
  ForwardSlots slots(service.options.max_requests_per_model, kMaxForwards);  // shared by the copies
  table.push_back(
      proxied(service, slots, "/v1/chat/completions", "Chat (OpenAI)", chat_request_schema(), chat_response_schema()));
  table.push_back(proxied(service, slots, "/v1/completions", "Completion of a text (OpenAI)",
                          completion_request_schema(), Json{{"type", "object"}}));
  table.push_back(proxied(service, slots, "/v1/embeddings", "Vectors of texts (OpenAI)", embeddings_request_schema(),
                          Json{{"type", "object"}}));
  table.push_back(proxied(service, slots, "/v1/rerank", "Scores of documents for a query (Cohere, Jina)",
                          rerank_request_schema(), Json{{"type", "object"}}));
}

}  // namespace hearth
