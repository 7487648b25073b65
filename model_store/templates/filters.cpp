// Filters on single values, and where every filter is found: {{ value|filter(arguments) }}.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "model_store/templates/filters.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

Result<Value> length(Interpreter&, const Value& input, Arguments&) {
  return Value::integer(TRY(length_of(input)));
}

Result<Value> tojson(Interpreter& in, const Value& input, Arguments& arguments) {
  // transformers: tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False)
  const bool ascii = TRY(arguments.flag_or("ensure_ascii", false));
  const int64_t indent = TRY(arguments.integer_or("indent", -1));
  auto separators = arguments.take("separators");
  bool sort_keys = TRY(arguments.flag_or("sort_keys", false));
  if (indent > 64) return error(Code::resource_exhausted, "an indent of {} is over the limit of 64", indent);
  std::string item = indent >= 0 ? "," : ", ", key = ": ";
  if (separators && !separators->is(Kind::none)) {
    auto parts = TRY(items_of(in.runtime(), *separators));
    if (parts.size() != 2 || !parts[0].is(Kind::string) || !parts[1].is(Kind::string))
      return error(Code::invalid_argument, "separators must be two strings");
    item = parts[0].as_string();
    key = parts[1].as_string();
  }
  return in.runtime().string(
      TRY(to_json_text(in.runtime(), input, static_cast<int>(indent), ascii, sort_keys, item, key)));
}

Result<Value> default_value(Interpreter& in, const Value& input, Arguments& arguments) {
  auto otherwise = arguments.take("default_value");
  bool also_false = TRY(arguments.flag_or("boolean", false));
  if (!input.is(Kind::undefined) && !(also_false && !truth(input))) return input;
  return otherwise ? Result<Value>(*otherwise) : in.runtime().string("");
}

// The default is for what cannot be read as a number, not for what is missing.
Error undefined_number(const Value& input) {
  return error(Code::invalid_argument, "\"{}\" is undefined and no number", input.undefined_name());
}

// "1_000": Python takes single underscores between digits.
std::string without_underscores(std::string_view text) {
  auto is_digit = [&](size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] != '_' || i == 0 || !is_digit(i - 1) || !is_digit(i + 1)) out += text[i];
  return out;
}

Result<Value> to_int(Interpreter&, const Value& input, Arguments& arguments) {
  auto otherwise = arguments.take("default");
  int64_t base = TRY(arguments.integer_or("base", 10));
  Value fallback = otherwise ? *otherwise : Value::integer(0);
  if (input.is(Kind::undefined)) return undefined_number(input);
  if (input.is_integral()) return Value::integer(input.as_integer());
  if (input.is(Kind::real) && std::isinf(input.as_real()))
    return error(Code::invalid_argument, "infinity is no integer");
  if (input.is(Kind::real))
    return std::abs(input.as_real()) < 9e18 ? Value::integer(static_cast<int64_t>(input.as_real())) : fallback;
  if (!input.is(Kind::string)) return fallback;
  const std::string digits = without_underscores(strip_left(strip_right(input.as_string())));
  std::string_view text = digits;
  if (text.starts_with('+')) text.remove_prefix(1);
  if (base == 16 && (text.starts_with("0x") || text.starts_with("0X"))) text.remove_prefix(2);
  int64_t out = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out,
                                        base >= 2 && base <= 36 ? static_cast<int>(base) : 10);
  if (problem == std::errc() && end == text.data() + text.size()) return Value::integer(out);
  double real = 0;
  auto [real_end, real_problem] = std::from_chars(text.data(), text.data() + text.size(), real);
  if (real_problem == std::errc() && real_end == text.data() + text.size() && std::abs(real) < 9e18)
    return Value::integer(static_cast<int64_t>(real));
  return fallback;
}

