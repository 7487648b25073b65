// What a family's forward() is written in: parameters by role, and the parts that differ between training and serving
// (attention with or without a cache, low-rank updates beside frozen weights) decided here, not in the family.
#pragma once

#include <functional>
#include <optional>

#include "runtime/architectures/architecture.h"
#include "runtime/graph/builder.h"
#include "runtime/ops/attention/attributes.h"

namespace hearth {

struct LoraConfig {
  int rank = 0;                      // 0: none
  float alpha = 0;                   // the update is scaled by alpha / rank
  std::vector<std::string> targets;  // last parts of roles: "wq", "wv", "w_gate", ...; empty: every matrix in layers
};

// The sizes of a serving graph's states. What there is of them, the graph itself declares: pages of keys and values
// [n_pages, K, page_size, D] of `dtype`, and rows [max_seqs, ...] of recurrences.
struct CacheConfig {
  int n_pages = 0;
  int page_size = 64;
  Dtype dtype = Dtype::f16;   // of keys and values: f32, f16 or bf16
  int max_pages_per_seq = 0;  // second dimension of page_table
  int max_seqs = 1;           // first dimension of page_table
  int max_seq_len = 0;        // of one sequence; 0: as many positions as its pages have
};

using DtypeOf = std::function<Dtype(const ParameterSpec&)>;

// Training and whole-sequence evaluation. Inputs (T = n_tokens, rows of a batch and packed documents laid end to end):
//   tokens i32[T], positions i32[T], segment_begin i32[T] (first token that token t may attend to: causal within a
//   document), targets i32[T] (-1: no loss), loss_weights f32[T].  Output: loss f32[1] = Σ loss_weights[t] · nll[t].
// LoRA parameters: "<role>.lora_a" [rank, in], "<role>.lora_b" [out, rank], f32.
struct TrainingGraph {
  Graph graph;
  Value loss;
  size_t n_forward_nodes = 0;
  std::vector<Value> layer_inputs;  // what recompute keeps
};
Result<TrainingGraph> build_training_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens,
                                           const LoraConfig& lora);

// Logits of every position without a cache. Inputs tokens, positions, segment_begin; output logits f32[T, V].
Result<Graph> build_logits_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens,
                                 const LoraConfig& lora);

// One step of serving: n_tokens tokens of any mix of sequences (prefill chunks and decodes), appended to the cache and
// attended. Inputs: tokens i32[T], positions i32[T], seq_of_token i32[T], page_table i32[max_seqs, max_pages_per_seq],
// logit_rows i32[n_logit_rows] (which tokens need logits). Output: logits f32[n_logit_rows, V].
Result<Graph> build_serving_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens, int n_logit_rows,
                                  const CacheConfig& cache, const LoraConfig& lora);

// Texts through an encoder, laid end to end. Inputs: tokens, positions (from 0 in each text), token_types i32[T],
// segment_begin i32[T] (the first token of the same text), rows i32[N]. Output: hidden rows f32[T, C] of an embedder;
// of a reranker the scores f32[N, 1] of the texts whose first tokens are `rows`.
Result<Graph> build_encoder_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens, int n_rows);

// What the states of a serving graph take, by what they hold.
struct StateBytes {
  uint64_t per_page = 0, per_sequence = 0;
};
Result<StateBytes> serving_state_bytes(const ModelConfig& config, int page_size, Dtype cache_dtype);

class ModelBuilder {
 public:
  // serving: attention goes through the KV cache; whole: it sees just the tokens of this graph.
  ModelBuilder(const ModelConfig& config, const Architecture& architecture, DtypeOf dtype_of, LoraConfig lora,
               int n_tokens, std::optional<CacheConfig> cache);

  const ModelConfig& config() const { return config_; }
  Builder& b() { return builder_; }
  Value tokens() const { return tokens_; }
  Value positions() const { return positions_; }
  Value token_types();  // of encoders: which part of its text a token belongs to

