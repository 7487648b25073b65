// Families whose layers are gated delta nets, and gated attention in every few: what Qwen3-Next and Qwen 3.5 share.
#pragma once

#include "runtime/architectures/architecture.h"
#include "runtime/architectures/parameter_table.h"

namespace hearth {

// Where the value heads of some GGUF files stand (RecurrentConfig::tiled_heads): for each row of a role, or each
// column, which one it is in Hugging Face's order. Empty for roles without value heads.
struct HeadOrder {
  std::vector<int64_t> from;
  bool is_of_columns = false;
};
HeadOrder tiled_order(std::string_view role, const RecurrentConfig& r);

// Roles of a linear layer: "delta_q", "delta_k", "delta_v", "delta_gate", "delta_beta", "delta_decay", the filters
// "conv_q", "conv_k", "conv_v", "delta_a_log", "delta_dt_bias", "delta_norm", "delta_out". Of a full layer: "wq",
// "attn_gate" (one matrix in files, head by head), "wk", "wv", "wo", "q_norm", "k_norm".
class DeltaNetFamily : public Architecture {
 public:
  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override;
  Value forward(ModelBuilder& m) const override;
  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override;
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override;
  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override;
  void write_gguf(const ModelConfig& c, ConfigSink& sink) const override;
  Result<void> fits_gguf(const ModelConfig& c) const override;
  Result<void> fits_hf(const ModelConfig& c) const override;
  // Layers that predict further tokens.
  bool may_skip(std::string_view tensor, const ModelConfig& c) const override;

 protected:
  // GGUF files of the family have the value heads go round the key heads.
  virtual bool is_tiled_in_gguf() const { return true; }
  // Files hold the matrices of a linear layer as two, in which the rows of each key head stand together.
  virtual bool is_fused_by_head() const { return false; }
  virtual bool has_experts() const { return false; }
};

}  // namespace hearth
