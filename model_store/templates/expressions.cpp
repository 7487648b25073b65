// How expressions evaluate: Python's rules for numbers, strings and containers.
#include <algorithm>
#include <cmath>

#include "model_store/templates/filters.h"
#include "model_store/templates/format_text.h"
#include "model_store/templates/interpreter.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

Error no_operation(const char* what, const Value& a, const Value& b) {
  if (a.is(Kind::undefined)) return error(Code::invalid_argument, "\"{}\" is undefined", a.undefined_name());
  if (b.is(Kind::undefined)) return error(Code::invalid_argument, "\"{}\" is undefined", b.undefined_name());
  return error(Code::invalid_argument, "cannot {} {} and {}", what, kind_name(a.kind()), kind_name(b.kind()));
}
Error too_large() {
  return error(Code::invalid_argument, "an integer does not fit 64 bits");
}

Result<Value> join_text(Runtime& rt, const Text& a, const Text& b) {
  TRY(rt.check_length(a.size() + b.size()));
  Text out;
  out.reserve(a.size() + b.size());
  return rt.string(out.append(a).append(b));
}

Result<Value> add(Runtime& rt, const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) {
    int64_t out = 0;
    if (__builtin_add_overflow(a.as_integer(), b.as_integer(), &out)) return too_large();
    return Value::integer(out);
  }
  if (a.is_number() && b.is_number()) return Value::real(a.as_real() + b.as_real());
  if (a.is(Kind::string) && b.is(Kind::string)) return concatenated(rt, a, b);
  if (a.is_plain_list() && b.is_plain_list() && a.kind() == b.kind()) {
    TRY(rt.charge((a.as_list().items.size() + b.as_list().items.size()) * sizeof(Value)));
    std::vector<Value> items = a.as_list().items;
    items.insert(items.end(), b.as_list().items.begin(), b.as_list().items.end());
    return rt.list(std::move(items), a.is(Kind::tuple));
  }
  return no_operation("add", a, b);
}

Result<Value> repeat(Runtime& rt, const Value& what, int64_t n) {
  n = std::max<int64_t>(n, 0);
  if (what.is(Kind::string)) {
    const Text& text = what.as_text();
    uint64_t n_bytes = 0;
    if (__builtin_mul_overflow(static_cast<uint64_t>(n), text.size(), &n_bytes)) n_bytes = UINT64_MAX;
    TRY(rt.check_length(n_bytes));
    Text out;
    out.reserve(n_bytes);
    if (!text.empty())
      for (int64_t i = 0; i < n; ++i) out.append(text);
    return TRY(rt.string(std::move(out))).marked(what.is_markup());
  }
  const auto& items = what.as_list().items;
  uint64_t n_items = 0;
  if (__builtin_mul_overflow(static_cast<uint64_t>(n), items.size() * sizeof(Value), &n_items))
    n_items = UINT64_MAX / 2;
  TRY(rt.check_length(n_items));
  TRY(rt.charge(n_items));
  std::vector<Value> out;
  if (!items.empty())
    for (int64_t i = 0; i < n; ++i) out.insert(out.end(), items.begin(), items.end());
  return rt.list(std::move(out), what.is(Kind::tuple));
}

Result<Value> multiply(Runtime& rt, const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) {
    int64_t out = 0;
    if (__builtin_mul_overflow(a.as_integer(), b.as_integer(), &out)) return too_large();
    return Value::integer(out);
  }
  if (a.is_number() && b.is_number()) return Value::real(a.as_real() * b.as_real());
  if ((a.is(Kind::string) || a.is_plain_list()) && b.is_integral()) return repeat(rt, a, b.as_integer());
  if ((b.is(Kind::string) || b.is_plain_list()) && a.is_integral()) return repeat(rt, b, a.as_integer());
  return no_operation("multiply", a, b);
}

Result<Value> subtract(const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) {
    int64_t out = 0;
    if (__builtin_sub_overflow(a.as_integer(), b.as_integer(), &out)) return too_large();
    return Value::integer(out);
  }
  if (a.is_number() && b.is_number()) return Value::real(a.as_real() - b.as_real());
  return no_operation("subtract", a, b);
}

