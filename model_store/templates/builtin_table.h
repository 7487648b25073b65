// A table from names to built-in functions, searched by name.
#pragma once

#include <algorithm>
#include <string_view>
#include <utility>

#include "model_store/templates/value.h"

namespace hearth::jinja {

struct BuiltinEntry {
  std::string_view name;
  Builtin function;
};

template <size_t n>
const Builtin* find_in(const BuiltinEntry (&table)[n], std::string_view name) {
  for (const auto& entry : table)
    if (entry.name == name) return &entry.function;
  return nullptr;
}

}  // namespace hearth::jinja
