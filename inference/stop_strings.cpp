// Stop strings over a stream.
#include "inference/stop_strings.h"

#include <algorithm>
#include <utility>

namespace hearth {

std::string StopStrings::push(std::string_view text) {
  if (stopped_) return {};
  pending_ += text;
  size_t first = std::string::npos;
  for (const std::string& stop : stops_)
    if (!stop.empty()) first = std::min(first, pending_.find(stop));
  stopped_ = first != std::string::npos;
  const size_t n = stopped_ ? first : pending_.size() - longest_held_suffix();
  std::string shown = pending_.substr(0, n);
  pending_ = stopped_ ? std::string() : pending_.substr(n);
  return shown;
}

// The longest end of pending_ that is a proper beginning of a stop string.
size_t StopStrings::longest_held_suffix() const {
  size_t longest = 0;
  for (const std::string& stop : stops_)
    for (size_t n = std::min(stop.empty() ? 0 : stop.size() - 1, pending_.size()); n > longest; --n)
      if (std::string_view(pending_).ends_with(std::string_view(stop).substr(0, n))) {
        longest = n;
        break;
      }
  return longest;
}

std::string StopStrings::finish() {
  return stopped_ ? std::string() : std::exchange(pending_, std::string());
}

}  // namespace hearth
