// Addresses in a text become links, as jinja2.utils.urlize finds them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth::jinja {

struct LinkOptions {
  std::optional<int64_t> shown_characters;  // of an address
  std::string rel, target;
  std::vector<std::string> schemes;  // further ones: "tel:"
};
// `text` is escaped already.
Result<std::string> with_links(std::string_view text, const LinkOptions& options);

}  // namespace hearth::jinja
