// The graphs that engines build from a family: its forward graph, and the choices of rewrites that make it train,
// serve, tell logits, or read texts.
#pragma once

#include <functional>

#include "runtime/architectures/lora.h"
#include "runtime/graph/rewrites.h"

namespace hearth {

using DtypeOf = std::function<Dtype(const ParameterSpec&)>;

// Inputs (T = n_tokens, rows of a batch and packed documents laid end to end): tokens i32[T], positions i32[T] (from 0
// in each document), segment_begin i32[T] (first token that token t may attend to: causal within a document); of
// encoders also token_types i32[T]. Output: logits f32[T, V]; of an embedder hidden rows f32[T, C], of a reranker
// scores f32[T, 1]. Marks: kLayerInput, kRows. `max_seq_len`: of the longest sequence that will be run.
Result<Graph> build_forward(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens, int max_seq_len);

// `activations` of the graphs below: what the device that runs them computes with (Backend::activations()).
//
// Training and whole-sequence evaluation: cross_entropy() of the logits.
struct TrainingGraph {
  Graph graph;
  Value loss;
  size_t n_forward_nodes = 0;
  std::vector<Value> layer_inputs;  // what recompute keeps
};
Result<TrainingGraph> build_training_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens,
                                           const LoraConfig& lora, Dtype activations = Dtype::f32);

// Logits of every position without a cache.
Result<Graph> build_logits_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens,
                                 const LoraConfig& lora, Dtype activations = Dtype::f32);

// One step of serving, as of `cache`. A further input logit_rows i32[n_logit_rows]: which tokens need logits. Output:
// logits f32[n_logit_rows, V].
Result<Graph> build_serving_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens, int n_logit_rows,
                                  const CacheConfig& cache, const LoraConfig& lora, Dtype activations = Dtype::f32);

// Texts through an encoder, laid end to end. Of a reranker a further input rows i32[n_rows]: the first tokens of texts;
// output: their scores f32[n_rows, 1].
Result<Graph> build_encoder_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens, int n_rows);

// What the states of a serving graph take, by what they hold.
struct StateBytes {
  uint64_t per_page = 0, per_sequence = 0;
};
Result<StateBytes> serving_state_bytes(const ModelConfig& config, int page_size, Dtype cache_dtype);

}  // namespace hearth
