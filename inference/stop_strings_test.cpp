// StopStrings: cut at the first stop string wherever the stream is split, and nothing of it leaks out.
#include "inference/stop_strings.h"

#include <gtest/gtest.h>

namespace hearth::stop_strings_test {
namespace {

std::string streamed(std::vector<std::string> stops, std::string_view text, size_t piece) {
  StopStrings matcher(std::move(stops));
  std::string out;
  for (size_t i = 0; i < text.size() && !matcher.stopped(); i += piece) out += matcher.push(text.substr(i, piece));
  return out + matcher.finish();
}

TEST(StopStrings, AnySplitGivesTheSameText) {
  for (size_t piece = 1; piece < 12; ++piece) {
    EXPECT_EQ(streamed({"###", "\nUser:"}, "Hello ## there\nUser: no", piece), "Hello ## there");
    EXPECT_EQ(streamed({"aab"}, "aaaab tail", piece), "aa");
    EXPECT_EQ(streamed({"zzz"}, "nothing to stop z", piece), "nothing to stop z");
  }
}

TEST(StopStrings, HoldsBackOnlyWhatMayBeAStop) {
  StopStrings matcher({"STOP"});
  EXPECT_EQ(matcher.push("abcST"), "abc");
  EXPECT_EQ(matcher.push("x"), "STx");
  EXPECT_EQ(matcher.push("STOP after"), "");
  EXPECT_TRUE(matcher.stopped());
  EXPECT_EQ(matcher.push("more"), "");
}

TEST(StopStrings, EmptyOnesAreIgnored) {
  EXPECT_EQ(streamed({"", ""}, "text", 2), "text");
}

}  // namespace
}  // namespace hearth::stop_strings_test
