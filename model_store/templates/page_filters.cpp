// Filters made for web pages and reports, which templates seldom need: {{ value|urlencode }}, urlize, striptags,
// xmlattr, filesizeformat, pprint, wordwrap.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/utf8.h"
#include "model_store/templates/filters.h"
#include "model_store/templates/html_entities.h"
#include "model_store/templates/layout.h"
#include "model_store/templates/links.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

std::string url_quoted(std::string_view text, bool for_query) {
  constexpr std::string_view kSafe = "_.-~";
  std::string out;
  for (char c : text) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_letter || kSafe.find(c) != std::string_view::npos || (c == '/' && !for_query))
      out += c;
    else if (c == ' ' && for_query)
      out += '+';
    else
      out += fmt::format("%{:02X}", static_cast<uint8_t>(c));
  }
  return out;
}

// A text, or the pairs of a query: a dict, or a list of them.
Result<Value> urlencode(Interpreter& in, const Value& input, Arguments&) {
  if (!input.is(Kind::dict) && !input.is_list() && !input.is(Kind::generator))
    return in.runtime().string(url_quoted(TRY(text_of(in, input)).bytes(), false));
  std::string out;
  for (const Value& item : TRY(items_of(in.runtime(), input))) {
    const Value* value = input.is(Kind::dict) ? input.as_dict().find(item) : nullptr;
    const std::vector<Value> pair = value ? std::vector<Value>{item, *value} : TRY(items_of(in.runtime(), item));
    if (pair.size() != 2) return error(Code::invalid_argument, "a query is made of pairs of a name and a value");
    if (!out.empty()) out += '&';
    out +=
        url_quoted(TRY(text_of(in, pair[0])).bytes(), true) + "=" + url_quoted(TRY(text_of(in, pair[1])).bytes(), true);
  }
  return in.runtime().string(std::move(out));
}

Result<Value> xmlattr(Interpreter& in, const Value& input, Arguments& arguments) {
  const bool begins_with_blank = TRY(arguments.flag_or("autospace", true));
  if (!input.is(Kind::dict))
    return error(Code::invalid_argument, "xmlattr needs a dict, not {}", kind_name(input.kind()));
  std::string out;
  for (const auto& [key, value] : input.as_dict().items) {
    if (is_none_or_undefined(value)) continue;
    if (!key.is(Kind::string)) return error(Code::invalid_argument, "an attribute's name must be a string");
    if (key.as_string().find_first_of(" \t\n\r\f\v/>=") != std::string::npos)
      return error(Code::invalid_argument, "\"{}\" cannot be an attribute's name", key.as_string().substr(0, 60));
    if (!out.empty() || begins_with_blank) out += ' ';
    out += TRY(markup_text(in.runtime(), key)).bytes() + "=\"" + TRY(markup_text(in.runtime(), value)).bytes() + "\"";
  }
  return TRY(in.runtime().string(std::move(out))).marked(in.autoescape());
}

// Comments and tags go, runs of blanks become one, entities the characters that they stand for.
Result<Value> striptags(Interpreter& in, const Value& input, Arguments&) {
  const Text whole = TRY(text_of(in, input));
  std::string_view rest = whole.bytes();
  std::string text;
  for (size_t open; (open = rest.find('<')) != std::string_view::npos;) {
    const bool is_comment = rest.substr(open).starts_with("<!--");
    const size_t close = is_comment ? rest.find("-->", open + 4) : rest.find('>', open);
    if (close == std::string_view::npos) break;
    text += rest.substr(0, open);
    rest.remove_prefix(close + (is_comment ? 3 : 1));
  }
  text += rest;
  std::string out;
  std::string_view words = strip_left(text);
  while (!words.empty()) {
    size_t end = 0;
    while (end < words.size() && !is_space(decode_utf8(words.substr(end)).code_point))
      end += static_cast<size_t>(std::max(1, decode_utf8(words.substr(end)).n_bytes));
    if (!out.empty()) out += ' ';
    out += words.substr(0, end);
    words = strip_left(words.substr(end));
  }
  return in.runtime().string(TRY(unescape_html(out)));
}

