// What the methods of strings and containers share.
#pragma once

#include "model_store/templates/builtin_table.h"
#include "model_store/templates/interpreter.h"

namespace hearth::jinja {

// What a method of markup gives is markup, also in a list.
inline Value as_markup(const Value& out) {
  if (out.is(Kind::list) || out.is(Kind::tuple))
    for (Value& item : out.as_list().items) item = item.marked();
  return out.marked();
}

// Every method checks its arguments to the end.
template <Builtin method>
Result<Value> checked(Interpreter& in, const Value& self, Arguments& arguments) {
  TRY(in.runtime().step(text_bytes(self) + text_bytes(arguments)));
  Value out = TRY(method(in, self, arguments));
  TRY(arguments.finish());
  return self.is_markup() ? as_markup(out) : out;
}

const Builtin* find_text_method(std::string_view name);
const Builtin* find_form_method(std::string_view name);

}  // namespace hearth::jinja
