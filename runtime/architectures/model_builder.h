// What a family's forward() is written in: parameters by role, and the parts that models are made of. It knows whole
// sequences only: caches, low-rank updates and losses are rewrites of what it builds (runtime/graph/rewrites.h).
#pragma once

#include "runtime/architectures/model_graphs.h"
#include "runtime/graph/builder.h"
#include "runtime/ops/attention/attributes.h"

namespace hearth {

class ModelBuilder {
 public:
  ModelBuilder(const ModelConfig& config, const Architecture& architecture, DtypeOf dtype_of, int n_tokens,
               int max_seq_len);

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
  Value plain_norm(Value x);                               // without a weight, over the last axis
  Value heads(Value x, int head_dim);                      // [T, n * D] → [T, n, D]
  Value columns(Value x) { return builder_.merge(x, 1); }  // and back
  Value layer_norm(Value x, std::string_view role);        // weight and "<role>_bias"
  Value linear(Value x, std::string_view role);            // plus "<role>_bias" if declared
  Value rope(Value x);  // [T, n, D] → same, each head rotated by position; nothing in layers without positions
  Value scale_queries(Value q);  // by position, where the configuration says so
  // [T, H, D], [T, K, D], [T, K, D] → [T, H, D], causal, as the layer's kind has it. A layer that shares another's keys
  // and values gets those very values.
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
  // Linear layers, from the beginning of each document.
  Value causal_conv(Value x, std::string_view role);  // [T, C], filtered per channel by "<role>", plus "<role>_bias"
  // Heads and gates as in linear_attention's attributes; `skip` is a role, or empty.
  Value recurrence(Value q, Value k, Value v, Value log_decay, Value beta, bool delta_rule, std::string_view skip);
  struct Gates {
    Value log_decay, step;
  };
  Gates decay(Value a, std::string_view a_log, std::string_view bias);
  Value l2_norm(Value x, float scale);                             // each head to the length `scale`
  Value group_norm(Value x, std::string_view role, int n_groups);  // norm within groups, weight as wide as x
  Value sigmoid(Value x);
  Value residual(Value x, Value update);  // x + update, scaled where the configuration says so
  Value weight(std::string_view role) { return parameter(role_here(role)); }  // the parameter itself
  Value lm_head(Value hidden);                                                // tied or untied → logits [rows, V]

 private:
  const ParameterSpec* find(std::string_view role) const;
  Value parameter(std::string_view role);
  std::string role_here(std::string_view role) const;  // "layers.3.wq" in layer 3
  Value scaled(Value x, double factor);
  Value attention(AttentionAttributes heads, Value q, Value k, Value v);  // with the layer's "sinks", if it has them
  AttentionAttributes attention_attributes() const;                       // of the layer begun last
  Value norm_if_declared(Value x, std::string_view role);
  Value declared(const std::string& role);  // a parameter of this layer; null where the table does not declare it
  Value latent_rope(Value x, int head_dim, int begin);  // rotates the columns from `begin` of each head
  // One matrix per head: x [T, H, K], weight [H, N, K] (trans) or [H, K, N] → [T, H, N].
  Value head_linear(Value x, const std::string& role, bool trans);
  struct SortedRows;  // rows of tokens by expert
  Value scaled_choice(Value weights, Value ids, Value scale);
  Value expert_linear(Value x, const std::string& role, const SortedRows& rows);

  ModelConfig config_;
  std::vector<ParameterSpec> specs_;
  DtypeOf dtype_of_;
  int n_tokens_, max_seq_len_;
  Builder builder_;
  int layer_ = -1;
  Value tokens_, positions_, token_types_, segment_begin_;
};

}  // namespace hearth
