// JSON as Python's library writes it: also NaN, Infinity and -Infinity, each of which becomes {"__float__": "NaN"}.
// The readers of configuration (model_store/formats/config_json.h) know these.
#pragma once

#include "base/json.h"

namespace hearth {

Result<Json> parse_python_json(std::string_view text, int max_depth = 64);

}  // namespace hearth
