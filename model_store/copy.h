// Copying with hashing: what is hashed is exactly what is written, so a source that changes while it is read cannot
// smuggle anything past its digest.
#pragma once

#include <filesystem>

#include "base/files.h"
#include "model_store/digest.h"
#include "model_store/meter.h"

namespace hearth::store {

// Opens a regular file and nothing else: a FIFO or device is refused instead of waited for. `at` may be AT_FDCWD.
// follow_links: whether the last part may be a symbolic link.
Result<Fd> open_regular(int at, const std::filesystem::path& path, bool follow_links);
Result<uint64_t> size_of(const Fd& fd, const std::filesystem::path& path_for_errors);

// Exactly size_bytes from `in` to the file `out`; data_loss when `in` is shorter or longer. What `out` holds already is
// compared with `in` and written only from the first difference on.
Result<Digest> copy_and_hash(const Fd& in, const std::filesystem::path& from, const Fd& out,
                             const std::filesystem::path& to, uint64_t size_bytes, Meter& meter);
// As above without the copy.
Result<Digest> hash_exactly(const Fd& in, const std::filesystem::path& from, uint64_t size_bytes, Meter& meter);

}  // namespace hearth::store
