// Methods of strings, as Python has them: search, split, replace, case. What lays text out is in form_methods.cpp.
#include <algorithm>

#include <unicode/uchar.h>

#include "base/utf8.h"
#include "model_store/templates/format_text.h"
#include "model_store/templates/methods.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

Result<Text> required_text(Arguments& arguments, std::string_view name) {
  Value v = TRY(arguments.require(name));
  if (!v.is(Kind::string))
    return error(Code::invalid_argument, "argument \"{}\" must be a string, it is {}", name, kind_name(v.kind()));
  return v.as_text();
}

// What goes into `self`, which may be markup.
Result<Text> text_into(const Value& self, const Value& v, std::string_view name) {
  if (!v.is(Kind::string))
    return error(Code::invalid_argument, "argument \"{}\" must be a string, it is {}", name, kind_name(v.kind()));
  return self.is_markup() && !v.is_markup() ? escape_html(v.as_text()) : v.as_text();
}

template <bool left, bool right>
Result<Value> strip(Interpreter& in, const Value& self, Arguments& arguments) {
  auto set = arguments.take("chars");
  std::string_view text = self.as_string();
  if (set && !set->is(Kind::none)) {
    if (!set->is(Kind::string))
      return error(Code::invalid_argument, "what to strip must be a string, it is {}", kind_name(set->kind()));
    TRY(in.runtime().step(text.size() * (1 + set->as_string().size() / 16)));
    if (left) text = strip_left(text, set->as_string());
    if (right) text = strip_right(text, set->as_string());
  } else {
    if (left) text = strip_left(text);
    if (right) text = strip_right(text);
  }
  return in.runtime().string(self.as_text().part(text));
}

// One string, or a tuple of which any will do.
template <bool at_start>
Result<Value> starts_or_ends(Interpreter&, const Value& self, Arguments& arguments) {
  Value what = TRY(arguments.require("prefix"));
  auto fits = [&](const Value& v) -> Result<bool> {
    if (!v.is(Kind::string)) return error(Code::invalid_argument, "a string is needed, got {}", kind_name(v.kind()));
    return at_start ? self.as_string().starts_with(v.as_string()) : self.as_string().ends_with(v.as_string());
  };
  if (!what.is(Kind::tuple)) return Value::boolean(TRY(fits(what)));
  for (const auto& each : what.as_list().items)
    if (TRY(fits(each))) return Value::boolean(true);
  return Value::boolean(false);
}

std::vector<std::string_view> split_at_blanks(std::string_view text, int64_t max_splits) {
  std::vector<std::string_view> out;
  text = strip_left(text);
  while (!text.empty() && max_splits-- != 0) {
    size_t end = 0;
    while (end < text.size()) {
      Utf8Char c = decode_utf8(text.substr(end));
      if (c.n_bytes > 0 && is_space(c.code_point)) break;
      end += static_cast<size_t>(std::max(1, c.n_bytes));
    }
    out.push_back(text.substr(0, end));
    text = strip_left(text.substr(end));
  }
  if (!text.empty()) out.push_back(text);  // splits are used up: the rest as it is
  return out;
}

std::vector<std::string_view> split_at_blanks_from_right(std::string_view text, int64_t max_splits) {
  std::vector<std::string_view> out;
  text = strip_right(text);
  while (!text.empty() && max_splits-- != 0) {
    size_t begin = text.size();
    for (std::string_view before = text; !before.empty();) {
      size_t n = 1;
      while (n < before.size() && (before[before.size() - n] & 0xC0) == 0x80) ++n;
      if (is_space(decode_utf8(before.substr(before.size() - n)).code_point)) break;
      before.remove_suffix(n);
      begin = before.size();
    }
    out.push_back(text.substr(begin));
    text = strip_right(text.substr(0, begin));
  }
  if (!text.empty()) out.push_back(text);
  std::reverse(out.begin(), out.end());
  return out;
}

