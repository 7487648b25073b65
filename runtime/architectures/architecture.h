// A family of models: its parameter table and its function from configuration to graph. One file per family implements
// it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/architectures/model_config.h"
#include "runtime/graph/graph.h"

namespace hearth {

class ModelBuilder;

// How a file stores a parameter's rows, relative to ours.
enum class Transform {
  none,
  gguf_rope_rows,  // GGUF llama interleaves the rotary halves of each head: rows (h, i, half) there, (h, half, i) here
};

// What a parameter is; initialisation, weight decay and LoRA targets follow from it.
enum class ParameterKind { embedding, matrix, norm, bias };

struct ParameterSpec {
  std::string role;  // "embed", "layers.3.wq", "final_norm", "lm_head": also its name in graphs
  ParameterKind kind = ParameterKind::matrix;
  Shape shape;                    // matrices are [out, in]
  std::vector<std::string> axes;  // named axes, for sharding: {"H", "C"}
  std::string hf_name, gguf_name;
  Transform gguf_transform = Transform::none;
  int rope_heads = 0;  // for gguf_rope_rows
};

class Architecture {
 public:
  virtual ~Architecture() = default;
  virtual std::string_view family() const = 0;             // "llama"
  virtual std::string_view hf_architecture() const = 0;    // "LlamaForCausalLM"
  virtual std::string_view gguf_architecture() const = 0;  // "llama"
  virtual std::vector<ParameterSpec> parameters(const ModelConfig& config) const = 0;
  virtual Value forward(ModelBuilder& m) const = 0;  // tokens → final hidden rows [T, C], normed
};

std::span<const Architecture* const> all_architectures();
// not_found names the families that are known.
Result<const Architecture*> find_architecture(std::string_view family_or_hf_or_gguf_name);

}  // namespace hearth