Result<Value> urlize(Interpreter& in, const Value& input, Arguments& arguments) {
  LinkOptions options;
  if (auto limit = arguments.take("trim_url_limit"); limit && !limit->is(Kind::none)) {
    if (!limit->is_integral()) return error(Code::invalid_argument, "trim_url_limit must be an integer");
    options.shown_characters = limit->as_integer();
  }
  const bool nofollow = TRY(arguments.flag_or("nofollow", false));
  options.target = TRY(arguments.string_or("target", ""));
  std::set<std::string> rel = {"noopener"};
  if (nofollow) rel.insert("nofollow");
  const Value words = TRY(in.runtime().string(TRY(arguments.text_or("rel", ""))));
  Arguments none;
  for (const Value& word : TRY((*find_method(words, "split"))(in, words, none)).as_list().items)
    rel.insert(word.as_string());
  options.rel = fmt::format("{}", fmt::join(rel, " "));
  if (auto schemes = arguments.take("extra_schemes"); schemes && !schemes->is(Kind::none))
    for (const Value& scheme : TRY(items_of(in.runtime(), *schemes)))
      options.schemes.push_back(TRY(text_of(in, scheme)).bytes());
  const std::string text = TRY(markup_text(in.runtime(), input)).bytes();
  TRY(in.runtime().step(16 * text.size()));
  return TRY(in.runtime().string(TRY(with_links(text, options)))).marked(in.autoescape());
}

Result<Value> filesizeformat(Interpreter& in, const Value& input, Arguments& arguments) {
  const bool is_binary = TRY(arguments.flag_or("binary", false));
  double n = input.is_number() ? input.as_real() : 0;
  if (input.is(Kind::string)) {
    const std::string_view text = strip_left(strip_right(input.as_string()));
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (problem != std::errc() || end != text.data() + text.size())
      return error(Code::invalid_argument, "\"{}\" is no size", text.substr(0, 60));
  } else if (!input.is_number()) {
    return error(Code::invalid_argument, "{} is no size", kind_name(input.kind()));
  }
  const long double base = is_binary ? 1024 : 1000;
  if (n == 1) return in.runtime().string("1 Byte");
  if (n < static_cast<double>(base) && !std::isfinite(n)) return error(Code::invalid_argument, "infinity is no size");
  if (n < static_cast<double>(base)) return in.runtime().string(fmt::format("{} Bytes", static_cast<int64_t>(n)));
  constexpr std::string_view kPrefixes = "KMGTPEZY";
  long double unit = base * base;
  size_t i = 0;
  for (; i + 1 < kPrefixes.size() && !(static_cast<long double>(n) < unit); ++i) unit *= base;
  const double shown = static_cast<double>(base) * n / static_cast<double>(unit);
  const std::string prefix =
      is_binary ? std::string(1, kPrefixes[i]) + "iB" : std::string(1, i == 0 ? 'k' : kPrefixes[i]) + "B";
  return in.runtime().string(fmt::format("{:.1f} {}", shown, prefix));
}

Result<Value> pprint(Interpreter& in, const Value& input, Arguments&) {
  return in.runtime().string(TRY(pretty_text(in.runtime(), input)));
}

Result<Value> wordwrap(Interpreter& in, const Value& input, Arguments& arguments) {
  WrapOptions options;
  options.width = TRY(arguments.integer_or("width", 79));
  options.break_long_words = TRY(arguments.flag_or("break_long_words", true));
  const std::string between = TRY(arguments.string_or("wrapstring", "\n"));
  options.break_on_hyphens = TRY(arguments.flag_or("break_on_hyphens", true));
  if (!input.is(Kind::string))
    return error(Code::invalid_argument, "only a string can be wrapped, not {}", kind_name(input.kind()));
  TRY(in.runtime().step(16 * input.as_string().size()));
  std::vector<std::string> lines;
  for (std::string_view line : split_lines(input.as_string()))
    lines.push_back(fmt::format("{}", fmt::join(TRY(wrap_text(line, options)), between)));
  return in.runtime().string(fmt::format("{}", fmt::join(lines, between)));
}

Result<Value> random(Interpreter&, const Value&, Arguments&) {
  return error(Code::unimplemented, "the filter \"random\" is not supported: a prompt must be the same every time");
}

constexpr BuiltinEntry kPageFilters[] = {
    {"filesizeformat", filesizeformat}, {"pprint", pprint}, {"random", random},     {"striptags", striptags},
    {"urlencode", urlencode},           {"urlize", urlize}, {"wordwrap", wordwrap}, {"xmlattr", xmlattr},
};

}  // namespace

const Builtin* find_page_filter(std::string_view name) {
  return find_in(kPageFilters, name);
}

}  // namespace hearth::jinja
