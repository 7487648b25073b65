// AnswerView: two streams, one of them dim.
#include "appliance/cli/answer_view.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

namespace hearth::cli {

std::string without_controls(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (c == 0xc2 && next >= 0x80 && next < 0xa0) {  // C1, for some terminals as good as ESC
      out += fmt::format("<{:02X}>", next);
      ++i;
    } else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
      out += '^';
      out += static_cast<char>(c ^ 0x40);
    } else {
      out += text[i];
    }
  }
  return out;
}

AnswerView::AnswerView(bool is_shown)
    : is_shown_(is_shown),
      is_out_terminal_(::isatty(STDOUT_FILENO) != 0),
      is_err_terminal_(::isatty(STDERR_FILENO) != 0) {}

void AnswerView::thought(std::string_view text) {
  if (!is_shown_ || !is_err_terminal_) return;
  if (!is_thinking_) {
    since_ = std::chrono::steady_clock::now();
    fmt::print(stderr, "{}", is_out_terminal_ ? "\033[2m" : "thinking...\n");
  }
  is_thinking_ = true;
  if (is_out_terminal_) fmt::print(stderr, "{}", without_controls(text));
  std::fflush(stderr);
}

void AnswerView::end_thought() {
  if (!is_thinking_) return;
  is_thinking_ = false;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - since_).count();
  fmt::print(stderr, "{}thought for {:.0f} s{}\n", is_out_terminal_ ? "\n" : "", seconds,
             is_out_terminal_ ? "\033[0m\n" : "");
}

void AnswerView::text(std::string_view text) {
  if (!is_shown_ || text.empty()) return;
  end_thought();
  std::cout << (is_out_terminal_ ? without_controls(text) : std::string(text)) << std::flush;
}

void AnswerView::finish() {
  if (is_shown_) end_thought();
}

}  // namespace hearth::cli
