// Filters that make text of text: {{ value|upper }}.
#include <unicode/uchar.h>

#include <algorithm>

#include "base/utf8.h"
#include "model_store/templates/filters.h"
#include "model_store/templates/format_text.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

template <std::string (*map)(std::string_view)>
Result<Value> map_text(Interpreter& in, const Value& input, Arguments&) {
  std::string text = TRY(text_of(in, input));
  TRY(in.runtime().step(16 * text.size()));  // slow work
  return in.runtime().string(map(text));
}

Result<Value> trim(Interpreter& in, const Value& input, Arguments& arguments) {
  auto set = arguments.take("chars");
  const Text text = TRY(text_of(in, input));
  TRY(in.runtime().step(text.size()));
  if (!set || set->is(Kind::none)) return in.runtime().string(text.part(strip_left(strip_right(text.bytes()))));
  std::string characters = TRY(text_of(in, *set));
  TRY(in.runtime().step(text.size() * (1 + characters.size() / 16)));
  return in.runtime().string(text.part(strip_left(strip_right(text.bytes(), characters), characters)));
}

Result<Value> to_string(Interpreter& in, const Value& input, Arguments&) {
  if (input.is(Kind::string)) return input;
  return in.runtime().string(TRY(text_of(in, input)));
}

Result<Value> replace(Interpreter& in, const Value& input, Arguments& arguments) {
  const Value old = TRY(arguments.require("old")), fresh = TRY(arguments.require("new"));
  const int64_t count = TRY(arguments.integer_or("count", -1));
  const bool is_markup = in.autoescape() && (input.is_markup() || old.is_markup() || fresh.is_markup());
  auto as = [&](const Value& v) -> Result<Value> {
    return TRY(in.runtime().string(TRY(text_of(in, v)))).marked(v.is_markup() && in.autoescape());
  };
  Arguments method;
  method.positional = {TRY(as(old)), TRY(as(fresh)), Value::integer(count)};
  const Text text = is_markup ? TRY(markup_text(in.runtime(), input)) : TRY(text_of(in, input));
  const Value self = TRY(in.runtime().string(text)).marked(is_markup);
  return (*find_method(self, "replace"))(in, self, method);
}

Result<Value> indent(Interpreter& in, const Value& input, Arguments& arguments) {
  auto width = arguments.take("width");
  bool first_too = TRY(arguments.flag_or("first", false)), blank_too = TRY(arguments.flag_or("blank", false));
  Text margin(std::string(4, ' '));
  if (width && width->is(Kind::string)) margin = width->as_text();
  if (width && width->is_integral()) {
    if (width->as_integer() > 1000)
      return error(Code::resource_exhausted, "an indent of {} is over the limit of 1000", width->as_integer());
    margin = Text(std::string(static_cast<size_t>(std::max<int64_t>(width->as_integer(), 0)), ' '));
  }
  if (!input.is(Kind::string))
    return error(Code::invalid_argument, "only a string can be indented, not {}", kind_name(input.kind()));
  const Text text = TRY(text_of(in, input)).append("\n");  // as Jinja does, so that a last line that is empty counts
  Text out = first_too ? margin : Text();
  bool is_first = true;
  for (std::string_view line : split_lines(text.bytes())) {
    if (!is_first) out.append("\n");
    if (!is_first && (!line.empty() || blank_too)) out.append(margin);
    out.append_part(text, line);
    TRY(in.runtime().check_length(out.size()));
    is_first = false;
  }
  return in.runtime().string(std::move(out));
}

Result<Value> escape(Interpreter& in, const Value& input, Arguments&) {
  return TRY(in.runtime().string(TRY(markup_text(in.runtime(), input)))).marked();
}

Result<Value> force_escape(Interpreter& in, const Value& input, Arguments&) {
  return TRY(in.runtime().string(TRY(markup_text(in.runtime(), input.marked(false))))).marked();
}

Result<Value> safe(Interpreter& in, const Value& input, Arguments&) {
  return TRY(in.runtime().string(TRY(text_of(in, input)))).marked();
}

// "%s: %d"|format(a, b)
Result<Value> format(Interpreter& in, const Value& input, Arguments& arguments) {
  const Arguments given = std::exchange(arguments, Arguments());
  if (!given.named.empty() && !given.positional.empty())
    return error(Code::invalid_argument, "a format takes positional or named values, not both");
  return in.runtime().string(TRY(percent_format(in, TRY(text_of(in, input)), given, input.is_markup())));
}

