// Versions: the order that SemVer's specification lists, calendars, and what has no order; then the laws of an order
// over made-up versions.
#include "model_store/version.h"

#include <gtest/gtest.h>

#include <random>

namespace hearth::store::version_test {
namespace {

// -1, 0, 1, or 9: they cannot be ordered.
int order(std::string_view a, std::string_view b) {
  auto found = compare_versions(a, b);
  if (!found) return 9;
  return *found < 0 ? -1 : *found > 0 ? 1 : 0;
}

// Every version of the list is older than all that follow.
void expect_chain(const std::vector<std::string>& chain) {
  for (size_t i = 0; i < chain.size(); ++i)
    for (size_t j = 0; j < chain.size(); ++j)
      EXPECT_EQ(order(chain[i], chain[j]), i < j ? -1 : i > j ? 1 : 0) << chain[i] << " and " << chain[j];
}

TEST(Version, SemVersOwnExamples) {
  expect_chain({"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
                "1.0.0-rc.1", "1.0.0", "2.0.0", "2.1.0", "2.1.1"});
  EXPECT_EQ(order("1.0.0+20130313144700", "1.0.0+exp.sha.5114f85"), 0);
  EXPECT_EQ(order("1.0.0-beta+exp.sha", "1.0.0"), -1);
  EXPECT_EQ(order("1.0.0-x-y-z.4", "1.0.0-x-y-z.10"), -1);
}

TEST(Version, NumbersOfAnyLength) {
  expect_chain({"v1.9", "v1.10", "2.0-rc1", "2.0", "v2.0.0.1", "3", "3.1", "10"});
  expect_chain({"1.18446744073709551615", "1.18446744073709551616", "1.99999999999999999999999999999999999999",
                "1.100000000000000000000000000000000000000"});
  EXPECT_EQ(order("1.0", "v1.0.0"), 0);
  EXPECT_EQ(order("1.08", "1.8"), 0);
  EXPECT_EQ(order(" 2.1 ", "V2.1"), 0);
  EXPECT_EQ(order("2.0rc1", "2.0"), -1);
  EXPECT_EQ(order("2.0.rc1", "2.0-RC2"), 9);  // SemVer's letter and the sense disagree over the case
}

TEST(Version, Dates) {
  expect_chain(
      {"2024-12-31", "2025-01-01-rc1", "2025-01-01", "2025-06-01", "2025-06-01.2", "2025-06-01.10", "2025-07"});
  expect_chain({"20241231", "20250101-rc1", "20250101", "20250601", "20250601.2"});
  EXPECT_EQ(order("20250601", "2025-06-01"), 0);
  EXPECT_EQ(order("2025.6.1", "2025/06/01"), 0);
  EXPECT_EQ(order("2025.06", "2025-05-31"), 1);
  expect_chain({"2025-06-01-1", "2025-06-01-2", "2025-06-01-10"});
  expect_chain({"2025-06-01a", "2025-06-01b"});
  expect_chain({"2025-06-01T09:30Z", "2025-06-01T10:00Z"});
  expect_chain({"2024.13.0", "2025.1.3"});
}

TEST(Version, WhatHasNoOrderIsSaid) {
  const std::pair<const char*, const char*> pairs[] = {{"2.0", "2025-01-01"},
                                                       {"20250101", "3.1"},
                                                       {"2025.06", "2.0"},
                                                       {"", "1.0"},
                                                       {"", ""},
                                                       {"1.0", "latest"},
                                                       {"2.0-rc2", "2.0-rc10"},
                                                       {"2025-06-01", "2025-06-01-2"},
                                                       {"2025-06-01-abc1234", "2025-06-01-def5678"},
                                                       {"2025-06-01", "2025-06-01T10:00"},
                                                       {"2025-06-01T10:00+02:00", "2025-06-01T11:00Z"},
                                                       {"1.0", "1.0b"},
                                                       {"1.0", "1.0.post1"},
                                                       {"1..0", "1.0"},
                                                       {"1.0-", "1.0"},
                                                       {"1.0+", "1.0"},
                                                       {"1.0-a..b", "1.0"},
                                                       {"01-06-2025", "1.0"},
                                                       {"01.06.2025", "1.0"},
                                                       {"2025-13-01", "2025-12-01"},
                                                       {"2025-02-30", "2025-02-01"},
                                                       {"２.０", "1.0"},
                                                       {"٢.٠", "1.0"},
                                                       {"1.0\n", "1.0"},
                                                       {"v", "1.0"},
                                                       {"vv1.0", "1.0"},
                                                       {"-1.0", "1.0"},
                                                       {"1,5", "1.0"},
                                                       {"1_0", "1.0"}};
  for (const auto& [a, b] : pairs) {
    EXPECT_EQ(order(a, b), 9) << a << " and " << b;
    EXPECT_EQ(order(b, a), 9) << b << " and " << a;
  }
  EXPECT_EQ(order(std::string(300, '1'), "1"), 9);
  EXPECT_NE(compare_versions("2.0", "2025-01-01").error().message.find("is a date"), std::string::npos);
  EXPECT_NE(compare_versions("2025-02-30", "2025-02-01").error().message.find("no such day"), std::string::npos);
}

std::string made_up(std::mt19937& random) {
  auto one_of = [&](std::initializer_list<const char*> texts) {
    return std::string(texts.begin()[random() % texts.size()]);
  };
  std::string out = one_of({"", "v"});
  out += one_of({"1", "2", "1.0", "1.9", "1.10", "2.0.1", "36893488147419103232", "2025", "2025.6", "2025-06-01",
                 "20250601", "2025.06.01", "2025-06-01.2", "2024-12"});
  out += one_of({"", "", "-rc1", "-rc.1", "-rc2", "-rc10", "-RC1", "-alpha", "-alpha.1", "-1", "-2", "b", "rc1", ".rc2",
                 "T10:00", "-x.y", "-abc1", "-abc2"});
  return out + one_of({"", "", "+build.5"});
}

TEST(Version, IsAnOrder) {
  std::mt19937 random(7);
  int n_chains = 0;
  for (int i = 0; i < 60'000; ++i) {
    const std::string a = made_up(random), b = made_up(random), c = made_up(random);
    const int ab = order(a, b), bc = order(b, c), ac = order(a, c);
    ASSERT_EQ(order(b, a), ab == 9 ? 9 : -ab) << a << " and " << b;
    ASSERT_TRUE(order(a, a) == 0 || order(a, a) == 9) << a;
    if (ab == 9 || bc == 9 || ab > 0 || bc > 0) continue;
    ++n_chains;
    ASSERT_EQ(ac, ab == 0 ? bc : ab) << a << ", " << b << ", " << c;
  }
  EXPECT_GT(n_chains, 1000);
}

}  // namespace
}  // namespace hearth::store::version_test
