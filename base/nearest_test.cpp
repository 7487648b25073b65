// Suggestions are made for slips only.
#include "base/nearest.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace hearth::nearest_test {
namespace {

TEST(Nearest, SlipsFindTheirWordAndOtherWordsDoNot) {
  const std::string verbs[] = {"models", "chat", "deploy", "undeploy", "ps", "rm"};
  EXPECT_EQ(nearest("model", verbs), "models");
  EXPECT_EQ(nearest("caht", verbs), std::nullopt);  // two letters of four
  EXPECT_EQ(nearest("chatt", verbs), "chat");
  EXPECT_EQ(nearest("deplyo", verbs), "deploy");
  EXPECT_EQ(nearest("bogus", verbs), std::nullopt);
  EXPECT_EQ(nearest("", verbs), std::nullopt);
  EXPECT_EQ(nearest("x", {}), std::nullopt);
}

TEST(JsonError, SaysWhereWithoutTheLibrarysCodes) {
  EXPECT_EQ(parse_json("{\"a\": x}").error().message.find("[json"), std::string::npos);
  EXPECT_NE(parse_json("{\"a\": x}").error().message.find("not valid JSON: column 7"), std::string::npos)
      << parse_json("{\"a\": x}").error().message;
  EXPECT_NE(parse_json("{\n\"a\": x}").error().message.find("not valid JSON: line 2, column 6"), std::string::npos)
      << parse_json("{\n\"a\": x}").error().message;
}

}  // namespace
}  // namespace hearth::nearest_test
