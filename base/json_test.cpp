#include "base/json.h"

#include <gtest/gtest.h>

namespace hearth::json_test {
namespace {

TEST(Json, DeepNestingIsAnError) {
  std::string deep(100000, '[');
  EXPECT_FALSE(parse_json(deep));
  EXPECT_TRUE(parse_json("[[[1]]]"));
}

TEST(Json, GettersNameTheField) {
  Json json = {{"n", 7}, {"s", "x"}, {"big", 5000000000}};
  EXPECT_EQ(*json_get<int>(json, "n"), 7);
  EXPECT_NE(json_get<int>(json, "s").error().message.find("\"s\""), std::string::npos);
  EXPECT_FALSE(json_get<int>(json, "big"));
  EXPECT_FALSE(json_get<uint32_t>(Json{{"n", -1}}, "n"));
  EXPECT_EQ(*json_get_or<int>(json, "none", 3), 3);
}

}  // namespace
}  // namespace hearth::json_test
