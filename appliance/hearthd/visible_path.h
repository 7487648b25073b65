// Whether the service can see a path that a person named, and if not, why and what to do instead.
#pragma once

#include <filesystem>
#include <system_error>

#include "base/result.h"

namespace hearth {

Result<void> check_visible(const std::filesystem::path& path);
// What check_visible says when looking at `path` failed so.
Error cannot_see(const std::filesystem::path& path, const std::error_code& failed);

}  // namespace hearth
