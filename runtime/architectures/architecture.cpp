// The registry of families.
#include "runtime/architectures/architecture.h"

#include "runtime/architectures/families.h"

namespace hearth {

std::span<const Architecture* const> all_architectures() {
  static const Architecture* const all[] = {&llama()};
  return all;
}

Result<const Architecture*> find_architecture(std::string_view name) {
  std::string known;
  for (const Architecture* a : all_architectures()) {
    if (name == a->family() || name == a->hf_architecture() || name == a->gguf_architecture()) return a;
    known += (known.empty() ? "" : ", ") + std::string(a->hf_architecture());
  }
  return error(Code::unimplemented, "the model family \"{}\" is not supported yet; supported: {}", name, known);
}

}  // namespace hearth
