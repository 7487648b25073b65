#include "model_store/called.h"

#include <algorithm>

#include "model_store/model_names.h"

namespace hearth::store {
namespace {

constexpr size_t kShownName = 80;

std::vector<const ModelRecord*> with_display_name(const std::vector<ModelRecord>& models, std::string_view given) {
  std::vector<const ModelRecord*> out;
  const std::string wanted = display_name_of(given);
  for (const ModelRecord& model : models)
    if (!wanted.empty() && same_display_name(model.display_name, wanted)) out.push_back(&model);
  return out;
}

Error several(const std::vector<const ModelRecord*>& found, const std::string& given) {
  std::string names;
  for (const ModelRecord* model : found) names += (names.empty() ? "" : ", ") + model->name;
  return error(Code::invalid_argument, "{} models here are called \"{}\": {}; say which by one of these names",
               found.size(), given, names);
}

}  // namespace

Result<const ModelRecord*> model_called(const std::vector<ModelRecord>& models, std::string_view given) {
  const auto named =
      std::find_if(models.begin(), models.end(), [&](const ModelRecord& model) { return model.name == given; });
  if (named != models.end()) return &*named;
  const std::vector<const ModelRecord*> found = with_display_name(models, given);
  if (found.size() == 1) return found[0];
  const std::string shown = display_name_of(given.substr(0, kShownName));
  if (found.size() > 1) return several(found, shown);
  return error(Code::not_found, "there is no model named \"{}\" in the store; `hearth models` lists them", shown);
}

}  // namespace hearth::store
