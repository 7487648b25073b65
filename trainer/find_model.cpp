// See find_model.h.
#include "trainer/find_model.h"

#include "model_store/store.h"

namespace hearth::train {

Result<std::filesystem::path> find_model(const Recipe& recipe, const std::filesystem::path& state_dir) {
  if (recipe.model.init.empty()) return std::filesystem::path();
  const std::string& init = recipe.model.init;
  std::error_code ec;
  const bool looks_like_path = init.find('/') != std::string::npos || init.ends_with(".gguf");
  if (looks_like_path && std::filesystem::exists(init, ec)) return std::filesystem::path(init);
  const store::Store store = TRY(store::Store::open(state_dir, store::Mode::read_only));
  auto name = store.resolve(init);
  if (!name && name.error().code == Code::not_found && looks_like_path)
    return error(Code::not_found, "model.init: there is no {}", init);
  return TRY_WITH(store.loader_path(TRY(std::move(name))), "while looking for model.init = \"{}\" in the store of {}",
                  init, state_dir.string());
}

}  // namespace hearth::train
