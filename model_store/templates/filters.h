// What the filters share.
#pragma once

#include "model_store/templates/builtin_table.h"
#include "model_store/templates/interpreter.h"

namespace hearth::jinja {

inline Result<Text> text_of(Interpreter& in, const Value& v) {
  return to_text(in.runtime(), v);
}
// a + b of two strings: where one is markup, the other is escaped.
Result<Value> concatenated(Runtime& rt, const Value& a, const Value& b);
// "a.b.0" through attributes and items, as map(attribute=...) takes it.
Result<Value> path_of(Interpreter& in, Value value, const Value& path);

const Builtin* find_text_filter(std::string_view name);
const Builtin* find_sequence_filter(std::string_view name);
const Builtin* find_page_filter(std::string_view name);

}  // namespace hearth::jinja
