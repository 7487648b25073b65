// Finds stop strings in streamed text. Text that may be the beginning of one is held back until that is decided.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth {

class StopStrings {
 public:
  explicit StopStrings(std::vector<std::string> stops) : stops_(std::move(stops)) {}  // empty ones are ignored
  // Appends text; returns what can be shown. After a stop string was found nothing more is shown.
  std::string push(std::string_view text);
  std::string finish();  // what was held back, when generation ended for another reason
  bool stopped() const { return stopped_; }

 private:
  size_t longest_held_suffix() const;
  std::vector<std::string> stops_;
  std::string pending_;
  bool stopped_ = false;
};

}  // namespace hearth
