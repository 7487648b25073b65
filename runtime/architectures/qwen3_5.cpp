// Qwen 3.5 and 3.6, text, with and without experts.
#include "runtime/architectures/delta_net.h"
#include "runtime/architectures/families.h"

namespace hearth {
namespace {

class Qwen35 final : public DeltaNetFamily {
 public:
  std::string_view family() const override { return "qwen3_5_text"; }
  std::string_view hf_architecture() const override { return "Qwen3_5ForCausalLM"; }
  std::string_view gguf_architecture() const override { return "qwen35"; }
};

class Qwen35Moe final : public DeltaNetFamily {
 public:
  std::string_view family() const override { return "qwen3_5_moe_text"; }
  std::string_view hf_architecture() const override { return "Qwen3_5MoeForCausalLM"; }
  std::string_view gguf_architecture() const override { return "qwen35moe"; }

 protected:
  bool has_experts() const override { return true; }
};

}  // namespace

const Architecture& qwen3_5() {
  static const Qwen35 architecture;
  return architecture;
}
const Architecture& qwen3_5_moe() {
  static const Qwen35Moe architecture;
  return architecture;
}

}  // namespace hearth
