// Formatting. Widths and precisions are limited: they are numbers that a template chooses.
#include "model_store/templates/format_text.h"

#include <algorithm>
#include <cstdio>

#include "model_store/templates/text.h"
#include "model_store/tokenizers/utf8.h"

namespace hearth::jinja {
namespace {

constexpr int kMaxWidth = 100'000, kMaxPrecision = 100;

bool is_digit(char c) {
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

std::string padded(std::string text, const Spec& spec, char otherwise) {
  const int64_t n = spec.width - count_characters(text);
  if (n <= 0) return text;
  const char align = spec.align ? spec.align : otherwise;
  const int64_t left = align == '<' ? 0 : align == '^' ? n / 2 : n;
  std::string out;
  for (int64_t i = 0; i < left; ++i) out += spec.fill;
  out += text;
  for (int64_t i = left; i < n; ++i) out += spec.fill;
  return out;
}

std::string with_thousands(std::string digits) {
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

std::string first_characters(std::string text, int n) {
  return n < 0 ? text : std::string(characters(text, 0, n));
}

// ---- percent

Result<std::string> percent_value(Interpreter& in, const Value& v, Spec spec) {
  std::string text;
  switch (spec.type) {
    case 's':
      return padded(first_characters(TRY(to_text(in.runtime(), v)), spec.precision), spec, '>');
    case 'r':
    case 'a':
      TRY(append_repr(in.runtime(), v, text));
      return padded(first_characters(std::move(text), spec.precision), spec, '>');
    case 'c':
      if (v.is(Kind::string) && count_characters(v.as_string()) == 1) return padded(v.as_string(), spec, '>');
      if (!v.is_integral() || v.as_integer() < 0 || v.as_integer() > 0x10FFFF)
        return error(Code::invalid_argument, "%c needs one character");
      append_utf8(static_cast<uint32_t>(v.as_integer()), text);
      return padded(std::move(text), spec, '>');
    case 'x':
    case 'X':
    case 'o':
      if (v.is(Kind::real)) return error(Code::invalid_argument, "%{} needs an integer", spec.type);
      [[fallthrough]];
    default:
      if (!v.is_number())
        return error(Code::invalid_argument, "%{} needs a number, got {}", spec.type, kind_name(v.kind()));
      return padded(number_text(v, spec), spec, '>');
  }
}

class PercentFormatter {
 public:
  PercentFormatter(Interpreter& in, std::string_view pattern, const Arguments& values)
      : in_(in), rest_(pattern), values_(values) {}

  Result<std::string> run() {
    while (!rest_.empty()) {
      const size_t at = std::min(rest_.find('%'), rest_.size());
      out_ += rest_.substr(0, at);
      rest_.remove_prefix(at);
      if (!rest_.empty()) TRY(conversion());
      TRY(in_.runtime().check_length(out_.size()));
    }
    if (!used_names_ && n_used_ < values_.positional.size())
      return error(Code::invalid_argument, "the format uses {} of {} values", n_used_, values_.positional.size());
    return std::move(out_);
  }

 private:
  Result<void> conversion() {
    SpecReader reader(rest_.substr(1));
    std::optional<std::string> name;
    if (reader.at("(")) {
      const size_t end = reader.rest().find(')');
      if (end == std::string_view::npos) return error(Code::invalid_argument, "a name in a format is not closed");
      name = std::string(reader.rest().substr(1, end - 1));
      reader.skip(end + 1);
    }
    Spec spec;
    while (reader.at("-+ 0#")) {
      const char flag = reader.take();
      if (flag == '-') spec.align = '<';
      if (flag == '0') spec.zero = true;
      if (flag == '#') spec.alternate = true;
      if (flag == '+' || (flag == ' ' && !spec.sign)) spec.sign = flag;
    }
    spec.width = TRY(reader.number(kMaxWidth));
    if (reader.at(".")) {
      reader.take();
      spec.precision = TRY(reader.number(kMaxPrecision));
    }
    if (!reader.at("sradiufFeEgGxXoc%"))
      return error(Code::invalid_argument, "a format ends in the middle, or its letter is not known");
    spec.type = reader.take();
    rest_ = reader.rest();
    if (spec.type == '%') {
      out_ += '%';
      return {};
    }
    out_ += TRY(percent_value(in_, TRY(value(name)), spec));
    return {};
  }

  Result<Value> value(const std::optional<std::string>& name) {
    if (name) {
      used_names_ = true;
      for (const auto& [key, v] : values_.named)
        if (key == *name) return v;
      return error(Code::invalid_argument, "the format has no value for \"{}\"", name->substr(0, 60));
    }
    if (n_used_ >= values_.positional.size()) return error(Code::invalid_argument, "the format needs more values");
    return values_.positional[n_used_++];
  }

  Interpreter& in_;
  std::string_view rest_;
  const Arguments& values_;
  std::string out_;
  size_t n_used_ = 0;
  bool used_names_ = false;
};

// ---- braces

Result<Spec> read_brace_spec(std::string_view text) {
  Spec spec;
  const auto c = static_cast<size_t>(std::max(1, decode_utf8(text).n_bytes));
  constexpr std::string_view kAligns = "<>^=";
  if (text.size() > c && kAligns.find(text[c]) != std::string_view::npos) {
    spec.fill = text.substr(0, c);
    spec.align = text[c];
    text.remove_prefix(c + 1);
  }
  SpecReader reader(text);
  if (!spec.align && reader.at(kAligns)) spec.align = reader.take();
  if (reader.at("+- ")) {
    const char sign = reader.take();
    spec.sign = sign == '-' ? '\0' : sign;
  }
  if (reader.at("#")) spec.alternate = reader.take();
  if (reader.at("0")) spec.zero = reader.take();
  spec.width = TRY(reader.number(kMaxWidth));
  if (reader.at(",")) spec.thousands = reader.take();
  if (reader.at(".")) {
    reader.take();
    spec.precision = TRY(reader.number(kMaxPrecision));
  }
  if (!reader.rest().empty()) spec.type = reader.take();
  if (!reader.rest().empty()) return error(Code::invalid_argument, "a format cannot be read");
  return spec;
}

Result<std::string> brace_value(Interpreter& in, const Value& v, std::string_view text) {
  if (text.empty()) return to_text(in.runtime(), v);
  Spec spec = TRY(read_brace_spec(text));
  if (v.is_number() && !(v.is(Kind::boolean) && !spec.type)) {
    if (!spec.type && !v.is(Kind::real)) spec.type = 'd';
    if (!spec.type && spec.precision < 0) return padded(TRY(to_text(in.runtime(), v)), spec, '>');
    if (!spec.type) spec.type = 'g';
    if (std::string_view("dfFeEgGxXo%").find(spec.type) == std::string_view::npos ||
        (v.is(Kind::real) && std::string_view("dxXo").find(spec.type) != std::string_view::npos))
      return error(Code::invalid_argument, "the format \"{}\" does not suit {}", text.substr(0, 60),
                   kind_name(v.kind()));
    if (spec.type == '%') {
      spec.type = 'f';
      return padded(number_text(Value::real(v.as_real() * 100), spec) + "%", spec, '>');
    }
    return padded(number_text(v, spec), spec, '>');
  }
  if ((spec.type && spec.type != 's') || spec.sign || spec.thousands || spec.align == '=' || !v.is(Kind::string))
    return error(Code::invalid_argument, "the format \"{}\" does not suit {}", text.substr(0, 60), kind_name(v.kind()));
  return padded(first_characters(TRY(to_text(in.runtime(), v)), spec.precision), spec, '<');
}

class BraceFormatter {
 public:
  BraceFormatter(Interpreter& in, std::string_view pattern, const Arguments& values)
      : in_(in), rest_(pattern), values_(values) {}

  Result<std::string> run() {
    while (!rest_.empty()) {
      const size_t at = std::min(rest_.find_first_of("{}"), rest_.size());
      out_ += rest_.substr(0, at);
      rest_.remove_prefix(at);
      if (rest_.empty()) break;
      if (rest_.size() > 1 && rest_[1] == rest_[0]) {
        out_ += rest_[0];
        rest_.remove_prefix(2);
        continue;
      }
      const size_t end = rest_.find('}');
      if (rest_[0] == '}' || end == std::string_view::npos)
        return error(Code::invalid_argument, "a brace in a format is not closed");
      out_ += TRY(field(rest_.substr(1, end - 1)));
      rest_.remove_prefix(end + 1);
      TRY(in_.runtime().check_length(out_.size()));
    }
    return std::move(out_);
  }

 private:
  // name[key].attribute!r:spec
  Result<std::string> field(std::string_view text) {
    if (text.find('{') != std::string_view::npos)
      return error(Code::unimplemented, "a format within a format is not supported");
    const size_t colon = std::min(text.find(':'), text.size());
    const std::string_view spec = colon < text.size() ? text.substr(colon + 1) : std::string_view();
    std::string_view name = text.substr(0, colon);
    char conversion = '\0';
    if (name.size() >= 2 && name[name.size() - 2] == '!') {
      conversion = name.back();
      name.remove_suffix(2);
    }
    Value v = TRY(value(name));
    if (conversion == 'r' || conversion == 'a') {
      std::string repr;
      TRY(append_repr(in_.runtime(), v, repr));
      v = TRY(in_.runtime().string(std::move(repr)));
    } else if (conversion == 's') {
      v = TRY(in_.runtime().string(TRY(to_text(in_.runtime(), v))));
    } else if (conversion) {
      return error(Code::invalid_argument, "the conversion \"!{}\" is not known", conversion);
    }
    return brace_value(in_, v, spec);
  }

  Result<Value> value(std::string_view name) {
    const size_t end = std::min(name.find_first_of(".["), name.size());
    Value v = TRY(first(name.substr(0, end)));
    name.remove_prefix(end);
    while (!name.empty()) {
      const bool is_item = name[0] == '[';
      const size_t close = is_item ? name.find(']') : std::min(name.find_first_of(".[", 1), name.size());
      if (close == std::string_view::npos || close < 2)
        return error(Code::invalid_argument, "a name in a format cannot be read");
      const std::string_view key = name.substr(1, close - 1);
      const bool is_index = is_item && std::all_of(key.begin(), key.end(), is_digit) && key.size() < 10;
      v = !is_item ? TRY(in_.attribute(v, key))
                   : TRY(in_.item(v, is_index ? Value::integer(std::stoll(std::string(key)))
                                              : TRY(in_.runtime().string(std::string(key)))));
      if (v.is(Kind::function) || (is_item && v.is(Kind::undefined)))
        return error(Code::invalid_argument, "the format has no value for \"{}\"", key.substr(0, 60));
      name.remove_prefix(close + (is_item ? 1 : 0));
    }
    return v;
  }

  Result<Value> first(std::string_view name) {
    const bool is_index = std::all_of(name.begin(), name.end(), is_digit);
    if (is_index) {
      const size_t index = name.empty() ? n_auto_++ : name.size() < 6 ? std::stoul(std::string(name)) : SIZE_MAX;
      if (index < values_.positional.size()) return values_.positional[index];
    } else {
      for (const auto& [key, v] : values_.named)
        if (key == name) return v;
    }
    return error(Code::invalid_argument, "the format has no value for \"{{{}}}\"", name.substr(0, 60));
  }

  Interpreter& in_;
  std::string_view rest_;
  const Arguments& values_;
  std::string out_;
  size_t n_auto_ = 0;
};

}  // namespace

Result<std::string> percent_format(Interpreter& in, std::string_view pattern, const Arguments& values) {
  return PercentFormatter(in, pattern, values).run();
}
Result<std::string> brace_format(Interpreter& in, std::string_view pattern, const Arguments& values) {
  return BraceFormatter(in, pattern, values).run();
}

}  // namespace hearth::jinja
