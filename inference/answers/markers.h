// Finds the marks of a format in text that is still coming: a mark may be cut anywhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::answers {

// Is the end of `text` the beginning of `mark`? The number of bytes that it could take, 0: no.
size_t begun_at_end(std::string_view text, std::string_view mark);

struct Found {
  size_t at = 0;       // where a mark begins, or from where text must wait for more
  int mark = -1;       // its index; -1: none yet
  bool waits = false;  // text from `at` on may become a mark
};

// The first mark in `text`; of several at one place the longest. With `at_end` nothing waits.
Found find_mark(std::string_view text, const std::vector<std::string>& marks, bool at_end);

// What stands at the beginning of `text`: it is `mark`, it may become `mark`, or it is not.
enum class Match { yes, maybe, no };
Match match_start(std::string_view text, std::string_view mark, bool at_end);

}  // namespace hearth::answers
