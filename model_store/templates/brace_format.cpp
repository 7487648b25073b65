// "{}: {x:>5}".format(a, x=b)
#include <algorithm>

#include "base/utf8.h"
#include "model_store/templates/format_spec.h"
#include "model_store/templates/format_text.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

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

Result<Text> brace_value(Interpreter& in, const Value& v, std::string_view text) {
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
      return padded(Text(number_text(Value::real(v.as_real() * 100), spec) + "%"), spec, '>');
    }
    return padded(Text(number_text(v, spec)), spec, '>');
  }
  if ((spec.type && spec.type != 's') || spec.sign || spec.thousands || spec.align == '=' || !v.is(Kind::string))
    return error(Code::invalid_argument, "the format \"{}\" does not suit {}", text.substr(0, 60), kind_name(v.kind()));
  return padded(first_characters(TRY(to_text(in.runtime(), v)), spec.precision), spec, '<');
}

class BraceFormatter {
 public:
  BraceFormatter(Interpreter& in, const Text& pattern, const Arguments& values, bool escapes)
      : in_(in), pattern_(pattern), rest_(pattern.bytes()), values_(values), escapes_(escapes) {}

  Result<Text> run() {
    while (!rest_.empty()) {
      const size_t at = std::min(rest_.find_first_of("{}"), rest_.size());
      out_.append_part(pattern_, rest_.substr(0, at));
      rest_.remove_prefix(at);
      if (rest_.empty()) break;
      if (rest_.size() > 1 && rest_[1] == rest_[0]) {
        out_.append_part(pattern_, rest_.substr(0, 1));
        rest_.remove_prefix(2);
        continue;
      }
      const size_t end = rest_.find('}');
      if (rest_[0] == '}' || end == std::string_view::npos)
        return error(Code::invalid_argument, "a brace in a format is not closed");
      put(TRY(field(rest_.substr(1, end - 1))));
      rest_.remove_prefix(end + 1);
      TRY(in_.runtime().check_length(out_.size()));
    }
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

  // name[key].attribute!r:spec
  Result<Text> field(std::string_view text) {
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
      Text repr;
      TRY(append_repr(in_.runtime(), v, repr));
      v = TRY(in_.runtime().string(std::move(repr)));
    } else if (conversion == 's') {
      v = TRY(in_.runtime().string(TRY(to_text(in_.runtime(), v))));
    } else if (conversion) {
      return error(Code::invalid_argument, "the conversion \"!{}\" is not known", conversion);
    }
    if (!escapes_) return brace_value(in_, v, spec);
    if (!v.is_markup()) return escape_html(TRY(brace_value(in_, v, spec)));
    if (!spec.empty()) return error(Code::invalid_argument, "markup cannot be formatted by \"{}\"", spec.substr(0, 60));
    return v.as_text();
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
  const Text& pattern_;
  std::string_view rest_;
  const Arguments& values_;
  bool escapes_;
  Text out_;
  size_t n_auto_ = 0;
};

}  // namespace

Result<Text> brace_format(Interpreter& in, const Text& pattern, const Arguments& values, bool escapes) {
  return BraceFormatter(in, pattern, values, escapes).run();
}

}  // namespace hearth::jinja
