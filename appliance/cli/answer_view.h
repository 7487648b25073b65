// AnswerView: shows an answer in a terminal as it comes: what the model thinks dim and on stderr, what it says on
// stdout. Where stdout is no terminal it gets the answer's bytes alone, and thoughts are one line on a stderr that is
// watched.
//
// On a terminal the model's control characters are spelled, not sent: a text must not move the cursor, set a title or
// put something on the clipboard.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace hearth::cli {

// `text` with control characters (but line breaks and tabs) spelled: ESC is "^[", U+009B is "<9B>".
std::string without_controls(std::string_view text);

class AnswerView {
 public:
  explicit AnswerView(bool is_shown);  // else nothing is written

  void thought(std::string_view text);
  void text(std::string_view text);
  void finish();  // after the last of it

 private:
  void end_thought();

  bool is_shown_, is_out_terminal_, is_err_terminal_;
  bool is_thinking_ = false;
  std::chrono::steady_clock::time_point since_;
};

}  // namespace hearth::cli
