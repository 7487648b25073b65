// Presets: recipes for people who do not want to write one. The values follow the size of the model and of the data.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "trainer/recipe.h"

namespace hearth::train {

struct Preset {
  std::string id, title, description;  // quick | balanced | thorough
};
std::span<const Preset> all_presets();

// What presets look at. Zero: not known yet; middle values are used.
struct PresetInput {
  uint64_t n_params = 0;
  int max_seq_len = 0;      // of the model
  uint64_t data_bytes = 0;
  int64_t n_examples = 0;
};

// A recipe without paths: the caller sets model.init, data.path and output.folder. not_found names the presets.
Result<Recipe> preset_recipe(std::string_view id, const PresetInput& input);

}  // namespace hearth::train
