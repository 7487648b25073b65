// The common keys of GGUF metadata.
#include <algorithm>

#include "runtime/architectures/common_config.h"
#include "runtime/architectures/rope_files.h"

namespace hearth {
namespace {

// One number for all layers, or a list in which layers without attention have none.
Result<void> read_kv_heads(const ConfigSource& source, ModelConfig& config) {
  const std::string_view key = "attention.head_count_kv";
  config.n_kv_heads = config.n_heads;
  if (!source.has(key)) return {};
  std::vector<int> counts = TRY(source.counts(key));
  config.n_kv_heads = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
  if (std::find(counts.begin(), counts.end(), 0) == counts.end() || counts.size() == 1) {
    config.n_kv_heads = TRY(source.uniform_count_or(key, config.n_heads));
    return {};
  }
  for (const int n : counts) {
    if (n != 0 && n != config.n_kv_heads)
      return error(Code::unimplemented, "layers with {} and {} key heads in one model are not supported", n,
                   config.n_kv_heads);
    config.layer_kinds.push_back(n == 0 ? LayerKind::linear : LayerKind::full);
  }
  return {};
}

Result<void> read_heads(const ConfigSource& source, ModelConfig& config) {
  config.n_heads = TRY(source.uniform_count_or("attention.head_count", 0));
  if (config.n_heads <= 0)
    return error(Code::invalid_argument, "metadata key \"attention.head_count\" must be a positive number");
  TRY(read_kv_heads(source, config));
  config.head_dim = TRY(source.uniform_count_or("attention.key_length", config.d_model / config.n_heads));
  if (config.mla.kv_rank > 0) return {};  // the widths of the latent space: the family knows
  const int value_length = TRY(source.uniform_count_or("attention.value_length", config.head_dim));
  if (value_length == config.head_dim) return {};
  return error(Code::unimplemented, "keys of {} and values of {} dimensions are not supported for this family",
               config.head_dim, value_length);
}

}  // namespace

Result<int> gguf_vocab_size(const ConfigSource& source) {
  if (const auto embed = source.tensor_shape("token_embd.weight"); embed && embed->size() == 2) {
    if ((*embed)[0] <= INT32_MAX) return static_cast<int>((*embed)[0]);
    return error(Code::invalid_argument, "tensor \"token_embd.weight\" has {} rows", (*embed)[0]);
  }
  if (const size_t n = source.list_size("tokenizer.ggml.tokens"); n > 0 && n <= INT32_MAX) return static_cast<int>(n);
  return source.count("vocab_size");
}

Result<void> read_common_gguf(const ConfigSource& source, ModelConfig& config) {
  config.n_layers = TRY(read_layer_count(source, "block_count"));
  config.d_model = TRY(source.count("embedding_length"));
  TRY(read_heads(source, config));
  config.d_ff = TRY(source.uniform_count_or("feed_forward_length", config.d_ff));
  config.max_seq_len = TRY(source.count("context_length"));
  config.norm_eps = TRY(source.number("attention.layer_norm_rms_epsilon"));
  config.vocab_size = TRY(gguf_vocab_size(source));
  config.tied_embeddings = !source.has_tensor("output.weight");
  config.attention_bias = source.has_tensor("blk.0.attn_q.bias");
  config.mlp_bias = source.has_tensor("blk.0.ffn_gate.bias");
  config.rope = TRY_WITH(read_rope_gguf(source, config), "in the position scaling");
  return {};
}

void write_common_gguf(const ModelConfig& config, ConfigSink& sink) {
  sink.set("block_count", config.n_layers);
  sink.set("context_length", config.max_seq_len);
  sink.set("embedding_length", config.d_model);
  sink.set("feed_forward_length", config.d_ff);
  sink.set("attention.head_count", config.n_heads);
  sink.set("attention.head_count_kv", config.n_kv_heads);
  sink.set("attention.key_length", config.head_dim);
  sink.set("attention.value_length", config.head_dim);
  sink.set("attention.layer_norm_rms_epsilon", config.norm_eps);
  sink.set("vocab_size", config.vocab_size);
  write_rope_gguf(config.rope, config, sink);
}

}  // namespace hearth
