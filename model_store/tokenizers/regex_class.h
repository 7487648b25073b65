// One character of a pattern: classes, properties, letters in any case; from Oniguruma's words into PCRE2's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth {

// A set of characters as PCRE2 says it: what stands between brackets, and what no brackets can hold.
struct CharClass {
  std::string members;             // "a-z\p{L}"
  std::vector<std::string> atoms;  // patterns of one character each, any of which will do
  bool negative = false;

  bool is_plain() const { return atoms.empty(); }
  std::string pattern() const;  // matches one character
  void add(const CharClass& other);
};

// `name` as it stands between \p{ and }: spaces, '-', '_' and case do not matter; "^L" is what is not L. Nothing when
// the name is not known here.
std::optional<CharClass> find_property(std::string_view name);
std::optional<CharClass> find_posix_bracket(std::string_view name);  // "alpha" of [:alpha:]
// \d \D \h \H \s \S \w \W; `in_class`: \w is another set there.
std::optional<CharClass> find_shorthand(char letter, bool in_class);

std::string class_member(uint32_t c);  // a character as a member: "a", "\x{2d}"
// The members of [first-last] in any case, (?i). Unimplemented when one of them stands for two letters.
Result<std::string> members_in_any_case(uint32_t first, uint32_t last);
// Letters that follow each other in (?i) and may be one: "ss" is ß there.
bool has_joined_letters(const std::u32string& letters);

}  // namespace hearth
