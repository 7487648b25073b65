// Which files a recipe's model.init means: a path, or a name in the box's store.
#pragma once

#include <filesystem>

#include "trainer/recipe.h"

namespace hearth::train {

// A Hugging Face folder or a .gguf; empty for a model from scratch. not_found says where was looked.
Result<std::filesystem::path> find_model(const Recipe& recipe, const std::filesystem::path& state_dir);

}  // namespace hearth::train