Result<Value> to_float(Interpreter&, const Value& input, Arguments& arguments) {
  auto otherwise = arguments.take("default");
  if (input.is(Kind::undefined)) return undefined_number(input);
  if (input.is_number()) return Value::real(input.as_real());
  if (input.is(Kind::string)) {
    const std::string text = without_underscores(strip_left(strip_right(input.as_string())));
    double real = 0;
    auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), real);
    if (problem == std::errc() && end == text.data() + text.size() && !text.empty()) return Value::real(real);
  }
  return otherwise ? *otherwise : Value::real(0);
}

Result<Value> absolute(Interpreter&, const Value& input, Arguments&) {
  if (input.is(Kind::real)) return Value::real(std::abs(input.as_real()));
  if (!input.is_integral() || input.as_integer() == INT64_MIN)
    return error(Code::invalid_argument, "{} has no absolute value", kind_name(input.kind()));
  return Value::integer(std::abs(input.as_integer()));
}

// As Python's round(): the nearest by the number's exact value, integers stay integers.
Result<Value> round(Interpreter&, const Value& input, Arguments& arguments) {
  const int64_t precision = std::clamp<int64_t>(TRY(arguments.integer_or("precision", 0)), -15, 15);
  const std::string method = TRY(arguments.string_or("method", "common"));
  if (!input.is_number()) return error(Code::invalid_argument, "{} cannot be rounded", kind_name(input.kind()));
  const double scale = std::pow(10.0, static_cast<double>(std::abs(precision)));
  const double x = input.as_real(), scaled = precision < 0 ? x / scale : x * scale;
  auto back = [&](double v) { return precision < 0 ? v * scale : v / scale; };
  if (method == "ceil") return Value::real(back(std::ceil(scaled)));
  if (method == "floor") return Value::real(back(std::floor(scaled)));
  if (method != "common") return error(Code::invalid_argument, "method must be common, ceil or floor");
  if (input.is_integral())
    return Value::integer(precision < 0 ? static_cast<int64_t>(back(std::nearbyint(scaled))) : input.as_integer());
  if (precision < 0 || !std::isfinite(x)) return Value::real(back(std::nearbyint(scaled)));
  char text[400];
  std::snprintf(text, sizeof text, "%.*f", static_cast<int>(precision), x);
  return Value::real(std::strtod(text, nullptr));
}

Result<Value> attr(Interpreter& in, const Value& input, Arguments& arguments) {
  // Attributes only: what a dict holds are items.
  const std::string name = TRY(text_of(in, TRY(arguments.require("name"))));
  if (input.is(Kind::dict) && !find_method(input, name)) return in.runtime().undefined(name);
  return in.attribute(input, name);
}

constexpr BuiltinEntry kValueFilters[] = {
    {"abs", absolute},   {"attr", attr},  {"count", length},  {"d", default_value}, {"default", default_value},
    {"float", to_float}, {"int", to_int}, {"length", length}, {"round", round},     {"tojson", tojson},
};

}  // namespace

static const Builtin* find_value_filter(std::string_view name) {
  return find_in(kValueFilters, name);
}

const Builtin* find_filter(std::string_view name) {
  for (auto find : {find_value_filter, find_text_filter, find_sequence_filter, find_page_filter})
    if (const Builtin* found = find(name)) return found;
  return nullptr;
}

// "a.b.0" through attributes and items, as map(attribute=...) takes it.
Result<Value> path_of(Interpreter& in, Value value, const Value& path) {
  if (path.is_integral()) return in.item(value, path);
  if (!path.is(Kind::string)) return error(Code::invalid_argument, "an attribute's name must be a string");
  std::string_view rest = path.as_string();
  while (true) {
    size_t dot = rest.find('.');
    std::string_view part = rest.substr(0, dot);
    int64_t index = 0;
    auto [end, problem] = std::from_chars(part.data(), part.data() + part.size(), index);
    bool is_index = problem == std::errc() && end == part.data() + part.size();
    Value key = is_index ? Value::integer(index) : TRY(in.runtime().string(std::string(part)));
    value = TRY(in.item(value, key));
    if (dot == std::string_view::npos) return value;
    rest.remove_prefix(dot + 1);
  }
}
}  // namespace hearth::jinja
