// The search for marks.
#include "inference/answers/markers.h"

#include <algorithm>

namespace hearth::answers {

size_t begun_at_end(std::string_view text, std::string_view mark) {
  for (size_t n = std::min(text.size(), mark.size() - 1); n > 0; --n)
    if (text.substr(text.size() - n) == mark.substr(0, n)) return n;
  return 0;
}

Match match_start(std::string_view text, std::string_view mark, bool at_end) {
  if (text.starts_with(mark)) return Match::yes;
  return !at_end && mark.starts_with(text) ? Match::maybe : Match::no;
}

Found find_mark(std::string_view text, const std::vector<std::string>& marks, bool at_end) {
  for (size_t at = 0; at < text.size(); ++at) {
    const std::string_view rest = text.substr(at);
    Found found{at, -1, false};
    size_t longest = 0;
    for (size_t i = 0; i < marks.size(); ++i) {
      if (marks[i].empty() || marks[i][0] != rest[0]) continue;
      const Match match = match_start(rest, marks[i], at_end);
      if (match == Match::maybe) found.waits = true;
      if (match == Match::yes && marks[i].size() > longest) {
        longest = marks[i].size();
        found.mark = static_cast<int>(i);
      }
    }
    if (found.waits) found.mark = -1;
    if (found.waits || found.mark >= 0) return found;
  }
  return {text.size(), -1, false};
}

}  // namespace hearth::answers
