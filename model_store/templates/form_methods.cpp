// Methods of strings that lay text out or ask about its form: ljust, center, expandtabs, isascii, ...
#include <algorithm>

#include <unicode/uchar.h>

#include "base/utf8.h"
#include "model_store/templates/methods.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

constexpr int64_t kMaxWidth = 100'000;

// How many characters go to the left and to the right.
template <class Share>
Result<Value> padded(Interpreter& in, const Value& self, Arguments& arguments, Share share) {
  const Value width = TRY(arguments.require("width"));
  Text fill = TRY(arguments.text_or("fillchar", " "));
  if (self.is_markup()) fill = escape_html(fill);
  if (!width.is_integral() || count_characters(fill.bytes()) != 1)
    return error(Code::invalid_argument, "a width and one character to fill with are needed");
  if (width.as_integer() > kMaxWidth)
    return error(Code::resource_exhausted, "a width of {} is over the limit of {}", width.as_integer(), kMaxWidth);
  const int64_t n = std::max<int64_t>(0, width.as_integer() - count_characters(self.as_string()));
  const int64_t left = share(n, width.as_integer());
  Text out;
  for (int64_t i = 0; i < left; ++i) out.append(fill);
  out.append(self.as_text());
  for (int64_t i = left; i < n; ++i) out.append(fill);
  return in.runtime().string(std::move(out));
}
Result<Value> ljust(Interpreter& in, const Value& self, Arguments& arguments) {
  return padded(in, self, arguments, [](int64_t, int64_t) { return int64_t{0}; });
}
Result<Value> rjust(Interpreter& in, const Value& self, Arguments& arguments) {
  return padded(in, self, arguments, [](int64_t n, int64_t) { return n; });
}
// Python puts the odd blank to the left when the width is odd.
Result<Value> center(Interpreter& in, const Value& self, Arguments& arguments) {
  return padded(in, self, arguments, [](int64_t n, int64_t width) { return n / 2 + (n & width & 1); });
}

Result<Value> expandtabs(Interpreter& in, const Value& self, Arguments& arguments) {
  const int64_t size = TRY(arguments.integer_or("tabsize", 8));
  if (size > kMaxWidth) return error(Code::resource_exhausted, "a tab of {} is over the limit of {}", size, kMaxWidth);
  Text out;
  int64_t column = 0;
  for (std::string_view c : split_characters(self.as_string())) {
    if (c == "\t") {
      const int64_t n = size > 0 ? size - column % size : 0;
      out.append(std::string(static_cast<size_t>(n), ' '));
      column += n;
      TRY(in.runtime().check_length(out.size()));
      continue;
    }
    out.append_part(self.as_text(), c);
    column = c == "\n" || c == "\r" ? 0 : column + 1;
  }
  return in.runtime().string(std::move(out));
}

Result<Value> swapcase(Interpreter& in, const Value& self, Arguments&) {
  TRY(in.runtime().step(16 * self.as_string().size()));
  std::string out;
  for (std::string_view c : split_characters(self.as_string()))
    out += u_isupper(static_cast<UChar32>(decode_utf8(c).code_point)) ? to_lower(c) : to_upper(c);
  return in.runtime().string(std::move(out));
}

Result<Value> casefold(Interpreter& in, const Value& self, Arguments&) {
  TRY(in.runtime().step(16 * self.as_string().size()));
  return in.runtime().string(to_case_folded(self.as_string()));
}

template <class Fits>
Result<Value> all_are(const Value& self, bool of_nothing, Fits fits) {
  const auto all = split_characters(self.as_string());
  if (all.empty()) return Value::boolean(of_nothing);
  return Value::boolean(std::all_of(all.begin(), all.end(), [&](std::string_view c) {
    return fits(static_cast<UChar32>(decode_utf8(c).code_point));
  }));
}
Result<Value> isascii(Interpreter&, const Value& self, Arguments&) {
  return all_are(self, true, [](UChar32 c) { return c < 0x80; });
}
Result<Value> isdecimal(Interpreter&, const Value& self, Arguments&) {
  return all_are(self, false, [](UChar32 c) { return u_charType(c) == U_DECIMAL_DIGIT_NUMBER; });
}
Result<Value> isprintable(Interpreter&, const Value& self, Arguments&) {
  return all_are(self, true,
                 [](UChar32 c) { return c == ' ' || (u_isprint(c) && !is_space(static_cast<uint32_t>(c))); });
}

Result<Value> isidentifier(Interpreter&, const Value& self, Arguments&) {
  bool is_first = true;
  return all_are(self, false, [&](UChar32 c) {
    const bool starts = c == '_' || u_hasBinaryProperty(c, UCHAR_XID_START);
    return std::exchange(is_first, false) ? starts : starts || u_hasBinaryProperty(c, UCHAR_XID_CONTINUE);
  });
}

// Upper case after what has no case, lower case after what has, and at least one of them.
Result<Value> istitle(Interpreter&, const Value& self, Arguments&) {
  bool after_cased = false, has_cased = false;
  for (std::string_view text : split_characters(self.as_string())) {
    const auto c = static_cast<UChar32>(decode_utf8(text).code_point);
    const bool upper = u_isupper(c) || u_istitle(c), lower = u_islower(c);
    if ((upper && after_cased) || (lower && !after_cased)) return Value::boolean(false);
    after_cased = upper || lower;
    has_cased |= after_cased;
  }
  return Value::boolean(has_cased);
}

constexpr BuiltinEntry kFormMethods[] = {
    {"casefold", checked<casefold>},
    {"center", checked<center>},
    {"expandtabs", checked<expandtabs>},
    {"isascii", checked<isascii>},
    {"isdecimal", checked<isdecimal>},
    {"isidentifier", checked<isidentifier>},
    {"isprintable", checked<isprintable>},
    {"istitle", checked<istitle>},
    {"ljust", checked<ljust>},
    {"rjust", checked<rjust>},
    {"swapcase", checked<swapcase>},
};

}  // namespace

const Builtin* find_form_method(std::string_view name) {
  return find_in(kFormMethods, name);
}

}  // namespace hearth::jinja
