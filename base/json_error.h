// What a JSON parser's exception says, for people: without the library's own codes, and with the line only where the
// text has several.
#pragma once

#include <string>
#include <string_view>

namespace hearth {

// "line 3, column 8: syntax error ..."; "column 8: ..." when `text` is one line.
std::string readable_json_error(std::string_view what, std::string_view text);

}  // namespace hearth
