// Whether the service can see a path that a person named, and if not, what to do instead. The answer is the same for
// what is not there and for what may not be seen: nobody learns from it what lies in a closed folder.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace hearth {

enum class Wanted { anything, folder };

Result<void> check_visible(const std::filesystem::path& path, Wanted wanted = Wanted::anything);

}  // namespace hearth
