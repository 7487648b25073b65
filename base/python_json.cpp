// The literals are spelt as objects before the text is parsed.
#include "base/python_json.h"

namespace hearth {

// The literals outside strings, in place.
static std::string without_literals(std::string_view text) {
  std::string out;
  bool in_string = false;
  for (size_t at = 0; at < text.size();) {
    std::string_view literal;
    if (!in_string)
      for (std::string_view known : {"NaN", "Infinity", "-Infinity"})
        if (text.substr(at).starts_with(known)) literal = known;
    if (!literal.empty()) {
      out += fmt::format(R"({{"__float__":"{}"}})", literal);
      at += literal.size();
      continue;
    }
    if (in_string && text[at] == '\\' && at + 1 < text.size())
      out += text[at++];
    else if (text[at] == '"')
      in_string = !in_string;
    out += text[at++];
  }
  return out;
}

Result<Json> parse_python_json(std::string_view text, int max_depth) {
  const bool is_plain = text.find("NaN") == std::string_view::npos && text.find("Infinity") == std::string_view::npos;
  return is_plain ? parse_json(text, max_depth) : parse_json(without_literals(text), max_depth);
}

}  // namespace hearth
