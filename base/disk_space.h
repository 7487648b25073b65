// Whether a disk has room. Part of it is kept free for the box itself, so that a large upload, model or training never
// leaves the service without the space to say so.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"

namespace hearth {

// resource_exhausted when needed_bytes and the reserve do not fit on the filesystem of `folder`.
Result<void> check_disk_space(const std::filesystem::path& folder, uint64_t needed_bytes);

}  // namespace hearth
