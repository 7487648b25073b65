// What a family's forward() is written in: parameters by role, and the parts that differ between training and serving
// (attention with or without a cache, low-rank updates beside frozen weights) decided here, not in the family.
#pragma once

#include <functional>
#include <optional>

#include "runtime/architectures/architecture.h"
#include "runtime/graph/builder.h"

namespace hearth {

struct LoraConfig {
  int rank = 0;                        // 0: none
  float alpha = 0;                     // the update is scaled by alpha / rank
  std::vector<std::string> targets;    // last parts of roles: "wq", "wv", "w_gate", ...; empty: every matrix in layers
};

// The KV cache of a serving graph: states "layers.L.k_cache" and "layers.L.v_cache", [n_pages, K, page_size, D] of `dtype`.
struct CacheConfig {
  int n_pages = 0;
  int page_size = 64;
  Dtype dtype = Dtype::f16;            // f32, f16 or bf16
  int max_pages_per_seq = 0;           // second dimension of page_table
  int max_seqs = 1;                    // first dimension of page_table
};

using DtypeOf = std::function<Dtype(const ParameterSpec&)>;

// Training and whole-sequence evaluation. Inputs (T = n_tokens, rows of a batch and packed documents laid end to end):
//   tokens i32[T], positions i32[T], segment_begin i32[T] (first token that token t may attend to: causal within a document),
//   targets i32[T] (-1: no loss), loss_weights f32[T].  Output: loss f32[1] = Σ loss_weights[t] · nll[t].
// LoRA parameters: "<role>.lora_a" [rank, in], "<role>.lora_b" [out, rank], f32.
struct TrainingGraph {
  Graph graph;
  Value loss;
  size_t n_forward_nodes = 0;
  std::vector<Value> layer_inputs;     // what recompute keeps
};
Result<TrainingGraph> build_training_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens, const LoraConfig& lora);

// Logits of every position without a cache. Inputs tokens, positions, segment_begin; output logits f32[T, V].
Result<Graph> build_logits_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens, const LoraConfig& lora);

// One step of serving: n_tokens tokens of any mix of sequences (prefill chunks and decodes), appended to the cache and attended.
// Inputs: tokens i32[T], positions i32[T], seq_of_token i32[T], page_table i32[max_seqs, max_pages_per_seq],
// logit_rows i32[n_logit_rows] (which tokens need logits). Output: logits f32[n_logit_rows, V].
Result<Graph> build_serving_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens, int n_logit_rows,
                                  const CacheConfig& cache, const LoraConfig& lora);

class ModelBuilder {
 public:
  enum class Mode { whole, serving };
  ModelBuilder(const ModelConfig& config, const Architecture& architecture, const DtypeOf& dtype_of, const LoraConfig& lora, Mode mode,
               int n_tokens, std::optional<CacheConfig> cache);

  const ModelConfig& config() const { return config_; }
  Builder& b() { return builder_; }
  Value tokens() const { return tokens_; }

  Value embed(std::string_view role);                       // [T, C] f32
  Value norm(Value x, std::string_view role);               // rms_norm by config.norm_eps
  Value linear(Value x, std::string_view role);             // plus "<role>_bias" when declared, plus the low-rank update when targeted
  Value rope(Value x, int n_heads);                         // [T, n_heads * D] → same, rotated by position
  Value attention(Value q, Value k, Value v, int layer);    // [T, H*D], [T, K*D], [T, K*D] → [T, H*D], causal
  Value ffn_swiglu(Value gate, Value up);
  Value residual(Value x, Value update) { return builder_.add(x, update); }
  void begin_layer(int layer, Value x);                     // scope "layers.N"; x is a recompute boundary
  const std::vector<Value>& layer_inputs() const { return layer_inputs_; }
  Value parameter(std::string_view role);

 private:
  const ParameterSpec* find(std::string_view role) const;
  ModelConfig config_;
  std::vector<ParameterSpec> specs_;
  DtypeOf dtype_of_;
  LoraConfig lora_;
  Mode mode_;
  int n_tokens_;
  std::optional<CacheConfig> cache_;
  Builder builder_;
  RopeTable rope_;
  Value tokens_, positions_, segment_begin_, seq_of_token_, page_table_;
  std::vector<Value> layer_inputs_;
};

}  // namespace hearth
