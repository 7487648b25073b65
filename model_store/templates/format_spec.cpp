// Numbers and texts as a format describes them.
#include "model_store/templates/format_spec.h"

#include <algorithm>
#include <cstdio>

#include "model_store/templates/text.h"

namespace hearth::jinja {

Text padded(Text text, const Spec& spec, char otherwise) {
  const int64_t n = spec.width - count_characters(text.bytes());
  if (n <= 0) return text;
  const char align = spec.align ? spec.align : otherwise;
  const int64_t left = align == '<' ? 0 : align == '^' ? n / 2 : n;
  Text out;
  for (int64_t i = 0; i < left; ++i) out.append(spec.fill);
  out.append(text);
  for (int64_t i = left; i < n; ++i) out.append(spec.fill);
  return out;
}

static std::string with_thousands(std::string digits) {
  size_t begin = digits.starts_with('-') || digits.starts_with('+') || digits.starts_with(' ') ? 1 : 0;
  size_t end = std::min(digits.find('.'), digits.size());
  for (size_t at = end; at > begin + 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

// A number in C's own conversion, signs and zeros as asked for.
std::string number_text(const Value& v, const Spec& spec) {
  std::string conversion = "%";
  if (spec.sign) conversion += spec.sign;
  if (spec.alternate) conversion += '#';
  const bool is_real = std::string_view("fFeEgG").find(spec.type) != std::string_view::npos;
  const int64_t whole = v.is(Kind::real) ? static_cast<int64_t>(std::clamp(v.as_real(), -9e18, 9e18)) : v.as_integer();
  // Python writes a sign before hexadecimal digits, C does not.
  const bool is_bits = std::string_view("xXo").find(spec.type) != std::string_view::npos;
  conversion += is_real ? ".*" : "ll";
  conversion += spec.type == 'u' || spec.type == 'i' || !spec.type ? 'd' : spec.type;
  char buffer[512];
  int n = 0;
  if (is_real)
    n = std::snprintf(buffer, sizeof buffer, conversion.c_str(), spec.precision < 0 ? 6 : spec.precision, v.as_real());
  else
    n = std::snprintf(buffer, sizeof buffer, conversion.c_str(),
                      is_bits && whole < 0 ? static_cast<long long>(0 - static_cast<uint64_t>(whole))
                                           : static_cast<long long>(whole));
  std::string out(buffer, static_cast<size_t>(std::clamp<int>(n, 0, sizeof buffer - 1)));
  if (is_bits && whole < 0) out.insert(0, "-");
  if (is_bits && spec.alternate && spec.type == 'o') out.insert(whole < 0 ? 1 : 0, "0o");
  if (!is_real && !is_bits && spec.precision > 0) {  // at least that many digits
    const size_t sign = out.starts_with('-') || out.starts_with('+') || out.starts_with(' ') ? 1 : 0;
    if (out.size() - sign < static_cast<size_t>(spec.precision))
      out.insert(sign, static_cast<size_t>(spec.precision) - (out.size() - sign), '0');
  }
  if (spec.thousands) out = with_thousands(std::move(out));
  const bool zero = (spec.zero && !spec.align) || spec.align == '=';
  if (zero && static_cast<int>(out.size()) < spec.width) {
    const size_t sign = out.starts_with('-') || out.starts_with('+') || out.starts_with(' ') ? 1 : 0;
    out.insert(sign, static_cast<size_t>(spec.width) - out.size(), spec.zero ? '0' : spec.fill[0]);
  }
  return out;
}

Text first_characters(const Text& text, int n) {
  return n < 0 ? text : text.part(characters(text.bytes(), 0, n));
}

}  // namespace hearth::jinja
