// When hearth.db is gone but the blobs are not: the models are found again by their manifests, which are blobs too.
#pragma once

#include "model_store/catalog.h"

namespace hearth::store {

// Every model whose manifest, configuration and files are all there (by size; `hearth verify` reads them). What the
// catalog alone knew is lost: the source, the time, a name given at installation.
Result<std::vector<CatalogEntry>> recover_entries(const std::filesystem::path& state_dir);

}  // namespace hearth::store