// Division rounds down and the remainder has the divisor's sign, as in Python.
Result<Value> divide(BinaryOperator op, const Value& a, const Value& b) {
  if (!a.is_number() || !b.is_number()) return no_operation("divide", a, b);
  if (b.as_real() == 0) return error(Code::invalid_argument, "division by zero");
  if (op == BinaryOperator::divide && a.is_integral() && b.is_integral())
    return Value::real(
        static_cast<double>(static_cast<long double>(a.as_integer()) / static_cast<long double>(b.as_integer())));
  if (op == BinaryOperator::divide) return Value::real(a.as_real() / b.as_real());
  if (a.is_integral() && b.is_integral()) {
    int64_t x = a.as_integer(), y = b.as_integer();
    if (y == -1)
      return op == BinaryOperator::modulo ? Result<Value>(Value::integer(0)) : subtract(Value::integer(0), a);
    int64_t remainder = x % y, quotient = x / y;
    if (remainder != 0 && (remainder < 0) != (y < 0)) {
      remainder += y;
      --quotient;
    }
    return Value::integer(op == BinaryOperator::modulo ? remainder : quotient);
  }
  // By the remainder, which is exact, as CPython does.
  const double x = a.as_real(), y = b.as_real();
  double remainder = std::fmod(x, y);
  double quotient = (x - remainder) / y;
  if (remainder != 0 && (remainder < 0) != (y < 0)) {
    remainder += y;
    quotient -= 1;
  }
  if (op == BinaryOperator::modulo) return Value::real(remainder == 0 ? std::copysign(0.0, y) : remainder);
  if (quotient == 0) return Value::real(std::copysign(0.0, x / y));
  const double whole = std::floor(quotient);
  return Value::real(quotient - whole > 0.5 ? whole + 1 : whole);
}

Result<Value> power(const Value& a, const Value& b) {
  if (!a.is_number() || !b.is_number()) return no_operation("raise", a, b);
  if (a.as_real() == 0 && b.as_real() < 0) return error(Code::invalid_argument, "zero to a negative power");
  if (!a.is_integral() || !b.is_integral() || b.as_integer() < 0)
    return Value::real(std::pow(a.as_real(), b.as_real()));
  int64_t out = 1, base = a.as_integer();
  for (int64_t exponent = b.as_integer(); exponent > 0; exponent >>= 1) {
    if ((exponent & 1) && __builtin_mul_overflow(out, base, &out)) return too_large();
    if (exponent > 1 && __builtin_mul_overflow(base, base, &base)) return too_large();
  }
  return Value::integer(out);
}

// "%s and %d" % (a, b), "%(x)s" % {"x": a}
Result<Value> format_percent(Interpreter& in, const Value& format, const Value& arguments) {
  Arguments given;
  if (arguments.is(Kind::tuple))
    given.positional = arguments.as_list().items;
  else
    given.positional.push_back(arguments);
  // What is neither a number nor a text nor a tuple need not be used.
  if (arguments.is(Kind::list) || arguments.is(Kind::undefined))
    if (format.as_string().find('%') == std::string::npos) given.positional.clear();
  const auto formatted = [&]() -> Result<Value> {
    const Text text = TRY(percent_format(in, format.as_text(), given, format.is_markup()));
    return TRY(in.runtime().string(text)).marked(format.is_markup());
  };
  if (!arguments.is(Kind::dict)) return formatted();
  for (const auto& [key, value] : arguments.as_dict().items)
    if (key.is(Kind::string)) given.named.emplace_back(key.as_string(), value);
  // A dict need not be used, but may be, as a whole.
  if (format.as_string().find('%') == std::string::npos) given.positional.clear();
  return formatted();
}

// a ~ b ~ c: plain text, but inside {% autoescape %} markup as soon as one of them is.
Result<Value> concatenate(Interpreter& in, bool escapes, const Value& a, const Value& b) {
  Runtime& rt = in.runtime();
  if (!escapes || (!a.is_markup() && !b.is_markup()))
    return join_text(rt, TRY(to_text(rt, a)), TRY(to_text(rt, b)));
  return TRY(join_text(rt, TRY(markup_text(rt, a)), TRY(markup_text(rt, b)))).marked();
}

Result<Value> binary(Interpreter& in, BinaryOperator op, bool escapes, const Value& a, const Value& b) {
  Runtime& rt = in.runtime();
  TRY(rt.step());
  switch (op) {
    case BinaryOperator::add:
      return add(rt, a, b);
    case BinaryOperator::subtract:
      return subtract(a, b);
    case BinaryOperator::multiply:
      return multiply(rt, a, b);
    case BinaryOperator::modulo:
      if (a.is(Kind::string)) return format_percent(in, a, b);
      return divide(op, a, b);
    case BinaryOperator::divide:
    case BinaryOperator::floor_divide:
      return divide(op, a, b);
    case BinaryOperator::power:
      return power(a, b);
    case BinaryOperator::concatenate:
      return concatenate(in, escapes, a, b);
  }
  return error(Code::internal, "no such operator");
}

