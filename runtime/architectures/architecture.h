// A family of models: its parameter table, its function from configuration to graph, and its configuration keys in
// files. One file per family implements it.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/architectures/hf_keys.h"
#include "runtime/architectures/model_config.h"
#include "runtime/architectures/storage.h"
#include "runtime/graph/graph.h"

namespace hearth {

class ModelBuilder;

// What a family's models are for. Encoders have no logits and no cache: they turn texts into vectors, or pairs of texts
// into scores.
enum class ModelTask { generate, embed, rerank };

// What a parameter is; initialisation, weight decay and LoRA targets follow from it. A constant is never trained: no
// gradient flows to it. A filter is [C, W]: the taps of each channel of a convolution.
enum class ParameterKind { embedding, matrix, norm, bias, constant, filter };
// Kept in f32, whatever the matrices are in.
inline bool is_vector(ParameterKind kind) {
  return kind != ParameterKind::embedding && kind != ParameterKind::matrix;
}

// One axis of a parameter, by the name of what it counts: vocabulary, model, heads, kv_heads, head, ffn, expert, rank.
// A weight is stored in two dimensions, so its axis may be a product (heads x head): `unit` elements are one head, and
// heads that read the same key head are a group. An axis without a name is never cut.
struct ParameterAxis {
  std::string name;
  int64_t unit = 1;
  int64_t group = 1;
  ParameterAxis(const char* name, int64_t unit = 1, int64_t group = 1) : name(name), unit(unit), group(group) {}
  static ParameterAxis heads(int64_t n_heads, int64_t n_kv_heads, int64_t head_dim) {
    return {"heads", head_dim, n_kv_heads > 0 ? std::max<int64_t>(1, n_heads / n_kv_heads) : 1};
  }
};

// Heads of linear layers, and what there is `width` of for each. Where value heads go round the key heads, so many stay
// together, and key heads are not cut.
inline ParameterAxis key_heads(const RecurrentConfig& r) {
  return r.tiled_heads ? ParameterAxis("") : ParameterAxis("kv_heads", r.k_dim);
}
inline ParameterAxis value_heads(const RecurrentConfig& r, int64_t width) {
  return r.tiled_heads ? ParameterAxis("heads", r.n_k_heads * width)
                       : ParameterAxis::heads(r.n_v_heads, r.n_k_heads, width);
}

struct ParameterSpec {
  std::string role;  // "embed", "layers.3.wq", "final_norm", "lm_head": also its name in graphs
  ParameterKind kind = ParameterKind::matrix;
  Shape shape;                      // matrices are [out, in]; one per expert: [E, out, in]
  std::vector<ParameterAxis> axes;  // as many as the shape has
  Storage hf, gguf;                 // how it lies in the two kinds of files
};

class Architecture {
 public:
  virtual ~Architecture() = default;
  virtual std::string_view family() const = 0;                      // "llama"
  virtual std::string_view model_type() const { return family(); }  // in config.json
  virtual std::string_view hf_architecture() const = 0;             // "LlamaForCausalLM"
  virtual std::string_view gguf_architecture() const = 0;           // "llama"; empty: the family has no GGUF files
  virtual std::vector<ParameterSpec> parameters(const ModelConfig& config) const = 0;
  virtual Value forward(ModelBuilder& m) const;  // tokens → final hidden rows [T, C], normed; ModelBuilder::decoder()
  virtual ModelTask task() const { return ModelTask::generate; }
  // What follows the rows that forward() returns, each row alone: logits, an embedder's rows themselves, scores [T, 1].
  virtual Value head(ModelBuilder& m, Value rows) const;  // ModelBuilder::lm_head()

  virtual std::span<const HfKey> hf_keys() const = 0;  // of config.json, and their defaults

  // The configuration in files ↔ ModelConfig, whose `family` is set already. The defaults know the common keys; a
  // family that has others overrides these, calls the common functions (common_config.h) and adds its own. A key that
  // changes the result is never ignored. `source` of read_hf is an HfSource. The caller validates.
  virtual Result<void> read_hf(const ConfigSource& source, ModelConfig& config) const;
  virtual void write_hf(const ModelConfig& config, ConfigSink& sink) const;
  virtual Result<void> read_gguf(const ConfigSource& source, ModelConfig& config) const;
  virtual void write_gguf(const ModelConfig& config, ConfigSink& sink) const;
  // unimplemented where GGUF files have no way to say something that this configuration needs.
  virtual Result<void> fits_gguf(const ModelConfig&) const { return {}; }
  // The same for Hugging Face folders.
  virtual Result<void> fits_hf(const ModelConfig&) const { return {}; }
  // Several families share a name in GGUF files: the first in all_architectures() that claims a file reads it.
  virtual bool claims_gguf(const ConfigSource& source) const;
  // Tensors that are no part of the model as it is run here, such as layers that predict further tokens.
  virtual bool may_skip(std::string_view tensor, const ModelConfig& config) const;
};

std::span<const Architecture* const> all_architectures();
// not_found names the families that are known.
Result<const Architecture*> find_architecture(std::string_view family_or_hf_or_gguf_name);
Result<const Architecture*> find_gguf_architecture(std::string_view gguf_name, const ConfigSource& source);

}  // namespace hearth