  // Roles are relative to the layer begun last: inside layer 3, "wq" is "layers.3.wq".
  void begin_layer(int layer, Value x);  // x is a recompute boundary
  void end_layers();
  Value embed(Value tokens, std::string_view role);  // [T, C] f32, scaled where the configuration says so
  Value norm(Value x, std::string_view role);        // rms_norm by config.norm_eps
  Value norm(Value x, std::string_view role, double eps);
  Value head_norm(Value x, std::string_view role);   // the same over each head: as wide as the weight
  Value plain_head_norm(Value x, int head_dim);      // and without a weight
  Value layer_norm(Value x, std::string_view role);  // weight and "<role>_bias"
  Value linear(Value x, std::string_view role);  // plus "<role>_bias" if declared, plus the low-rank update if targeted
  Value rope(Value x);  // [T, n * D] → same, each head rotated by position; nothing in layers without positions
  Value scale_queries(Value q);  // by position, where the configuration says so
  // [T, H*D], [T, K*D], [T, K*D] → [T, H*D], causal, as the layer's kind has it. A layer that shares another's keys and
  // values gets those very values.
  Value attention(Value q, Value k, Value v);
  // config.mla: h [T, C] → [T, C]; parameters by add_latent_attention().
  Value latent_attention(Value h);
  Value activation(Value x);                             // config.activation
  Value glu(Value gate, Value up);                       // activation(gate) * up
  Value mlp(Value x, const std::string& prefix = "w_");  // glu of "<prefix>gate" and "up", then "<prefix>down"
  // config.moe: the router's choice of "experts_gate", "_up" and "_down", each times its "expert_scale" [E] where that
  // is declared, plus the shared expert where there is one. The router reads `router_input`; null: x.
  Value experts(Value x, Value router_input = {});
  Value experts_or_mlp(Value x);  // in layers without experts: mlp
  // The usual block and the usual decoder, with whatever the family's table declares: norms of queries and keys (as
  // wide as one head, or as all), a gate on what was attended ("attn_gate"), "attn_norm", "ffn_norm", "attn_post_norm",
  // "ffn_post_norm".
  Value self_attention(Value h);  // [T, C] → [T, C]: "wq", "wk", "wv", "wo"
  Value decoder();                // tokens → normed hidden rows [T, C]
  // Linear layers. The state of each goes on in serving graphs, and begins at each document elsewhere.
  Value causal_conv(Value x, std::string_view role);  // [T, C], filtered per channel by "<role>", plus "<role>_bias"
  // Heads and gates as in linear_attention's attributes; `skip` is a role, or empty.
  Value recurrence(Value q, Value k, Value v, Value log_decay, Value beta, bool delta_rule, std::string_view skip);
  struct Gates {
    Value log_decay, step;
  };
  Gates decay(Value a, std::string_view a_log, std::string_view bias);
  Value l2_norm_heads(Value x, int head_dim, float scale);         // each head to the length `scale`
  Value group_norm(Value x, std::string_view role, int n_groups);  // norm within groups, weight as wide as x
  Value sigmoid(Value x);
  Value residual(Value x, Value update);  // x + update, scaled where the configuration says so
  Value weight(std::string_view role) { return parameter(role_here(role)); }  // the parameter itself
  Value lm_head(Value hidden);                                                // tied or untied → logits [rows, V]

  const std::vector<Value>& layer_inputs() const { return layer_inputs_; }

 private:
  const ParameterSpec* find(std::string_view role) const;
  Value parameter(std::string_view role);
  std::string role_here(std::string_view role) const;  // "layers.3.wq" in layer 3
  Value scaled(Value x, double factor);
  Value per_sequence_state(std::string_view name, Shape per_sequence);
  Value attention(AttentionAttributes heads, Value q, Value k, Value v);  // with the layer's "sinks", if it has them
  AttentionAttributes attention_attributes() const;                       // of the layer begun last
  Value low_rank_update(Value x, const ParameterSpec& spec);
  Value norm_if_declared(Value x, std::string_view role);
  Value declared(const std::string& role);  // a parameter of this layer; null where the table does not declare it
  Value latent_rope(Value x, int head_dim, int begin);  // rotates the columns from `begin` of each head
  // One matrix per head: x [T, H*K], weight [H, N, K] (trans) or [H, K, N] → [T, H*N].
  Value head_linear(Value x, const std::string& role, bool trans);
  struct SortedRows;  // rows of tokens by expert
  Value scaled_choice(Value weights, Value ids, Value scale);
  Value expert_linear(Value x, const std::string& role, const SortedRows& rows);

  ModelConfig config_;
  std::vector<ParameterSpec> specs_;
  DtypeOf dtype_of_;
  LoraConfig lora_;
  int n_tokens_;
  std::optional<CacheConfig> cache_;
  Builder builder_;
  int max_seq_len_ = 0;  // of this graph's sequences
  int layer_ = -1;
  Value tokens_, positions_, token_types_, segment_begin_, seq_of_token_, page_table_;
  std::vector<Value> layer_inputs_;
};

// The low-rank parameters that a LoraConfig adds: roles "<role>.lora_a" [rank, in] and "<role>.lora_b" [out, rank].
std::vector<ParameterSpec> lora_parameters(const ModelConfig& config, const Architecture& architecture,
                                           const LoraConfig& lora);

}  // namespace hearth
