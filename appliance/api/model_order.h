// How models are listed: each adapter below the model that it belongs to.
#pragma once

#include <algorithm>
#include <vector>

namespace hearth::api {

// Model: api::Model, or a record of the store, which name these facts alike.
template <class Model>
std::vector<Model> by_base(const std::vector<Model>& models) {
  std::vector<Model> out;
  auto add = [&](const Model& model) {
    if (std::none_of(out.begin(), out.end(), [&](const Model& m) { return m.name == model.name; }))
      out.push_back(model);
  };
  for (const Model& base : models) {
    if (base.kind == "adapter") continue;
    add(base);
    for (const Model& adapter : models)
      if (adapter.kind == "adapter" && adapter.parent == base.name) add(adapter);
  }
  for (const Model& adapter : models) add(adapter);  // whose base is not here
  return out;
}

}  // namespace hearth::api
