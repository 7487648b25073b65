// "%s: %5.2f" % (a, b)
#include <algorithm>

#include "base/utf8.h"
#include "model_store/templates/format_spec.h"
#include "model_store/templates/format_text.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

std::string utf8_text(uint32_t character) {
  std::string out;
  append_utf8(character, out);
  return out;
}

// The value's text, or that of what repr() gives.
Result<Text> plain_text(Interpreter& in, const Value& v, bool is_repr, bool escapes) {
  if (!is_repr) return escapes ? markup_text(in.runtime(), v) : to_text(in.runtime(), v);
  Text out;
  TRY(append_repr(in.runtime(), v, out));
  return escapes ? escape_html(out) : out;
}

Result<Text> percent_value(Interpreter& in, const Value& v, const Spec& spec, bool escapes) {
  switch (spec.type) {
    case 's':
    case 'r':
    case 'a':
      return padded(first_characters(TRY(plain_text(in, v, spec.type != 's', escapes)), spec.precision), spec, '>');
    case 'c':
      if (v.is(Kind::string) && count_characters(v.as_string()) == 1) return padded(v.as_text(), spec, '>');
      if (!v.is_integral() || v.as_integer() < 0 || v.as_integer() > 0x10FFFF)
        return error(Code::invalid_argument, "%c needs one character");
      return padded(Text(utf8_text(static_cast<uint32_t>(v.as_integer()))), spec, '>');
    case 'x':
    case 'X':
    case 'o':
      if (v.is(Kind::real)) return error(Code::invalid_argument, "%{} needs an integer", spec.type);
      [[fallthrough]];
    default:
      if (!v.is_number())
        return error(Code::invalid_argument, "%{} needs a number, got {}", spec.type, kind_name(v.kind()));
      return padded(Text(number_text(v, spec)), spec, '>');
  }
}

class PercentFormatter {
 public:
  PercentFormatter(Interpreter& in, const Text& pattern, const Arguments& values, bool escapes)
      : in_(in), pattern_(pattern), rest_(pattern.bytes()), values_(values), escapes_(escapes) {}

  Result<Text> run() {
    while (!rest_.empty()) {
      const size_t at = std::min(rest_.find('%'), rest_.size());
      out_.append_part(pattern_, rest_.substr(0, at));
      rest_.remove_prefix(at);
      if (!rest_.empty()) TRY(conversion());
      TRY(in_.runtime().check_length(out_.size()));
    }
    if (!used_names_ && n_used_ < values_.positional.size())
      return error(Code::invalid_argument, "the format uses {} of {} values", n_used_, values_.positional.size());
    return std::move(out_);
  }

 private:
  // How a typed pattern pads and quotes is typed, too.
  void put(const Text& value) {
    if (pattern_.is_typed())
      out_.append(value.bytes(), true);
    else
      out_.append(value);
  }

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
      out_.append("%", pattern_.is_typed());
      return {};
    }
    put(TRY(percent_value(in_, TRY(value(name)), spec, escapes_)));
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
  const Text& pattern_;
  std::string_view rest_;
  const Arguments& values_;
  bool escapes_;
  Text out_;
  size_t n_used_ = 0;
  bool used_names_ = false;
};

}  // namespace

Result<Text> percent_format(Interpreter& in, const Text& pattern, const Arguments& values, bool escapes) {
  return PercentFormatter(in, pattern, values, escapes).run();
}

}  // namespace hearth::jinja
