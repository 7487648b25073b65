// Filters that make text of text: {{ value|upper }}.
#include <algorithm>

#include "model_store/templates/filters.h"
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
  std::string text = TRY(text_of(in, input));
  TRY(in.runtime().step(text.size()));
  if (!set || set->is(Kind::none)) return in.runtime().string(std::string(strip_left(strip_right(text))));
  std::string characters = TRY(text_of(in, *set));
  TRY(in.runtime().step(text.size() * (1 + characters.size() / 16)));
  return in.runtime().string(std::string(strip_left(strip_right(text, characters), characters)));
}

Result<Value> to_string(Interpreter& in, const Value& input, Arguments&) {
  if (input.is(Kind::string)) return input;
  return in.runtime().string(TRY(text_of(in, input)));
}

Result<Value> replace(Interpreter& in, const Value& input, Arguments& arguments) {
  std::string text = TRY(text_of(in, input));
  std::string old = TRY(text_of(in, TRY(arguments.require("old")))),
              fresh = TRY(text_of(in, TRY(arguments.require("new"))));
  int64_t count = TRY(arguments.integer_or("count", -1));
  Arguments method;
  method.positional = {TRY(in.runtime().string(old)), TRY(in.runtime().string(fresh)), Value::integer(count)};
  Value self = TRY(in.runtime().string(std::move(text)));
  return (*find_method(self, "replace"))(in, self, method);
}

Result<Value> indent(Interpreter& in, const Value& input, Arguments& arguments) {
  auto width = arguments.take("width");
  bool first_too = TRY(arguments.flag_or("first", false)), blank_too = TRY(arguments.flag_or("blank", false));
  std::string margin(4, ' ');
  if (width && width->is(Kind::string)) margin = width->as_string();
  if (width && width->is_integral()) {
    if (width->as_integer() > 1000)
      return error(Code::resource_exhausted, "an indent of {} is over the limit of 1000", width->as_integer());
    margin.assign(static_cast<size_t>(std::max<int64_t>(width->as_integer(), 0)), ' ');
  }
  std::string text = TRY(text_of(in, input)), out;
  bool is_first = true;
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    if (!is_first) out += '\n';
    if ((is_first ? first_too : end > begin || blank_too)) out += margin;
    out.append(text, begin, end - begin);
    TRY(in.runtime().check_length(out.size()));
    is_first = false;
    begin = end + 1;
  }
  return in.runtime().string(std::move(out));
}

Result<Value> escape(Interpreter& in, const Value& input, Arguments&) {
  std::string out, text = TRY(text_of(in, input));
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return in.runtime().string(std::move(out));
}

// "%s: %d"|format(a, b)
Result<Value> format(Interpreter& in, const Value& input, Arguments& arguments) {
  std::string pattern = TRY(text_of(in, input)), out;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      out += pattern[i];
      continue;
    }
    size_t digits = i + 1, precision = 6;
    if (digits < pattern.size() && pattern[digits] == '.') {
      precision = 0;
      for (++digits; digits < pattern.size() && pattern[digits] >= '0' && pattern[digits] <= '9' && precision < 100;
           ++digits)
        precision = precision * 10 + static_cast<size_t>(pattern[digits] - '0');
    }
    char kind = digits < pattern.size() ? pattern[digits] : '\0';
    i = digits;
    if (kind == '%') {
      out += '%';
      continue;
    }
    Value v = TRY(arguments.require("a value to format"));
    if (kind == 's')
      out += TRY(text_of(in, v));
    else if (kind == 'r')
      TRY(append_repr(in.runtime(), v, out));
    else if ((kind == 'd' || kind == 'i') && v.is_number())
      out += std::to_string(v.is(Kind::real) ? static_cast<int64_t>(std::clamp(v.as_real(), -9e18, 9e18))
                                             : v.as_integer());
    else if (kind == 'f' && v.is_number())
      out += fmt::format("{:.{}f}", v.as_real(), precision);
    else
      return error(Code::unimplemented, "the format \"%{}\" is not supported for {}", kind, kind_name(v.kind()));
    TRY(in.runtime().check_length(out.size()));
  }
  return in.runtime().string(std::move(out));
}

Result<Value> center(Interpreter& in, const Value& input, Arguments& arguments) {
  std::string text = TRY(text_of(in, input));
  int64_t width = TRY(arguments.integer_or("width", 80)), n = count_characters(text);
  if (width > 100'000) return error(Code::resource_exhausted, "a width of {} is over the limit of 100000", width);
  if (width <= n) return in.runtime().string(std::move(text));
  auto left = static_cast<size_t>((width - n) / 2), right = static_cast<size_t>(width - n) - left;
  return in.runtime().string(std::string(left, ' ') + text + std::string(right, ' '));
}

Result<Value> wordcount(Interpreter& in, const Value& input, Arguments&) {
  Value self = TRY(to_string(in, input, *std::make_unique<Arguments>()));
  Arguments none;
  return Value::integer(TRY(length_of(TRY((*find_method(self, "split"))(in, self, none)))));
}

Result<Value> same(Interpreter&, const Value& input, Arguments&) {
  return input;
}

constexpr BuiltinEntry kTextFilters[] = {
    {"capitalize", map_text<to_capitalized>},
    {"center", center},
    {"e", escape},
    {"escape", escape},
    {"format", format},
    {"indent", indent},
    {"lower", map_text<to_lower>},
    {"replace", replace},
    {"safe", same},
    {"string", to_string},
    {"title", map_text<to_title>},
    {"trim", trim},
    {"upper", map_text<to_upper>},
    {"wordcount", wordcount},
};

}  // namespace

const Builtin* find_text_filter(std::string_view name) {
  return find_in(kTextFilters, name);
}

}  // namespace hearth::jinja
