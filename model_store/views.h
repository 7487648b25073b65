// Folder views: a model's blobs under their own names, as relative links, so that loaders open an ordinary folder.
// Disposable: a view that is missing or incomplete is built again, by readers too.
#pragma once

#include <filesystem>
#include <functional>

#include "model_store/blobs.h"
#include "model_store/store.h"

namespace hearth::store {

// Links every file to where(digest) in `folder`, which must exist.
Result<void> link_files(const std::filesystem::path& folder, const std::vector<ModelFile>& files,
                        const std::function<std::filesystem::path(const Digest&)>& where);

// The finished view of a model below <state>/prepared/views. data_loss when one of its blobs is missing.
Result<std::filesystem::path> view_of(const std::filesystem::path& state_dir, const ModelRecord& record);
// Removes views whose manifest hex is not in `keep`. Failures are left for the next time: views are disposable.
void drop_other_views(const std::filesystem::path& state_dir, const std::vector<std::string>& keep);

}  // namespace hearth::store
