// Server-sent events: the writer for handlers and the incremental parser for clients.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/http/message.h"

namespace hearth::http {

struct SseEvent {
  std::string data;   // lines joined by \n
  std::string event;  // empty: "message"
  std::string id;     // empty: none
};

// One event as it goes over the wire.
std::string format_sse(const SseEvent& event);

// Bytes in any cuts → whole events. An event larger than max_bytes is an Error.
class SseParser {
 public:
  explicit SseParser(size_t max_bytes = size_t{4} << 20) : max_bytes_(max_bytes) {}
  Result<void> feed(std::string_view bytes);
  std::optional<SseEvent> next();

 private:
  size_t max_bytes_;
  std::string buffer_;
  size_t consumed_ = 0;
  SseEvent pending_;
  bool has_data_ = false;
};

}  // namespace hearth::http
