// Under which name a model enters the catalog, and what it takes the place of. A pack is known by its publisher and its
// name for people: only those two together make it an update.
#pragma once

#include "model_store/catalog.h"

namespace hearth::store {

struct Placement {
  std::string name;
  std::optional<ModelRecord> replaces;
  bool is_here = false;  // the same content is installed already: there is nothing to do
};

// Of one publisher's model: the same files of the same version, whatever else their documents say.
bool is_same_content(const ModelRecord& installed, const ModelRecord& pack);

// already_exists or failed_precondition: why not, and what to do.
Result<Placement> place_pack(const Catalog& catalog, const ModelRecord& pack, const InstallOptions& options);

// Of a model that is imported; `is_asked`: a person chose this very name. A row with the same content is taken again.
Result<std::string> place_import(const Catalog& catalog, const ModelRecord& model, bool is_asked, bool number_if_taken);

// "base-2": for a name that is taken.
std::string numbered_name(const std::string& base, int i);

}  // namespace hearth::store
