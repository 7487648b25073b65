// Updates of roles as updates of the tensors that a kind of file has, where a role may be some rows of one, in another
// order. What both writers of adapters share.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model_store/formats/adapters/adapter.h"

namespace hearth {

struct StoredUpdate {
  std::string name;  // of the tensor
  int n_roles = 0;   // that are rows of it
  float scale = 1;   // of all of it
  Tensor a, b;       // [rank, in], [out, rank], f32, ranks of all roles one after the other
};

// In the order of the table. unimplemented for what such files cannot hold: stacked experts, magnitudes.
Result<std::vector<StoredUpdate>> stored_updates(const std::vector<ParameterSpec>& specs,
                                                 Storage ParameterSpec::*storage,
                                                 const std::map<std::string, LowRankUpdate, std::less<>>& updates);

}  // namespace hearth