std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, int64_t max_splits) {
  std::vector<std::string_view> out;
  for (size_t at; max_splits-- != 0 && (at = find_text(text, separator, 0)) != std::string_view::npos;) {
    out.push_back(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  out.push_back(text);
  return out;
}

std::vector<std::string_view> split_at_from_right(std::string_view text, std::string_view separator,
                                                  int64_t max_splits) {
  std::vector<std::string_view> out;
  for (size_t at; max_splits-- != 0 && (at = text.rfind(separator)) != std::string_view::npos;) {
    out.push_back(text.substr(at + separator.size()));
    text = text.substr(0, at);
  }
  out.push_back(text);
  std::reverse(out.begin(), out.end());
  return out;
}

// Parts of `whole`.
Result<Value> list_of(Interpreter& in, const Text& whole, const std::vector<std::string_view>& parts,
                      bool is_tuple = false) {
  std::vector<Value> out;
  out.reserve(parts.size());
  for (auto part : parts) out.push_back(TRY(in.runtime().string(whole.part(part))));
  return in.runtime().list(std::move(out), is_tuple);
}

template <bool from_right>
Result<Value> split(Interpreter& in, const Value& self, Arguments& arguments) {
  auto separator = arguments.take("sep");
  int64_t max_splits = TRY(arguments.integer_or("maxsplit", -1));
  if (!separator || separator->is(Kind::none)) {
    return list_of(in, self.as_text(),
                   from_right && max_splits >= 0 ? split_at_blanks_from_right(self.as_string(), max_splits)
                                                 : split_at_blanks(self.as_string(), max_splits));
  }
  if (!separator->is(Kind::string) || separator->as_string().empty())
    return error(Code::invalid_argument, "the separator must be a string that is not empty");
  if (from_right) TRY(in.runtime().step(self.as_string().size() * (1 + separator->as_string().size() / 16)));
  return list_of(in, self.as_text(),
                 from_right ? split_at_from_right(self.as_string(), separator->as_string(), max_splits)
                            : split_at(self.as_string(), separator->as_string(), max_splits));
}

template <bool from_right>
Result<Value> partition(Interpreter& in, const Value& self, Arguments& arguments) {
  const std::string separator = TRY(required_text(arguments, "sep"));
  if (separator.empty()) return error(Code::invalid_argument, "the separator must not be empty");
  std::string_view text = self.as_string();
  if (from_right) TRY(in.runtime().step(text.size() * (1 + separator.size() / 16)));
  size_t at = from_right ? text.rfind(separator) : find_text(text, separator, 0);
  if (at == std::string_view::npos)
    return from_right ? list_of(in, self.as_text(), {text.substr(0, 0), text.substr(0, 0), text}, true)
                      : list_of(in, self.as_text(), {text, text.substr(0, 0), text.substr(0, 0)}, true);
  return list_of(in, self.as_text(),
                 {text.substr(0, at), text.substr(at, separator.size()), text.substr(at + separator.size())}, true);
}

Result<Value> splitlines(Interpreter& in, const Value& self, Arguments& arguments) {
  const bool keep_ends = TRY(arguments.flag_or("keepends", false));
  return list_of(in, self.as_text(), split_lines(self.as_string(), keep_ends));
}

template <std::string (*map)(std::string_view)>
Result<Value> map_text(Interpreter& in, const Value& self, Arguments&) {
  TRY(in.runtime().step(16 * self.as_string().size()));  // slow work
  return in.runtime().string(map(self.as_string()));
}

Result<Value> replace(Interpreter& in, const Value& self, Arguments& arguments) {
  const std::string old = TRY(required_text(arguments, "old"));
  const Text fresh = TRY(text_into(self, TRY(arguments.require("new")), "new"));
  int64_t count = TRY(arguments.integer_or("count", -1));
  const Text& whole = self.as_text();
  const std::string_view text = self.as_string();
  Text out;
  size_t at = 0;
  if (old.empty()) {  // before every character and at the end
    auto all = split_characters(text);
    for (size_t i = 0; i <= all.size(); ++i) {
      if (count != 0) out.append(fresh);
      if (count > 0) --count;
      if (i < all.size()) out.append_part(whole, all[i]);
      TRY(in.runtime().check_length(out.size()));
    }
    return in.runtime().string(std::move(out));
  }
  for (size_t found; count-- != 0 && (found = find_text(text, old, at)) != std::string_view::npos;
       at = found + old.size()) {
    out.append_part(whole, text.substr(at, found - at)).append(fresh);
    TRY(in.runtime().check_length(out.size()));
  }
  return in.runtime().string(out.append_part(whole, text.substr(at)));
}

template <bool from_right, bool must_be_there>
Result<Value> find(Interpreter& in, const Value& self, Arguments& arguments) {
  const std::string what = TRY(required_text(arguments, "sub"));
  const std::string& text = self.as_string();
  int64_t begin = TRY(arguments.integer_or("start", 0));
  if (begin < 0) begin = std::max<int64_t>(0, begin + count_characters(text));
  std::string_view before = characters(text, 0, begin);
  // From the right each place is compared anew.
  if (from_right) TRY(in.runtime().step(text.size() * (1 + what.size() / 16)));
  size_t at = from_right ? text.rfind(what) : find_text(text, what, before.size());
  if (from_right && at != std::string::npos && at < before.size()) at = std::string::npos;
  if (at == std::string::npos && must_be_there) return error(Code::invalid_argument, "the text was not found");
  return Value::integer(at == std::string::npos ? -1 : count_characters(std::string_view(text).substr(0, at)));
}

Result<Value> count_text(Interpreter&, const Value& self, Arguments& arguments) {
  const std::string what = TRY(required_text(arguments, "sub"));
  if (what.empty()) return Value::integer(count_characters(self.as_string()) + 1);
  int64_t n = 0;
  for (size_t at = 0; (at = find_text(self.as_string(), what, at)) != std::string_view::npos; at += what.size()) ++n;
  return Value::integer(n);
}

Result<Value> join(Interpreter& in, const Value& self, Arguments& arguments) {
  auto items = TRY(items_of(in.runtime(), TRY(arguments.require("iterable"))));
  Text out;
  for (size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is(Kind::string) && !self.is_markup())
      return error(Code::invalid_argument, "only strings can be joined, not {}", kind_name(items[i].kind()));
    if (i > 0) out.append(self.as_text());
    out.append(self.is_markup() ? TRY(markup_text(in.runtime(), items[i])) : items[i].as_text());
    TRY(in.runtime().check_length(out.size()));
  }
  return in.runtime().string(std::move(out));
}

template <UBool (*fits)(UChar32)>
Result<Value> all_characters(Interpreter&, const Value& self, Arguments&) {
  auto all = split_characters(self.as_string());
  return Value::boolean(!all.empty() && std::all_of(all.begin(), all.end(), [](std::string_view c) {
    return fits(static_cast<UChar32>(decode_utf8(c).code_point));
  }));
}
UBool is_python_space(UChar32 c) {
  return is_space(static_cast<uint32_t>(c));
}

// Python's classes of digits, each within the next: 0-9 of any script; superscripts and the like; fractions, Roman and
// Chinese numbers.
template <int least>
UBool is_numeric(UChar32 c) {
  const int32_t type = u_getIntPropertyValue(c, UCHAR_NUMERIC_TYPE);
  return type != U_NT_NONE && type <= least;
}
UBool is_alphanumeric(UChar32 c) {
  return u_isalpha(c) || is_numeric<U_NT_NUMERIC>(c);
}

template <bool upper>
Result<Value> is_cased(Interpreter& in, const Value& self, Arguments&) {
  const std::string& text = self.as_string();
  TRY(in.runtime().step(4 * text.size()));  // two converted copies
  return Value::boolean(upper ? text == to_upper(text) && text != to_lower(text)
                              : text == to_lower(text) && text != to_upper(text));
}

template <bool prefix>
Result<Value> remove_affix(Interpreter& in, const Value& self, Arguments& arguments) {
  const std::string affix = TRY(required_text(arguments, "affix"));
  std::string_view text = self.as_string();
  if (prefix && text.starts_with(affix)) text.remove_prefix(affix.size());
  if (!prefix && text.ends_with(affix)) text.remove_suffix(affix.size());
  return in.runtime().string(self.as_text().part(text));
}

Result<Value> zfill(Interpreter& in, const Value& self, Arguments& arguments) {
  int64_t width = TRY(arguments.integer_or("width", 0)), n = count_characters(self.as_string());
  if (width > 100'000) return error(Code::resource_exhausted, "a width of {} is over the limit of 100000", width);
  std::string text = self.as_string();
  if (width > n)
    text.insert(!text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0, static_cast<size_t>(width - n), '0');
  return in.runtime().string(std::move(text));
}

// "{a}".format_map({"a": 1})
Result<Value> format_map(Interpreter& in, const Value& self, Arguments& arguments) {
  const Value mapping = TRY(arguments.require("mapping"));
  if (!mapping.is(Kind::dict))
    return error(Code::invalid_argument, "format_map needs a dict, not {}", kind_name(mapping.kind()));
  Arguments given;
  for (const auto& [key, value] : mapping.as_dict().items)
    if (key.is(Kind::string)) given.named.emplace_back(key.as_string(), value);
  return in.runtime().string(TRY(brace_format(in, self.as_text(), given, self.is_markup())));
}

// "{} {0} {name:>5}".format(...)
Result<Value> format(Interpreter& in, const Value& self, Arguments& arguments) {
  const Arguments given = std::exchange(arguments, Arguments());
  return in.runtime().string(TRY(brace_format(in, self.as_text(), given, self.is_markup())));
}

constexpr BuiltinEntry kStringMethods[] = {
    {"capitalize", checked<map_text<to_capitalized>>},
    {"count", checked<count_text>},
    {"endswith", checked<starts_or_ends<false>>},
    {"find", checked<find<false, false>>},
    {"format", checked<format>},
    {"format_map", checked<format_map>},
    {"index", checked<find<false, true>>},
    {"isalnum", checked<all_characters<is_alphanumeric>>},
    {"isalpha", checked<all_characters<u_isalpha>>},
    {"isdigit", checked<all_characters<is_numeric<U_NT_DIGIT>>>},
    {"islower", checked<is_cased<false>>},
    {"isnumeric", checked<all_characters<is_numeric<U_NT_NUMERIC>>>},
    {"isspace", checked<all_characters<is_python_space>>},
    {"isupper", checked<is_cased<true>>},
    {"join", checked<join>},
    {"lower", checked<map_text<to_lower>>},
    {"lstrip", checked<strip<true, false>>},
    {"partition", checked<partition<false>>},
    {"removeprefix", checked<remove_affix<true>>},
    {"removesuffix", checked<remove_affix<false>>},
    {"replace", checked<replace>},
    {"rfind", checked<find<true, false>>},
    {"rindex", checked<find<true, true>>},
    {"rpartition", checked<partition<true>>},
    {"rsplit", checked<split<true>>},
    {"rstrip", checked<strip<false, true>>},
    {"split", checked<split<false>>},
    {"splitlines", checked<splitlines>},
    {"startswith", checked<starts_or_ends<true>>},
    {"strip", checked<strip<true, true>>},
    {"title", checked<map_text<to_title>>},
    {"upper", checked<map_text<to_upper>>},
    {"zfill", checked<zfill>},
};
}  // namespace

const Builtin* find_text_method(std::string_view name) {
  if (const Builtin* found = find_in(kStringMethods, name)) return found;
  return find_form_method(name);
}

}  // namespace hearth::jinja
