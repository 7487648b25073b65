// The configuration keys that nearly every family shares. A family's read_hf() calls the common one and then reads what
// is its own; so do the other three.
#pragma once

#include "runtime/architectures/config_source.h"
#include "runtime/architectures/model_config.h"

namespace hearth {

// Sizes, norm epsilon, biases, tied embeddings, activation, rotary positions. What the file lacks is in the family's
// table of keys (hf_keys.h); a key of these that the table lacks too is one that the family does not have.
Result<void> read_common_hf(const ConfigSource& source, ModelConfig& config);
void write_common_hf(const ModelConfig& config, ConfigSink& sink);

Result<void> read_common_gguf(const ConfigSource& source, ModelConfig& config);
void write_common_gguf(const ModelConfig& config, ConfigSink& sink);

// How many layers there are, within bounds: lists are made by it before validate() sees it.
Result<int> read_layer_count(const ConfigSource& source, std::string_view key);

// Rows of the embedding, or entries of the vocabulary, or what the file says.
Result<int> gguf_vocab_size(const ConfigSource& source);

// "layer_types": ["full_attention", "sliding_attention", ...]. Absent: nothing changes.
Result<void> read_layer_types_hf(const ConfigSource& source, ModelConfig& config);
void write_layer_types_hf(const ModelConfig& config, ConfigSink& sink);

// "sliding_window" for all layers; null: none.
Result<void> read_window_everywhere(const ConfigSource& source, std::string_view key, ModelConfig& config);
void set_window_everywhere(int window, ModelConfig& config);  // 0: none; nor where it is no shorter than the context
// Qwen's way: "use_sliding_window", "sliding_window", "max_window_layers" (those before it are full) or "layer_types".
Result<void> read_window_hf(const ConfigSource& source, ModelConfig& config);
void write_window_hf(const ModelConfig& config, ConfigSink& sink);
// Refused: sliding layers without a window.
Result<void> check_window(const ConfigSource& source, const ModelConfig& config);
// All layers are full, and said to be: as if nothing were said.
void forget_unused_window(ModelConfig& config);

// Every n-th layer is full, those between slide: layers 0 .. n-2 slide, n-1 is full, ... n = 0: all slide.
std::vector<LayerKind> every_nth_full(int n_layers, int n);

Result<Activation> read_activation_hf(const ConfigSource& source, std::string_view key);
std::string activation_hf(Activation activation);

// A cap of scores or logits; null: none. 0 would divide by it.
Result<double> read_softcap(const ConfigSource& source, std::string_view key);

}  // namespace hearth
