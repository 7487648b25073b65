// The characters that HTML's entities stand for: numbers, and the names of Latin-1. Other names are refused: there are
// two thousand of them.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth::jinja {

// As html.unescape of Python.
Result<std::string> unescape_html(std::string_view text);

}  // namespace hearth::jinja
