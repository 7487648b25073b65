// "%s: %5.2f" % (a, b)
#include <algorithm>

#include "base/utf8.h"
#include "model_store/templates/format_spec.h"
#include "model_store/templates/format_text.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

Result<std::string> percent_value(Interpreter& in, const Value& v, const Spec& spec) {
  std::string text;
  switch (spec.type) {
    case 's':
      return padded(first_characters(TRY(to_text(in.runtime(), v)), spec.precision), spec, '>');
    case 'r':
    case 'a':
      TRY(append_repr(in.runtime(), v, text));
      return padded(first_characters(text, spec.precision), spec, '>');
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

}  // namespace

Result<std::string> percent_format(Interpreter& in, std::string_view pattern, const Arguments& values) {
  return PercentFormatter(in, pattern, values).run();
}

}  // namespace hearth::jinja
