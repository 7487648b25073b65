#include "model_store/origin.h"

namespace hearth::store {

std::string in_words(const Origin& origin) {
  if (origin.kind == "bundled") return "bundled";
  if (origin.kind == "pack") return "pack from " + origin.from;
  if (origin.kind == "import") return "import of " + origin.from;
  if (origin.kind == "training") return "training job " + origin.from;
  if (origin.kind == "recovered") return "recovered: the catalog was lost";
  return origin.from;
}

}  // namespace hearth::store
