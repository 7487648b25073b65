// Words: compared as numbers, read from JSON and written as the word, and unknown when they are not in the list.
#include "base/word.h"

#include <gtest/gtest.h>

#include "base/describe.h"

namespace hearth::word_test {
namespace {

constexpr std::array kColours{"red", "green"};
using Colour = Word<kColours>;

struct Lamp {
  Colour colour;
  static constexpr auto kFields = std::tuple{field("colour", &Lamp::colour, "which")};
};

TEST(Word, IsItsWord) {
  Colour colour = "green";
  EXPECT_TRUE(colour == "green");
  EXPECT_FALSE(colour == "red");
  EXPECT_STREQ(colour.text(), "green");
  EXPECT_EQ(fmt::format("{}", colour), "green");
  EXPECT_STREQ(Colour().text(), "red");
}

TEST(Word, InJson) {
  EXPECT_EQ(to_json_value(Lamp{"green"}), Json({{"colour", "green"}}));
  EXPECT_TRUE(from_json<Lamp>({{"colour", "green"}})->colour == "green");
  EXPECT_EQ(from_json<Lamp>({{"colour", 5}}).error().code, Code::invalid_argument);
  EXPECT_EQ(schema_of<Lamp>()["properties"]["colour"]["enum"], Json({"red", "green"}));
}

TEST(Word, OneOfTomorrowIsUnknownAndEqualToNone) {
  auto lamp = from_json<Lamp>({{"colour", "ultraviolet"}});
  ASSERT_TRUE(lamp);
  EXPECT_STREQ(lamp->colour.text(), "unknown");
  EXPECT_FALSE(lamp->colour == "red" || lamp->colour == "green");
}

}  // namespace
}  // namespace hearth::word_test
