// What a model writes cannot steer the terminal.
#include "appliance/cli/answer_view.h"

#include <gtest/gtest.h>

namespace hearth::cli::answer_view_test {
namespace {

TEST(AnswerView, SpellsWhatATerminalWouldObey) {
  EXPECT_EQ(without_controls("plain\n\ttext 你好 🙂"), "plain\n\ttext 你好 🙂");
  EXPECT_EQ(without_controls("\033]52;c;cm0gLXJm\a"), "^[]52;c;cm0gLXJm^G");  // the clipboard
  EXPECT_EQ(without_controls("ok\rrm"), "ok^Mrm");
  EXPECT_EQ(without_controls("a\b\x7f"), "a^H^?");
  EXPECT_EQ(without_controls("\xc2\x9b"
                             "31m"),
            "<9B>31m");  // CSI in one character
  EXPECT_EQ(without_controls("caf\xc3\xa9 \xc2\xa0 \xc2"), "caf\xc3\xa9 \xc2\xa0 \xc2");
}

}  // namespace
}  // namespace hearth::cli::answer_view_test
