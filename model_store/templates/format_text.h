// Python's two ways to put values into a text: "%s: %d" % (a, b) and "{}: {x:>5}".format(a, x=b).
#pragma once

#include "model_store/templates/interpreter.h"

namespace hearth::jinja {

// `values`: positional ones in order; named ones for %(name)s. Every positional value must be used.
// `escapes`: the pattern is markup, so what goes into it is escaped.
Result<Text> percent_format(Interpreter& in, const Text& pattern, const Arguments& values, bool escapes);
Result<Text> brace_format(Interpreter& in, const Text& pattern, const Arguments& values, bool escapes);

}  // namespace hearth::jinja