Result<bool> holds(Runtime& rt, Comparison comparison, const Value& a, const Value& b) {
  switch (comparison) {
    case Comparison::equal:
      return equals(rt, a, b);
    case Comparison::not_equal:
      return !TRY(equals(rt, a, b));
    case Comparison::in:
      return contains(rt, b, a);
    case Comparison::not_in:
      return !TRY(contains(rt, b, a));
    case Comparison::less:
      return TRY(compare(rt, a, b)) < 0;
    case Comparison::less_equal:
      return TRY(compare(rt, a, b)) <= 0;
    case Comparison::greater:
      return TRY(compare(rt, a, b)) > 0;
    case Comparison::greater_equal:
      return TRY(compare(rt, a, b)) >= 0;
  }
  return false;
}

struct SliceRange {
  int64_t begin, end, step;
};

Result<std::optional<int64_t>> slice_bound(Interpreter& in, const ExpressionPtr& expression) {
  if (!expression) return std::optional<int64_t>();
  Value value = TRY(expression->evaluate(in));
  if (value.is(Kind::none)) return std::optional<int64_t>();
  if (!value.is_integral())
    return error(Code::invalid_argument, "a slice needs integers, got {}", kind_name(value.kind()));
  return std::optional<int64_t>(value.as_integer());
}

// Python's rules: negative counts from the end, everything is clamped.
SliceRange clamp(std::optional<int64_t> begin, std::optional<int64_t> end, int64_t step, int64_t n) {
  auto place = [&](int64_t i) {
    return std::clamp<int64_t>(i < 0 ? (i < -n ? -1 : i + n) : i, step > 0 ? 0 : -1, step > 0 ? n : n - 1);
  };
  return {begin ? place(*begin) : (step > 0 ? 0 : n - 1), end ? place(*end) : (step > 0 ? n : -1), step};
}

}  // namespace

Result<Value> concatenated(Runtime& rt, const Value& a, const Value& b) {
  if (!a.is_markup() && !b.is_markup()) return join_text(rt, a.as_text(), b.as_text());
  return TRY(join_text(rt, TRY(markup_text(rt, a)), TRY(markup_text(rt, b)))).marked();
}

Result<Value> Constant::evaluate(Interpreter&) const {
  return value_;
}
Result<Value> Name::evaluate(Interpreter& in) const {
  TRY(in.runtime().step());
  return in.variable(name_);
}

Result<Value> ListDisplay::evaluate(Interpreter& in) const {
  auto depth = TRY(in.runtime().enter());
  std::vector<Value> items;
  for (const auto& each : items_) items.push_back(TRY(each->evaluate(in)));
  return in.runtime().list(std::move(items), is_tuple_);
}

Result<Value> DictDisplay::evaluate(Interpreter& in) const {
  auto depth = TRY(in.runtime().enter());
  Dict out;
  for (const auto& [key, value] : items_) {
    Value k = TRY(key->evaluate(in));
    if (!is_key(k)) return error(Code::invalid_argument, "{} cannot be a key", kind_name(k.kind()));
    out.set(k, TRY(value->evaluate(in)));
  }
  return in.runtime().dict(std::move(out));
}

Result<Value> BinaryChain::evaluate(Interpreter& in) const {
  auto depth = TRY(in.runtime().enter());
  Value out = TRY(first_->evaluate(in));
  for (const auto& [op, operand] : rest_) out = TRY(binary(in, op, escapes_, out, TRY(operand->evaluate(in))));
  return out;
}

