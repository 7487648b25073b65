// Global functions that are made elsewhere than the table of them (globals.cpp).
#pragma once

#include "model_store/templates/value.h"

namespace hearth::jinja {

Result<Value> make_cycler(Interpreter& in, const Value& self, Arguments& arguments);
Result<Value> make_joiner(Interpreter& in, const Value& self, Arguments& arguments);
Result<Value> make_self(Interpreter& in);  // what the name `self` stands for

}  // namespace hearth::jinja
