// See find_model.h.
#include "trainer/find_model.h"

#include "model_store/store.h"

namespace hearth::train {

Result<std::filesystem::path> find_model(const Recipe& recipe, const std::filesystem::path& state_dir) {
  if (recipe.model.init.empty()) return std::filesystem::path();
  std::error_code ec;
  if (recipe.model.init.find('/') != std::string::npos || recipe.model.init.ends_with(".gguf")) {
    if (std::filesystem::exists(recipe.model.init, ec)) return std::filesystem::path(recipe.model.init);
    return error(Code::not_found, "model.init: there is no {}", recipe.model.init);
  }
  const store::Store store = TRY(store::Store::open(state_dir, store::Mode::read_only));
  return TRY_WITH(store.loader_path(recipe.model.init), "while looking for model.init = \"{}\" in the store of {}", recipe.model.init, state_dir.string());
}

}  // namespace hearth::train