Result<Value> ComparisonChain::evaluate(Interpreter& in) const {
  auto depth = TRY(in.runtime().enter());
  Value left = TRY(first_->evaluate(in));
  for (const auto& [comparison, operand] : rest_) {
    Value right = TRY(operand->evaluate(in));
    if (!TRY(holds(in.runtime(), comparison, left, right))) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

Result<Value> Logic::evaluate(Interpreter& in) const {
  auto depth = TRY(in.runtime().enter());
  Value out;
  for (const auto& operand : operands_) {
    out = TRY(operand->evaluate(in));
    if (truth(out) != is_and_) break;
  }
  return out;
}

Result<Value> Not::evaluate(Interpreter& in) const {
  auto depth = TRY(in.runtime().enter());
  return Value::boolean(!truth(TRY(operand_->evaluate(in))));
}

Result<Value> Negate::evaluate(Interpreter& in) const {
  auto depth = TRY(in.runtime().enter());
  Value v = TRY(operand_->evaluate(in));
  if (!v.is_number()) return error(Code::invalid_argument, "{} has no sign", kind_name(v.kind()));
  if (!negative_) return v.is(Kind::boolean) ? Value::integer(v.as_integer()) : v;
  if (v.is(Kind::real)) return Value::real(-v.as_real());
  return subtract(Value::integer(0), v);
}

Result<Value> Conditional::evaluate(Interpreter& in) const {
  auto depth = TRY(in.runtime().enter());
  if (truth(TRY(condition_->evaluate(in)))) return then_->evaluate(in);
  if (otherwise_) return otherwise_->evaluate(in);
  return in.runtime().undefined("a condition without else");
}

Result<Value> Chain::evaluate(Interpreter& in) const {
  auto depth = TRY(in.runtime().enter());
  Value out = TRY(base_->evaluate(in));
  for (const auto& suffix : suffixes_) out = TRY(suffix->apply(in, out));
  return out;
}

Result<Value> AttributeSuffix::apply(Interpreter& in, const Value& base) const {
  return in.attribute(base, name_);
}
Result<Value> ItemSuffix::apply(Interpreter& in, const Value& base) const {
  return in.item(base, TRY(key_->evaluate(in)));
}
Result<Value> CallSuffix::apply(Interpreter& in, const Value& base) const {
  return in.call(base, TRY(in.evaluate(arguments_)));
}
Result<Value> FilterSuffix::apply(Interpreter& in, const Value& base) const {
  return in.filter(filter_.name, base, TRY(in.evaluate(filter_.arguments)));
}
Result<Value> TestSuffix::apply(Interpreter& in, const Value& base) const {
  return Value::boolean(TRY(in.test(name_, base, TRY(in.evaluate(arguments_)))) != negated_);
}

// A slice of a range is a range.
static Result<Range> part_of(const Range& whole, const SliceRange& slice) {
  auto at = [&](int64_t i) { return static_cast<__int128>(whole.begin) + static_cast<__int128>(i) * whole.step; };
  const __int128 begin = at(slice.begin), end = at(slice.end), step = static_cast<__int128>(whole.step) * slice.step;
  for (__int128 number : {begin, end, step})
    if (number < INT64_MIN || number > INT64_MAX) return too_large();
  return Range{static_cast<int64_t>(begin), static_cast<int64_t>(end), static_cast<int64_t>(step)};
}

Result<Value> SliceSuffix::apply(Interpreter& in, const Value& base) const {
  Runtime& rt = in.runtime();
  if ((!base.is_list() || base.is_view()) && !base.is(Kind::string))
    return error(Code::invalid_argument, "{} cannot be sliced",
                 base.is(Kind::undefined) ? "\"" + base.undefined_name() + "\" (undefined)"
                                          : std::string(kind_name(base.kind())));
  auto begin = TRY(slice_bound(in, begin_)), end = TRY(slice_bound(in, end_)), step = TRY(slice_bound(in, step_));
  if (step == 0) return error(Code::invalid_argument, "a slice's step must not be zero");
  int64_t n = TRY(length_of(base));
  // Steps beyond the length pick one item, however large they are.
  SliceRange range = clamp(begin, end, std::clamp<int64_t>(step.value_or(1), -n - 1, n + 1), n);
  if (base.is(Kind::string) && range.step == 1) {
    TRY(rt.step(base.as_string().size()));
    const std::string_view part =
        characters(base.as_string(), range.begin, std::max(range.begin, range.end));
    return TRY(rt.string(base.as_text().part(part))).marked(base.is_markup());
  }
  std::vector<Value> all = TRY(items_of(rt, base)), picked;
  for (int64_t i = range.begin; range.step > 0 ? i < range.end : i > range.end; i += range.step)
    picked.push_back(all[static_cast<size_t>(i)]);
  if (base.is_range()) {
    range.step = step.value_or(1);  // as it was written: that is what is printed
    return rt.range(std::move(picked), TRY(part_of(*base.as_list().range, range)));
  }
  if (base.is_list()) return rt.list(std::move(picked), base.is(Kind::tuple));
  Text text;
  for (const auto& c : picked) text.append(c.as_text());
  return TRY(rt.string(std::move(text))).marked(base.is_markup());
}

}  // namespace hearth::jinja
