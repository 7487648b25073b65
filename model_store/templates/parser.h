// Tokens → syntax tree.
#pragma once

#include <memory>
#include <string_view>

#include "model_store/templates/ast.h"

namespace hearth::jinja {

struct ParsedTemplate {
  Block body;
};

// `constants_bytes` counts the strings that stand in the template and must outlive it.
Result<ParsedTemplate> parse_template(std::string_view source, int max_depth, size_t* constants_bytes);

}  // namespace hearth::jinja
