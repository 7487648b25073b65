// Which model a person means: by its safe name, else by its name for people, in any script and in either form of
// Unicode, with case as it is written.
#pragma once

#include <string_view>
#include <vector>

#include "model_store/store.h"

namespace hearth::store {

// not_found; invalid_argument where several are called so, which are named. A pointer into `models`.
Result<const ModelRecord*> model_called(const std::vector<ModelRecord>& models, std::string_view given);

}  // namespace hearth::store
