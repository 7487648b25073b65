// Qwen3-Next: the delta nets of Qwen 3.5 in an older layout of files, always with experts.
#include "runtime/architectures/delta_net.h"
#include "runtime/architectures/families.h"

namespace hearth {
namespace {

class Qwen3Next final : public DeltaNetFamily {
 public:
  std::string_view family() const override { return "qwen3_next"; }
  std::string_view hf_architecture() const override { return "Qwen3NextForCausalLM"; }
  std::string_view gguf_architecture() const override { return "qwen3next"; }

 protected:
  bool is_fused_by_head() const override { return true; }
  bool is_tiled_in_gguf() const override { return false; }
  bool has_experts() const override { return true; }
};

}  // namespace

const Architecture& qwen3_next() {
  static const Qwen3Next architecture;
  return architecture;
}

}  // namespace hearth
