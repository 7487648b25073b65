// Tests: {% if value is test(arguments) %}.
#include <cmath>

#include "model_store/templates/builtin_table.h"
#include "model_store/templates/interpreter.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

template <Kind kind>
Result<Value> has_kind(Interpreter&, const Value& v, Arguments&) {
  return Value::boolean(v.is(kind));
}
template <bool wanted>
Result<Value> is_exactly(Interpreter&, const Value& v, Arguments&) {
  return Value::boolean(v.is(Kind::boolean) && v.as_bool() == wanted);
}

Result<Value> defined(Interpreter&, const Value& v, Arguments&) {
  return Value::boolean(!v.is(Kind::undefined));
}
Result<Value> number(Interpreter&, const Value& v, Arguments&) {
  return Value::boolean(v.is_number());
}
Result<Value> iterable(Interpreter&, const Value& v, Arguments&) {
  return Value::boolean(v.is(Kind::undefined) || v.is(Kind::generator) || v.is(Kind::string) || v.is_list() ||
                        v.is(Kind::dict));
}
Result<Value> sequence(Interpreter&, const Value& v, Arguments&) {
  return Value::boolean(v.is(Kind::undefined) || v.is(Kind::string) || (v.is_list() && !v.is_view()) ||
                        v.is(Kind::dict));
}

Result<Value> escaped(Interpreter&, const Value& v, Arguments&) {
  return Value::boolean(v.is_markup());
}
Result<Value> callable(Interpreter&, const Value& v, Arguments&) {
  const bool is_object = v.is(Kind::object) && v.as_object().is_callable();
  return Value::boolean(is_object || v.is(Kind::function) || v.is(Kind::undefined));  // as Jinja2's undefined is
}

template <int remainder>
Result<Value> parity(Interpreter&, const Value& v, Arguments&) {
  if (v.is(Kind::real)) return Value::boolean(std::fmod(std::abs(v.as_real()), 2) == remainder);
  if (!v.is_integral()) return error(Code::invalid_argument, "{} is neither odd nor even", kind_name(v.kind()));
  return Value::boolean((v.as_integer() & 1) == remainder);
}

Result<Value> divisible_by(Interpreter&, const Value& v, Arguments& arguments) {
  Value by = TRY(arguments.require("num"));
  if (v.is_number() && by.is_number() && (v.is(Kind::real) || by.is(Kind::real)) && by.as_real() != 0)
    return Value::boolean(std::fmod(v.as_real(), by.as_real()) == 0);
  if (!v.is_integral() || !by.is_integral() || by.as_integer() == 0)
    return error(Code::invalid_argument, "two integers are needed, the second not zero");
  return Value::boolean(by.as_integer() == -1 || v.as_integer() % by.as_integer() == 0);
}

Result<Value> equal(Interpreter& in, const Value& v, Arguments& arguments) {
  return Value::boolean(TRY(equals(in.runtime(), v, TRY(arguments.require("other")))));
}
Result<Value> not_equal(Interpreter& in, const Value& v, Arguments& arguments) {
  return Value::boolean(!TRY(equals(in.runtime(), v, TRY(arguments.require("other")))));
}
Result<Value> same_as(Interpreter& in, const Value& v, Arguments& arguments) {
  Value other = TRY(arguments.require("other"));
  if (v.kind() != other.kind()) return Value::boolean(false);
  if (v.is_list()) return Value::boolean(&v.as_list() == &other.as_list());
  if (v.is(Kind::dict)) return Value::boolean(&v.as_dict() == &other.as_dict());
  return Value::boolean(TRY(equals(in.runtime(), v, other)));
}
Result<Value> is_in(Interpreter& in, const Value& v, Arguments& arguments) {
  return Value::boolean(TRY(contains(in.runtime(), TRY(arguments.require("seq")), v)));
}
Result<Value> less(Interpreter& in, const Value& v, Arguments& arguments) {
  return Value::boolean(TRY(compare(in.runtime(), v, TRY(arguments.require("other")))) < 0);
}
Result<Value> less_equal(Interpreter& in, const Value& v, Arguments& arguments) {
  return Value::boolean(TRY(compare(in.runtime(), v, TRY(arguments.require("other")))) <= 0);
}
Result<Value> greater(Interpreter& in, const Value& v, Arguments& arguments) {
  return Value::boolean(TRY(compare(in.runtime(), v, TRY(arguments.require("other")))) > 0);
}
Result<Value> greater_equal(Interpreter& in, const Value& v, Arguments& arguments) {
  return Value::boolean(TRY(compare(in.runtime(), v, TRY(arguments.require("other")))) >= 0);
}

Result<Value> is_lower(Interpreter& in, const Value& v, Arguments&) {
  std::string text = TRY(to_text(in.runtime(), v));
  TRY(in.runtime().step(4 * text.size()));  // both cases are made of it
  return Value::boolean(text == to_lower(text) && text != to_upper(text));
}
Result<Value> is_upper(Interpreter& in, const Value& v, Arguments&) {
  std::string text = TRY(to_text(in.runtime(), v));
  TRY(in.runtime().step(4 * text.size()));  // both cases are made of it
  return Value::boolean(text == to_upper(text) && text != to_lower(text));
}
Result<Value> is_filter(Interpreter&, const Value& v, Arguments&) {
  if (v.is(Kind::list) || v.is(Kind::dict)) return error(Code::invalid_argument, "{} is no name", kind_name(v.kind()));
  return Value::boolean(v.is(Kind::string) && find_filter(v.as_string()));
}
Result<Value> is_test(Interpreter&, const Value& v, Arguments&) {
  if (v.is(Kind::list) || v.is(Kind::dict)) return error(Code::invalid_argument, "{} is no name", kind_name(v.kind()));
  return Value::boolean(v.is(Kind::string) && find_test(v.as_string()));
}

constexpr BuiltinEntry kTests[] = {
    {"!=", not_equal},
    {"<", less},
    {"<=", less_equal},
    {"==", equal},
    {">", greater},
    {">=", greater_equal},
    {"boolean", has_kind<Kind::boolean>},
    {"callable", callable},
    {"defined", defined},
    {"divisibleby", divisible_by},
    {"eq", equal},
    {"equalto", equal},
    {"escaped", escaped},
    {"even", parity<0>},
    {"false", is_exactly<false>},
    {"filter", is_filter},
    {"float", has_kind<Kind::real>},
    {"ge", greater_equal},
    {"greaterthan", greater},
    {"gt", greater},
    {"in", is_in},
    {"integer", has_kind<Kind::integer>},
    {"iterable", iterable},
    {"le", less_equal},
    {"lessthan", less},
    {"lower", is_lower},
    {"lt", less},
    {"mapping", has_kind<Kind::dict>},
    {"ne", not_equal},
    {"none", has_kind<Kind::none>},
    {"number", number},
    {"odd", parity<1>},
    {"sameas", same_as},
    {"sequence", sequence},
    {"string", has_kind<Kind::string>},
    {"test", is_test},
    {"true", is_exactly<true>},
    {"undefined", has_kind<Kind::undefined>},
    {"upper", is_upper},
};

}  // namespace

const Builtin* find_test(std::string_view name) {
  return find_in(kTests, name);
}

}  // namespace hearth::jinja
