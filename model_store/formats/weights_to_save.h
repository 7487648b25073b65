// What both writers of whole models check and gather first.
#pragma once

#include <optional>
#include <vector>

#include "model_store/formats/save.h"

namespace hearth {

// The family's table, when every weight is there in the right shape.
Result<std::vector<ParameterSpec>> parameters_to_save(const ModelToSave& model);
// Tokenizer and template of model.tokenizer_from, if one is named.
Result<std::optional<LoadedModel>> text_side_to_save(const ModelToSave& model);
std::vector<int64_t> dimensions(const Shape& shape);

}  // namespace hearth
