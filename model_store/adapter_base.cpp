#include "model_store/adapter_base.h"

#include <algorithm>

#include "model_store/called.h"
#include "model_store/formats/adapters/adapter.h"
#include "model_store/model_names.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {

// The last part of what is often a path or "owner/name".
std::string last_of_name(std::string name) {
  while (name.ends_with('/')) name.pop_back();
  return name.substr(name.rfind('/') + 1);  // npos + 1 is 0
}

const ModelRecord* imported_from(const std::vector<ModelRecord>& models, const std::string& path) {
  std::error_code ec;
  const fs::path wanted = fs::weakly_canonical(path, ec);
  auto it = std::find_if(models.begin(), models.end(), [&](const ModelRecord& model) {
    std::error_code failed;
    return model.origin.kind == "import" && fs::weakly_canonical(model.origin.from, failed) == wanted;
  });
  return it == models.end() ? nullptr : &*it;
}

Error base_not_here(const std::string& what, const std::vector<ModelRecord>& models) {
  std::string names;
  for (const ModelRecord& model : models) names += (names.empty() ? "" : ", ") + model.name;
  return error(Code::failed_precondition,
               "{}; import its base model first, or say which of the models here it is (--base NAME); there are: {}",
               what, names.empty() ? "none" : names);
}

// The adapter's name for its base is that of several; a person says which, as where there is none.
Error is_unclear(const std::string& name, const Error& several) {
  return error(Code::failed_precondition, "the adapter belongs to \"{}\", and {} (--base NAME)", name.substr(0, 200),
               several.message);
}

}  // namespace

Result<ModelRecord> find_base(const fs::path& adapter, const std::optional<std::string>& asked,
                              std::vector<ModelRecord> models) {
  std::erase_if(models, [](const ModelRecord& model) { return model.kind != "model"; });
  if (asked) {
    auto model = model_called(models, *asked);
    if (model) return **model;
    if (model.error().code != Code::not_found) return std::move(model).error();
    return base_not_here(fmt::format("there is no model named \"{}\" in the store that an adapter could belong to",
                                     asked->substr(0, 80)),
                         models);
  }
  const std::string name = TRY(base_model_in(adapter));
  if (name.empty()) return base_not_here("the adapter does not say which base model it belongs to", models);
  std::optional<Error> unclear;
  for (const std::string& spelling : {last_of_name(name), make_model_name(last_of_name(name))}) {
    auto model = model_called(models, spelling);
    if (model) return **model;
    if (model.error().code != Code::not_found) unclear = std::move(model).error();
  }
  if (const ModelRecord* model = imported_from(models, name)) return *model;
  if (unclear) return is_unclear(name, *unclear);
  return base_not_here(fmt::format("the adapter belongs to \"{}\", which is not in the store", name.substr(0, 200)),
                       models);
}

void take_from_base(ModelRecord& adapter, const ModelRecord& base) {
  adapter.family = base.family;
  adapter.max_seq_len = base.max_seq_len;
  adapter.has_chat_template = base.has_chat_template;
}

}  // namespace hearth::store
