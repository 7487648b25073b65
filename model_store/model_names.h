// A model has two names: one for people, in any script, and a safe one that goes into addresses, socket paths and tags.
// The safe one may lose what the other says, so it identifies nothing on its own: a pack is known by its publisher and
// its name for people, and of two models whose safe names would meet the second gets another (catalog's business).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth::store {

// A safe name is part of socket paths, URLs and tags: [A-Za-z0-9][A-Za-z0-9._-]*, at most 64 bytes, not ending in a dot
// or in what would be taken for a file or a signature.
Result<void> check_model_name(std::string_view name);

// One line for people: composed (NFC), without control characters and marks that turn the direction of writing, at most
// 200 bytes. "" when nothing is left.
std::string display_name_of(std::string_view text);
// Whether two names for people are one name: case counts, invisible characters do not.
bool same_display_name(std::string_view a, std::string_view b);

// The nearest safe name to any text; "model" when nothing is left. Other scripts are written in Latin letters, and what
// was lost (or too long) is told by eight digits of its hash.
std::string make_model_name(std::string_view text);
// A safe name for a text whose nearest one is taken. `salt` tells equal texts apart.
std::string make_distinct_model_name(std::string_view text, std::string_view salt);

// The safe name for what a person asked for: their own text where it is one already, a made one for other scripts.
// invalid_argument: ASCII that cannot be a name, since who types that meant something else.
Result<std::string> requested_model_name(std::string_view text);

}  // namespace hearth::store
