// Tokens → syntax tree.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "model_store/templates/ast.h"

namespace hearth::jinja {

struct ParsedTemplate {
  Block body;
  std::map<std::string, const BlockTag*, std::less<>> blocks;  // parts of `body`, by name
};

// `constants_bytes` counts the strings that stand in the template and must outlive it.
Result<ParsedTemplate> parse_template(std::string_view source, int max_depth, size_t* constants_bytes);

}  // namespace hearth::jinja
