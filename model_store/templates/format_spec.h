// What both of Python's ways to format share: the description between % and the letter, or behind the colon in braces.
#pragma once

#include <string>
#include <string_view>

#include "model_store/templates/value.h"

namespace hearth::jinja {

// Widths and precisions are limited: they are numbers that a template chooses.
inline constexpr int kMaxWidth = 100'000, kMaxPrecision = 100;

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// What stands between % and the letter, or behind the colon in braces.
struct Spec {
  std::string fill = " ";
  char align = '\0';  // < > ^ =
  char sign = '\0';   // + or blank
  bool alternate = false, zero = false, thousands = false;
  int width = 0, precision = -1;
  char type = '\0';
};

class SpecReader {
 public:
  explicit SpecReader(std::string_view text) : text_(text) {}
  bool at(std::string_view any) const { return !text_.empty() && any.find(text_[0]) != std::string_view::npos; }
  char take() {
    const char c = text_[0];
    text_.remove_prefix(1);
    return c;
  }
  Result<int> number(int most) {
    int n = 0;
    while (!text_.empty() && is_digit(text_[0])) {
      n = n * 10 + (take() - '0');
      if (n > most) return error(Code::resource_exhausted, "a width or precision over the limit of {}", most);
    }
    return n;
  }
  std::string_view rest() const { return text_; }
  void skip(size_t n) { text_.remove_prefix(n); }

 private:
  std::string_view text_;
};

// Filled up to the width; `otherwise`: where to, when the description does not say.
Text padded(Text text, const Spec& spec, char otherwise);
// A number in the description's type, signs and zeros as asked for.
std::string number_text(const Value& v, const Spec& spec);
// The text, cut to the precision when there is one.
Text first_characters(const Text& text, int n);

}  // namespace hearth::jinja
