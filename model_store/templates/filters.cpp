// Filters: {{ value|filter(arguments) }}.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "model_store/templates/builtin_table.h"
#include "model_store/templates/interpreter.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

Result<std::string> text_of(Interpreter& in, const Value& v) {
  return to_text(in.runtime(), v);
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

Result<Value> length(Interpreter&, const Value& input, Arguments&) {
  return Value::integer(TRY(length_of(input)));
}

Result<Value> tojson(Interpreter& in, const Value& input, Arguments& arguments) {
  // transformers: tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False)
  bool ascii = false;
  std::optional<Value> first;
  // Jinja's own signature has indent first; transformers' has ensure_ascii. A number can only be the indent.
  if (!arguments.positional.empty() && arguments.positional[0].is(Kind::integer))
    first = arguments.take("indent");
  else
    ascii = TRY(arguments.flag_or("ensure_ascii", false));
  int64_t indent = first ? first->as_integer() : TRY(arguments.integer_or("indent", -1));
  if (first) ascii = TRY(arguments.flag_or("ensure_ascii", false));
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

Result<Value> join(Interpreter& in, const Value& input, Arguments& arguments) {
  std::string separator;
  if (auto d = arguments.take("d")) separator = TRY(text_of(in, *d));
  auto attribute = arguments.take("attribute");
  std::string out;
  bool first = true;
  auto items = TRY(items_of(in.runtime(), input));
  for (const auto& item : items) {
    if (!first) out += separator;
    first = false;
    out += TRY(text_of(in, attribute ? TRY(path_of(in, item, *attribute)) : item));
    TRY(in.runtime().check_length(out.size()));
  }
  return in.runtime().string(std::move(out));
}

Result<Value> default_value(Interpreter& in, const Value& input, Arguments& arguments) {
  auto otherwise = arguments.take("default_value");
  bool also_false = TRY(arguments.flag_or("boolean", false));
  if (!input.is(Kind::undefined) && !(also_false && !truth(input))) return input;
  return otherwise ? Result<Value>(*otherwise) : in.runtime().string("");
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

Result<Value> items(Interpreter& in, const Value& input, Arguments&) {
  if (input.is(Kind::undefined)) return in.runtime().list({});
  if (!input.is(Kind::dict))
    return error(Code::invalid_argument, "only a dict has items, not {}", kind_name(input.kind()));
  std::vector<Value> out;
  for (const auto& [key, value] : input.as_dict().items) out.push_back(TRY(in.runtime().list({key, value}, true)));
  return in.runtime().generator(std::move(out));
}

Result<Value> list(Interpreter& in, const Value& input, Arguments&) {
  return in.runtime().list(TRY(items_of(in.runtime(), input)));
}

Result<Value> first(Interpreter& in, const Value& input, Arguments&) {
  auto all = TRY(items_of(in.runtime(), input));
  return all.empty() ? in.runtime().undefined("the first item of nothing") : Result<Value>(all.front());
}
Result<Value> last(Interpreter& in, const Value& input, Arguments&) {
  auto all = TRY(items_of(in.runtime(), input));
  return all.empty() ? in.runtime().undefined("the last item of nothing") : Result<Value>(all.back());
}

Result<Value> reverse(Interpreter& in, const Value& input, Arguments&) {
  auto all = TRY(items_of(in.runtime(), input));
  std::reverse(all.begin(), all.end());
  if (!input.is(Kind::string)) return in.runtime().generator(std::move(all));
  std::string out;
  for (const auto& c : all) out += c.as_string();
  return in.runtime().string(std::move(out));
}

Result<Value> to_int(Interpreter&, const Value& input, Arguments& arguments) {
  auto otherwise = arguments.take("default");
  int64_t base = TRY(arguments.integer_or("base", 10));
  Value fallback = otherwise ? *otherwise : Value::integer(0);
  if (input.is_integral()) return Value::integer(input.as_integer());
  if (input.is(Kind::real))
    return std::abs(input.as_real()) < 9e18 ? Value::integer(static_cast<int64_t>(input.as_real())) : fallback;
  if (!input.is(Kind::string)) return fallback;
  std::string_view text = strip_left(strip_right(input.as_string()));
  if (text.starts_with('+')) text.remove_prefix(1);
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
  if (input.is_number()) return Value::real(input.as_real());
  if (input.is(Kind::string)) {
    std::string_view text = strip_left(strip_right(input.as_string()));
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

Result<Value> round(Interpreter&, const Value& input, Arguments& arguments) {
  int64_t precision = std::clamp<int64_t>(TRY(arguments.integer_or("precision", 0)), -15, 15);
  std::string method = TRY(arguments.string_or("method", "common"));
  if (!input.is_number()) return error(Code::invalid_argument, "{} cannot be rounded", kind_name(input.kind()));
  double scale = std::pow(10.0, static_cast<double>(precision)), x = input.as_real() * scale;
  if (method == "ceil") return Value::real(std::ceil(x) / scale);
  if (method == "floor") return Value::real(std::floor(x) / scale);
  return Value::real(std::nearbyint(x) / scale);
}

// map(attribute="x", default=...) or map("filter", arguments...)
Result<Value> map(Interpreter& in, const Value& input, Arguments& arguments) {
  std::optional<Value> attribute, otherwise;
  if (arguments.positional.empty()) {
    attribute = TRY(arguments.require("attribute"));
    otherwise = arguments.take("default");
  }
  std::string name = attribute ? "" : TRY(text_of(in, TRY(arguments.require("filter"))));
  Arguments rest;
  if (!attribute) {
    rest.positional.assign(arguments.positional.begin() + 1, arguments.positional.end());
    rest.named = std::move(arguments.named);
    arguments.positional.resize(1);
    arguments.named.clear();
  }
  std::vector<Value> out;
  auto all = TRY(items_of(in.runtime(), input));
  for (const auto& item : all) {
    Value value = attribute ? TRY(path_of(in, item, *attribute)) : TRY(in.filter(name, item, Arguments(rest)));
    out.push_back(value.is(Kind::undefined) && otherwise ? *otherwise : value);
  }
  return in.runtime().generator(std::move(out));
}

// select, reject, selectattr, rejectattr: keep the items for which a test holds (or does not).
template <bool wanted, bool by_attribute>
Result<Value> select(Interpreter& in, const Value& input, Arguments& arguments) {
  std::optional<Value> attribute;
  if (by_attribute) attribute = TRY(arguments.require("attribute"));
  auto test = arguments.take("test");
  const size_t n_own = (by_attribute ? 1 : 0) + (test ? 1 : 0);
  Arguments rest;
  rest.positional.assign(
      arguments.positional.begin() + static_cast<ptrdiff_t>(std::min(n_own, arguments.positional.size())),
      arguments.positional.end());
  rest.named = std::move(arguments.named);
  arguments.positional.resize(std::min(n_own, arguments.positional.size()));
  arguments.named.clear();
  std::string name = test ? TRY(text_of(in, *test)) : "";
  std::vector<Value> out;
  auto all = TRY(items_of(in.runtime(), input));
  for (const auto& item : all) {
    Value subject = attribute ? TRY(path_of(in, item, *attribute)) : item;
    bool holds = test ? TRY(in.test(name, subject, Arguments(rest))) : truth(subject);
    if (holds == wanted) out.push_back(item);
  }
  return in.runtime().generator(std::move(out));
}

Result<Value> lowered_if(Interpreter& in, bool lower, const Value& v) {
  return lower && v.is(Kind::string) ? in.runtime().string(to_lower(v.as_string())) : Result<Value>(v);
}

// Sorts (key, value) pairs by key; stable.
Result<void> sort_pairs(Interpreter& in, std::vector<std::pair<Value, Value>>& pairs, bool reverse) {
  std::optional<Error> problem;
  auto less = [&](const auto& a, const auto& b) {
    if (problem) return false;
    auto order = reverse ? compare(in.runtime(), b.first, a.first) : compare(in.runtime(), a.first, b.first);
    if (!order) {
      problem = order.error();
      return false;
    }
    return *order < 0;
  };
  std::stable_sort(pairs.begin(), pairs.end(), less);
  if (problem) return *problem;
  return {};
}

Result<Value> sort(Interpreter& in, const Value& input, Arguments& arguments) {
  bool reversed = TRY(arguments.flag_or("reverse", false)),
       case_sensitive = TRY(arguments.flag_or("case_sensitive", false));
  auto attribute = arguments.take("attribute");
  std::vector<std::pair<Value, Value>> pairs;
  auto all = TRY(items_of(in.runtime(), input));
  for (const auto& item : all) {
    Value key = attribute ? TRY(path_of(in, item, *attribute)) : item;
    pairs.emplace_back(TRY(lowered_if(in, !case_sensitive, key)), item);
  }
  TRY(sort_pairs(in, pairs, reversed));
  std::vector<Value> out;
  out.reserve(pairs.size());
  for (auto& [key, value] : pairs) out.push_back(std::move(value));
  return in.runtime().list(std::move(out));
}

Result<Value> dictsort(Interpreter& in, const Value& input, Arguments& arguments) {
  bool case_sensitive = TRY(arguments.flag_or("case_sensitive", false));
  std::string by = TRY(arguments.string_or("by", "key"));
  bool reversed = TRY(arguments.flag_or("reverse", false));
  if (!input.is(Kind::dict))
    return error(Code::invalid_argument, "only a dict can be sorted so, not {}", kind_name(input.kind()));
  std::vector<std::pair<Value, Value>> pairs;
  for (const auto& [key, value] : input.as_dict().items)
    pairs.emplace_back(TRY(lowered_if(in, !case_sensitive, by == "value" ? value : key)),
                       TRY(in.runtime().list({key, value}, true)));
  TRY(sort_pairs(in, pairs, reversed));
  std::vector<Value> out;
  out.reserve(pairs.size());
  for (auto& [key, value] : pairs) out.push_back(std::move(value));
  return in.runtime().list(std::move(out));
}

Result<Value> unique(Interpreter& in, const Value& input, Arguments& arguments) {
  bool case_sensitive = TRY(arguments.flag_or("case_sensitive", false));
  auto attribute = arguments.take("attribute");
  std::vector<Value> keys, out;
  auto all = TRY(items_of(in.runtime(), input));
  for (const auto& item : all) {
    Value key = TRY(lowered_if(in, !case_sensitive, attribute ? TRY(path_of(in, item, *attribute)) : item));
    bool is_new = true;
    for (const auto& seen : keys) is_new = is_new && !TRY(equals(in.runtime(), seen, key));
    if (!is_new) continue;
    keys.push_back(key);
    out.push_back(item);
  }
  return in.runtime().generator(std::move(out));
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

Result<Value> sum(Interpreter& in, const Value& input, Arguments& arguments) {
  auto attribute = arguments.take("attribute");
  double real = 0;
  int64_t whole = 0;
  bool is_real = false;
  auto all = TRY(items_of(in.runtime(), input));
  for (const auto& item : all) {
    Value v = attribute ? TRY(path_of(in, item, *attribute)) : item;
    if (!v.is_number()) return error(Code::invalid_argument, "{} cannot be summed", kind_name(v.kind()));
    is_real |= v.is(Kind::real);
    real += v.as_real();
    if (v.is_integral() && __builtin_add_overflow(whole, v.as_integer(), &whole))
      return error(Code::invalid_argument, "an integer does not fit 64 bits");
  }
  return is_real ? Value::real(real) : Value::integer(whole);
}

template <int wanted>
Result<Value> extreme(Interpreter& in, const Value& input, Arguments&) {
  auto all = TRY(items_of(in.runtime(), input));
  if (all.empty()) return in.runtime().undefined("the extreme of nothing");
  Value best = all[0];
  for (const auto& item : all)
    if (TRY(compare(in.runtime(), item, best)) == wanted) best = item;
  return best;
}

Result<Value> batch(Interpreter& in, const Value& input, Arguments& arguments) {
  int64_t n = TRY(arguments.integer_or("linecount", 1));
  auto fill = arguments.take("fill_with");
  if (n < 1 || n > 100'000) return error(Code::invalid_argument, "a batch must have 1 to 100000 items, not {}", n);
  std::vector<Value> out, group;
  auto all = TRY(items_of(in.runtime(), input));
  for (const auto& item : all) {
    group.push_back(item);
    if (static_cast<int64_t>(group.size()) == n) out.push_back(TRY(in.runtime().list(std::exchange(group, {}))));
  }
  if (!group.empty()) {
    while (fill && static_cast<int64_t>(group.size()) < n) group.push_back(*fill);
    out.push_back(TRY(in.runtime().list(std::move(group))));
  }
  return in.runtime().generator(std::move(out));
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

Result<Value> attr(Interpreter& in, const Value& input, Arguments& arguments) {
  return in.attribute(input, TRY(text_of(in, TRY(arguments.require("name")))));
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

constexpr BuiltinEntry kFilters[] = {
    {"abs", absolute},
    {"attr", attr},
    {"batch", batch},
    {"capitalize", map_text<to_capitalized>},
    {"center", center},
    {"count", length},
    {"d", default_value},
    {"default", default_value},
    {"dictsort", dictsort},
    {"e", escape},
    {"escape", escape},
    {"first", first},
    {"float", to_float},
    {"format", format},
    {"indent", indent},
    {"int", to_int},
    {"items", items},
    {"join", join},
    {"last", last},
    {"length", length},
    {"list", list},
    {"lower", map_text<to_lower>},
    {"map", map},
    {"max", extreme<1>},
    {"min", extreme<-1>},
    {"reject", select<false, false>},
    {"rejectattr", select<false, true>},
    {"replace", replace},
    {"reverse", reverse},
    {"round", round},
    {"safe", same},
    {"select", select<true, false>},
    {"selectattr", select<true, true>},
    {"sort", sort},
    {"string", to_string},
    {"sum", sum},
    {"title", map_text<to_title>},
    {"tojson", tojson},
    {"trim", trim},
    {"unique", unique},
    {"upper", map_text<to_upper>},
    {"wordcount", wordcount},
};

}  // namespace

const Builtin* find_filter(std::string_view name) {
  return find_in(kFilters, name);
}

}  // namespace hearth::jinja
