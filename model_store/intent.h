// Which blobs the change under way may leave without an owner: written durably before the change, removed after it.
// A writer that finds one at its start cleans up after its killed predecessor, and deletes nothing else: blobs that a
// restored, older catalog does not know are the user's models.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "base/result.h"

namespace hearth::store {

using DigestSet = std::set<std::string>;  // of "sha256:<hex>"

Result<void> write_intent(const std::filesystem::path& state_dir, const DigestSet& digests);
Result<DigestSet> read_intent(const std::filesystem::path& state_dir);  // empty when there is none
Result<void> clear_intent(const std::filesystem::path& state_dir);

}  // namespace hearth::store
