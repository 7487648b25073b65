// The store's records as JSON documents, for verbs that open the store themselves.
#pragma once

#include "base/json.h"
#include "model_store/store.h"

namespace hearth::cli {

Json record_json(const store::ModelRecord& model);
Json pack_json(const store::PackSummary& pack);

}  // namespace hearth::cli
