// Media that hold packs: found by looking below the folders where sticks are mounted, and described in the API's types.
// Nothing here mounts, formats or writes to a medium.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "appliance/api/types.h"
#include "model_store/store.h"

namespace hearth {

// $HEARTH_MEDIA_ROOTS (separated by colons), else /media, /run/media and /mnt.
std::vector<std::filesystem::path> media_roots();
bool is_below(const std::filesystem::path& folder, const std::vector<std::filesystem::path>& roots);
std::vector<std::filesystem::path> find_media(const std::vector<std::filesystem::path>& roots);
// What tells one state of a medium from another without reading packs.
std::string fingerprint_of(const std::filesystem::path& medium);

// The packs in any folder; it counts as removable below one of the roots.
Result<api::PackSource> look_for_packs(const store::Store& store, const std::string& path,
                                       const std::vector<std::filesystem::path>& roots);
std::vector<api::PackSource> packs_on_media(const store::Store& store, const std::vector<std::filesystem::path>& roots);

}  // namespace hearth
