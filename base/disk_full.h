// Errors of a disk without room, known without reading their words.
#pragma once

#include <filesystem>

#include "base/phrase.h"
#include "base/result.h"

namespace hearth {

// `folder`: on the disk that is full; empty where that is not known.
Error as_disk_full(Error error, const std::filesystem::path& folder = {});
bool is_disk_full(const Error& error);
// "disk_full_at" with the folder, or "disk_full". Of an error that is one.
Phrase disk_full_cause(const Error& error);

}  // namespace hearth
