// Whether a model fits into this box's memory: inference's estimate, in the API's type.
#pragma once

#include "appliance/api/types.h"
#include "model_store/store.h"

namespace hearth {

Result<api::Fit> predict_fit(const store::ModelRecord& model, const std::filesystem::path& path,
                             double memory_read_bytes_per_s);

}  // namespace hearth
