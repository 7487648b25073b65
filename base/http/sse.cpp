// Server-sent events, after the WHATWG's parsing rules (CR, LF and CRLF end lines; a blank line ends an event).
#include "base/http/sse.h"

namespace hearth::http {

std::string format_sse(const SseEvent& event) {
  std::string out;
  if (!event.id.empty()) out += "id: " + event.id + "\n";
  if (!event.event.empty()) out += "event: " + event.event + "\n";
  std::string_view rest = event.data;
  while (true) {
    size_t end = rest.find('\n');
    out += "data: ";
    out += rest.substr(0, end);
    out += '\n';
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return out + "\n";
}

Result<void> SseParser::feed(std::string_view bytes) {
  buffer_.erase(0, consumed_);
  consumed_ = 0;
  if (buffer_.size() + pending_.data.size() + bytes.size() > max_bytes_)
    return error(Code::resource_exhausted, "a server-sent event is larger than {} bytes", max_bytes_);
  buffer_ += bytes;
  return {};
}

std::optional<SseEvent> SseParser::next() {
  while (true) {
    size_t end = buffer_.find_first_of("\r\n", consumed_);
    if (end == std::string::npos) return std::nullopt;
    if (buffer_[end] == '\r' && end + 1 == buffer_.size()) return std::nullopt;  // CR or the half of CRLF: not known yet
    std::string_view line = std::string_view(buffer_).substr(consumed_, end - consumed_);
    consumed_ = end + (buffer_[end] == '\r' && buffer_[end + 1] == '\n' ? 2 : 1);
    if (line.empty()) {
      SseEvent event = std::exchange(pending_, {});
      if (!std::exchange(has_data_, false)) continue;
      return event;
    }
    size_t colon = line.find(':');
    std::string_view field = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (field == "data") {
      if (has_data_) pending_.data += '\n';
      pending_.data += value;
      has_data_ = true;
    } else if (field == "event") {
      pending_.event = value;
    } else if (field == "id") {
      pending_.id = value;
    }
  }
}

}  // namespace hearth::http
