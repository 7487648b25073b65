// Where packs come from. Today: folders and mounted sticks. Registries on the network come later and say so.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"

namespace hearth::store {

// The OCI image layouts of a source: the folder itself, or folders one level below it, by name. Links are not followed.
// A URL or registry reference is Code::unimplemented.
Result<std::vector<std::filesystem::path>> find_layouts(const std::filesystem::path& source);

}  // namespace hearth::store
