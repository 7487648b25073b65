#include "base/result.h"

#include <gtest/gtest.h>

namespace hearth::result_test {
namespace {

Result<int> parse_digit(char c) {
  if (c < '0' || c > '9') return error(Code::invalid_argument, "expected a digit, got '{}'", c);
  return c - '0';
}

Result<int> sum(std::string_view text) {
  int total = 0;
  for (char c : text) total += TRY_WITH(parse_digit(c), "while adding {}", text);
  return total;
}

TEST(Result, ValueTravels) {
  EXPECT_EQ(*sum("123"), 6);
}

TEST(Result, ErrorCarriesContextAndPlace) {
  auto result = sum("1x");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::invalid_argument);
  EXPECT_EQ(result.error().to_string(), "while adding 1x: expected a digit, got 'x'");
  EXPECT_NE(std::string(result.error().where.file).find("result_test"), std::string::npos);
}

TEST(Result, EveryCodeHasNameAndStatus) {
  for (int i = 0; i <= static_cast<int>(Code::internal); ++i) {
    EXPECT_FALSE(code_name(static_cast<Code>(i)).empty());
    EXPECT_GE(http_status(static_cast<Code>(i)), 400);
  }
}

}  // namespace
}  // namespace hearth::result_test
