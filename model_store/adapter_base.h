// The base model of an adapter, among the models of the store.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model_store/store.h"

namespace hearth::store {

// `asked`: what a person called it; else the model that the adapter names: by the last part of it, or by the path
// that the model was imported from. failed_precondition, with the next step, when it is not in the store.
Result<ModelRecord> find_base(const std::filesystem::path& adapter, const std::optional<std::string>& asked,
                              std::vector<ModelRecord> models);

// What an adapter has from its base: family, context and chat template.
void take_from_base(ModelRecord& adapter, const ModelRecord& base);

}  // namespace hearth::store
