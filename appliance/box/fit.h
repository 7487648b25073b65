// Whether a model fits into this box's memory: inference's estimate, in the API's type.
#pragma once

#include "appliance/api/types.h"
#include "model_store/store.h"

namespace hearth {

struct FitQuestion {
  int max_seq_len = 0;           // 0: the model's own, shortened to fit
  uint64_t available_bytes = 0;  // memory that this model may use
  double memory_read_bytes_per_s = 0;
};

// `path`: as of Store::loader_path. Only heads of files are read.
Result<api::Fit> predict_fit(const store::ModelRecord& model, const std::filesystem::path& path,
                             const FitQuestion& question);

}  // namespace hearth
