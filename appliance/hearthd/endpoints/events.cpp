// GET /hearth/v1/events: server-sent events. Last-Event-ID (header, or query parameter last_event_id) resumes.
#include <atomic>
#include <charconv>

#include "appliance/hearthd/endpoints/endpoints.h"
#include "base/http/sse.h"

namespace hearth {

constexpr int kMaxStreams = 64;
constexpr std::chrono::seconds kPingEvery{15};  // keeps proxies from closing, and finds clients that have gone

static Result<uint64_t> first_id(const http::Request& request, const EventBus& events) {
  std::string text;
  if (auto header = request.headers.find("Last-Event-ID")) text = *header;
  if (auto query = request.query.find("last_event_id"); query != request.query.end()) text = query->second;
  if (text.empty()) return events.last_id();
  uint64_t id = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (failed != std::errc() || end != text.data() + text.size()) return error(Code::invalid_argument, "Last-Event-ID must be a number, got \"{}\"", text);
  return id;
}

static Result<void> send_events(http::StreamWriter& out, EventBus& events, uint64_t id, const std::stop_token& stop) {
  out.write(": connected\n\n");
  while (!out.gone() && !events.closed()) {
    std::vector<api::Event> news = events.wait_after(id, kPingEvery, stop);
    if (news.empty() && !events.closed()) out.write(": ping\n\n");
    for (const api::Event& event : news) {
      out.write(http::format_sse({.data = dump_json(to_json_value(event)), .id = std::to_string(event.id)}));
      id = event.id;
    }
  }
  return {};
}

void add_events(Endpoints& table, Service& service) {
  auto n_streams = std::make_shared<std::atomic<int>>(0);
  auto handler = [&events = service.events, n_streams](http::Request& request) -> Result<http::Response> {
    uint64_t id = TRY(first_id(request, events));
    // Counted for as long as the response's closure lives.
    if (*n_streams >= kMaxStreams)
      return http::too_many_requests(fmt::format("{} event streams are open already; close one", kMaxStreams),
                                     kPingEvery);
    ++*n_streams;
    std::shared_ptr<void> slot(nullptr, [n_streams](void*) { --*n_streams; });
    return http::stream_response("text/event-stream", [&events, id, slot, stop = request.stop](http::StreamWriter& out) {
      return send_events(out, events, id, stop);
    });
  };
  table.push_back({.method = "GET",
                   .path = "/hearth/v1/events",
                   .summary = "What happens on this box, as it happens: server-sent events whose data is an Event",
                   .response_schema = schema_of<api::Event>(),
                   .response_type = "text/event-stream",
                   .handler = std::move(handler)});
}

}  // namespace hearth
