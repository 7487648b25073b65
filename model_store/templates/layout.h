// Text laid out as Python's libraries do it: textwrap.wrap and pprint.pformat.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model_store/templates/value.h"

namespace hearth::jinja {

struct WrapOptions {
  int64_t width = 79;
  bool break_long_words = true, break_on_hyphens = true;
};
// One paragraph as lines of at most that many characters, blanks at their ends dropped.
Result<std::vector<std::string>> wrap_text(std::string_view text, const WrapOptions& options);

// 80 columns, an indent of 1, keys sorted.
Result<std::string> pretty_text(Runtime& rt, const Value& value);

}  // namespace hearth::jinja