Result<Value> center(Interpreter& in, const Value& input, Arguments& arguments) {
  Text text = TRY(text_of(in, input));
  int64_t width = TRY(arguments.integer_or("width", 80)), n = count_characters(text.bytes());
  if (width > 100'000) return error(Code::resource_exhausted, "a width of {} is over the limit of 100000", width);
  if (width <= n) return in.runtime().string(std::move(text));
  auto left = static_cast<size_t>((width - n) / 2 + ((width - n) & width & 1)),
       right = static_cast<size_t>(width - n) - left;
  return in.runtime().string(Text(std::string(left, ' ')).append(text).append(std::string(right, ' ')));
}

// Runs of letters, digits and _.
Result<Value> wordcount(Interpreter& in, const Value& input, Arguments&) {
  const std::string text = TRY(text_of(in, input));
  int64_t n = 0;
  bool in_word = false;
  for (std::string_view c : split_characters(text)) {
    const bool is_word = c == "_" || u_isalnum(static_cast<UChar32>(decode_utf8(c).code_point));
    n += is_word && !in_word;
    in_word = is_word;
  }
  return Value::integer(n);
}

// Jinja's own: words end at blanks, hyphens and opening brackets.
Result<Value> title(Interpreter& in, const Value& input, Arguments&) {
  const std::string text = TRY(text_of(in, input));
  TRY(in.runtime().step(16 * text.size()));
  std::string out;
  bool begins = true;
  for (std::string_view c : split_characters(text)) {
    out += begins ? to_upper(c) : to_lower(c);
    begins = std::string_view("-({[<").find(c) != std::string_view::npos || is_space(decode_utf8(c).code_point);
  }
  return in.runtime().string(std::move(out));
}

Result<Value> truncate(Interpreter& in, const Value& input, Arguments& arguments) {
  const int64_t length = TRY(arguments.integer_or("length", 255));
  const bool cuts_words = TRY(arguments.flag_or("killwords", false));
  const Value end = arguments.take("end").value_or(TRY(in.runtime().string(Text("..."))));
  if (!end.is(Kind::string))
    return error(Code::invalid_argument, "the end must be a string, it is {}", kind_name(end.kind()));
  const int64_t leeway = TRY(arguments.integer_or("leeway", 5)), n_end = count_characters(end.as_string());
  if (!input.is(Kind::string)) {
    if (TRY(length_of(input)) <= length + leeway) return input;
    return error(Code::invalid_argument, "only a string can be cut, not {}", kind_name(input.kind()));
  }
  const Text& text = input.as_text();
  if (length < n_end || leeway < 0 || length > INT64_MAX - leeway)
    return error(Code::invalid_argument, "a text cannot be cut to {} characters", length);
  if (count_characters(text.bytes()) <= length + leeway) return input;
  std::string_view kept = characters(text.bytes(), 0, length - n_end);
  if (!cuts_words) kept = kept.substr(0, kept.rfind(' '));
  const Value cut = TRY(in.runtime().string(text.part(kept))).marked(input.is_markup());
  return concatenated(in.runtime(), cut, end);
}

// What Markup's own method would give where the input is one.
template <Builtin filter>
Result<Value> keeps_markup(Interpreter& in, const Value& input, Arguments& arguments) {
  return TRY(filter(in, input, arguments)).marked(input.is_markup());
}

constexpr BuiltinEntry kTextFilters[] = {
    {"capitalize", keeps_markup<map_text<to_capitalized>>},
    {"center", keeps_markup<center>},
    {"e", escape},
    {"escape", escape},
    {"forceescape", force_escape},
    {"format", keeps_markup<format>},
    {"indent", keeps_markup<indent>},
    {"lower", keeps_markup<map_text<to_lower>>},
    {"replace", replace},
    {"safe", safe},
    {"string", to_string},
    {"title", title},
    {"trim", keeps_markup<trim>},
    {"truncate", truncate},
    {"upper", keeps_markup<map_text<to_upper>>},
    {"wordcount", wordcount},
};

}  // namespace

const Builtin* find_text_filter(std::string_view name) {
  return find_in(kTextFilters, name);
}

}  // namespace hearth::jinja
