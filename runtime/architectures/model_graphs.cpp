// Forward graphs and the rewrites that engines choose.
#include "runtime/architectures/model_graphs.h"

#include "runtime/architectures/model_builder.h"

namespace hearth {
namespace {

Result<void> check_count(const char* what, int n) {
  constexpr int kMost = 1 << 20;
  if (n >= 1 && n <= kMost) return {};
  return error(Code::invalid_argument, "a graph needs 1 to {} {}, got {}", kMost, what, n);
}

Result<void> check_writes(const ModelConfig& config) {
  const Architecture* architecture = TRY(find_architecture(config.family));
  if (architecture->task() == ModelTask::generate) return {};
  return error(Code::failed_precondition, "models of the family {} turn texts into {}; they do not write",
               config.family,
               architecture->task() == ModelTask::embed ? "vectors (/v1/embeddings)" : "scores (/v1/rerank)");
}

// forward → adapters, of a model that writes.
Result<Graph> build_adapted(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens, int max_seq_len,
                            const LoraConfig& lora) {
  TRY(check_writes(config));
  const Graph forward = TRY(build_forward(config, dtype_of, n_tokens, max_seq_len));
  return adapters(forward, TRY(lora_updates(config, *TRY(find_architecture(config.family)), lora)));
}

}  // namespace

Result<Graph> build_forward(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens, int max_seq_len) {
  TRY(validate(config));
  TRY(check_count("tokens", n_tokens));
  const Architecture* architecture = TRY(find_architecture(config.family));
  ModelBuilder m(config, *architecture, dtype_of, n_tokens, max_seq_len);
  const Value rows = architecture->forward(m);
  m.b().mark(kRows, rows);
  m.b().output(architecture->head(m, rows));
  return m.b().finish();
}

Result<TrainingGraph> build_training_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens,
                                           const LoraConfig& lora, Dtype activations) {
  const LossTerm terms[] = {cross_entropy()};
  TrainingGraph out;
  out.graph = TRY(loss(TRY(build_adapted(config, dtype_of, n_tokens, n_tokens, lora)), terms));
  out.graph = TRY(precision(out.graph, activations));
  out.loss = out.graph.outputs()[0];
  out.n_forward_nodes = out.graph.nodes().size();
  out.layer_inputs = out.graph.marked(kLayerInput);
  return out;
}

Result<Graph> build_logits_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens,
                                 const LoraConfig& lora, Dtype activations) {
  return precision(TRY(build_adapted(config, dtype_of, n_tokens, n_tokens, lora)), activations);
}

Result<Graph> build_serving_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens, int n_logit_rows,
                                  const CacheConfig& cache_config, const LoraConfig& lora, Dtype activations) {
  TRY(check_count("logit rows", n_logit_rows));
  const Graph adapted = TRY(build_adapted(config, dtype_of, n_tokens, cache_config.longest(), lora));
  const Graph selected = TRY(select_rows(TRY(cache(adapted, cache_config)), "logit_rows", n_logit_rows));
  return precision(selected, activations);
}

Result<Graph> build_encoder_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens, int n_rows) {
  TRY(check_count("texts", n_rows));
  const ModelTask task = TRY(find_architecture(config.family))->task();
  if (task == ModelTask::generate)
    return error(Code::failed_precondition, "models of the family {} write; they are not encoders", config.family);
  Graph forward = TRY(build_forward(config, dtype_of, n_tokens, n_tokens));
  return task == ModelTask::embed ? std::move(forward) : select_rows(forward, "rows", n_rows);
}

// Bytes grow with pages and sequences, so one of each tells all.
Result<StateBytes> serving_state_bytes(const ModelConfig& config, int page_size, Dtype cache_dtype) {
  if (TRY(find_architecture(config.family))->task() != ModelTask::generate) return StateBytes{};
  const CacheConfig one{
      .n_pages = 1, .page_size = page_size, .dtype = cache_dtype, .max_pages_per_seq = 1, .max_seqs = 1};
  auto any_dtype = [](const ParameterSpec&) { return Dtype::f32; };
  const Graph graph = TRY(build_serving_graph(config, any_dtype, 1, 1, one, {}));
  StateBytes bytes;
  for (const ValueInfo& info : graph.values()) {
    if (info.kind != ValueKind::state) continue;
    (info.state_kind == StateKind::per_position ? bytes.per_page : bytes.per_sequence) +=
        static_cast<uint64_t>(info.type.bytes());
  }
  return bytes;
}

}  // namespace hearth
