// Patterns against the library that files are written for (fixtures/make_regex_cases.py): what is read finds the same,
// and the rest is refused by name.
#include "model_store/tokenizers/regex.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json.h"
#include "model_store/tokenizers/regex_class.h"
#include "model_store/tokenizers/regex_dialect.h"
#include "model_store/tokenizers/tokenizer_test_support.h"

namespace hearth::regex_test {
namespace {

uint32_t checksum(const Regex& regex, const std::string& text) {
  std::vector<Regex::Match> matches;
  EXPECT_TRUE(regex.find_all(text, matches));
  uint32_t out = 0x811C9DC5;
  auto add = [&](uint8_t byte) { out = (out ^ byte) * 0x01000193; };
  for (auto m : matches) {
    if (m.begin == m.end) continue;  // the library does not show them
    for (size_t i = m.begin; i < m.end; ++i) add(static_cast<uint8_t>(text[i]));
    add(0xFF);
  }
  return out;
}

TEST(RegexDialect, FindsWhatOnigurumaFindsOrIsRefused) {
  const Json all = *parse_json(*read_file(fixture_folder() / "regex_cases.json"));
  int n_read = 0, n_refused = 0;
  for (const Json& c : all["cases"]) {
    const auto pattern = c[0].get<std::string>();
    auto regex = Regex::compile(pattern);
    if (!regex) {
      EXPECT_FALSE(c[1].get<bool>()) << pattern << ": " << regex.error().to_string();
      ++n_refused;
      continue;
    }
    ++n_read;
    ASSERT_FALSE(c[2].is_null()) << pattern << " is no pattern for Oniguruma";
    for (size_t i = 0; i < all["texts"].size(); ++i)
      EXPECT_EQ(checksum(*regex, all["texts"][i]), c[2][i].get<uint32_t>())
          << pattern << " → " << *pcre_pattern(pattern) << " in " << all["texts"][i];
  }
  EXPECT_GE(n_read, 160);
  EXPECT_GE(n_refused, 20);
}

TEST(RegexDialect, RefusalsNameWhatItIs) {
  const std::pair<const char*, const char*> kCases[] = {{"\\X", "\\X"},       {"a\\Kb", "\\K"},
                                                        {"(?~ab)", "(?~"},    {"(?i)ss", "ss"},
                                                        {"(?i)[ß]", "(?i)"},  {"\\p{Nonsense}", "Nonsense"},
                                                        {"[[:foo:]]", "foo"}, {"(a)\\g<1>", "\\g"},
                                                        {"(?(1)a|b)", "(?("}, {"a?*", "a count of a count"}};
  for (const auto& [pattern, what] : kCases) {
    auto out = pcre_pattern(pattern);
    ASSERT_FALSE(out) << pattern << " → " << *out;
    EXPECT_EQ(out.error().code, Code::unimplemented) << pattern;
    EXPECT_NE(out.error().to_string().find(what), std::string::npos) << out.error().to_string();
  }
  for (const char* pattern : {"(", ")", "[", "[a", "a)", "*", "a|*", "\\", "[z-a]", "{1}a", "\xff", "^*"})
    EXPECT_FALSE(pcre_pattern(pattern)) << pattern;
}

// No pattern crashes, hangs or is read in a way that PCRE2 cannot.
TEST(RegexDialect, AnythingIsAPatternOrAnError) {
  const Json all = *parse_json(*read_file(fixture_folder() / "regex_cases.json"));
  std::string pieces;
  for (const Json& c : all["cases"]) pieces += c[0].get<std::string>();
  unsigned state = 1;
  auto below = [&](size_t n) { return static_cast<size_t>((state = state * 1664525 + 1013904223) >> 8) % n; };
  for (int i = 0; i < 3000; ++i) {
    std::string pattern;
    for (size_t n = 1 + below(6); n > 0; --n) {
      const size_t at = below(pieces.size());
      pattern += pieces.substr(at, 1 + below(8));
    }
    (void)Regex::compile(pattern);
  }
  std::string deep(5000, '(');
  EXPECT_FALSE(Regex::compile(deep + std::string(5000, ')')));
  EXPECT_FALSE(Regex::compile(std::string(5000, '[') + "a" + std::string(5000, ']')));
}

TEST(RegexClass, LettersThatStandForTwoAreKnown) {
  EXPECT_EQ(*members_in_any_case('s', 's'), "Ss\\x{17f}");
  EXPECT_EQ(*members_in_any_case('k', 'k'), "Kk\\x{212a}");
  EXPECT_EQ(*members_in_any_case('1', '1'), "1");
  EXPECT_FALSE(members_in_any_case(0xDF, 0xDF));
  EXPECT_FALSE(members_in_any_case(0xFB01, 0xFB01));
  EXPECT_TRUE(has_joined_letters(U"muSt"));
  EXPECT_FALSE(has_joined_letters(U"'ll"));
  EXPECT_FALSE(has_joined_letters(U"'ve"));
}

}  // namespace
}  // namespace hearth::regex_test
