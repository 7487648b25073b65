// The three graphs that engines build from a family: training, whole-sequence logits, one serving step.
#include "runtime/architectures/model_builder.h"
#include "runtime/ops/cross_entropy/cross_entropy.h"

namespace hearth {
namespace {

constexpr int kMaxTokens = 1 << 20;

Result<void> check_tokens(const char* what, int n) {
  if (n >= 1 && n <= kMaxTokens) return {};
  return error(Code::invalid_argument, "a graph needs 1 to {} {}, got {}", kMaxTokens, what, n);
}

Result<const Architecture*> generator(const ModelConfig& config) {
  const Architecture* architecture = TRY(find_architecture(config.family));
  if (architecture->task() == ModelTask::generate) return architecture;
  return error(Code::failed_precondition, "models of the family {} turn texts into {}; they do not write", config.family,
               architecture->task() == ModelTask::embed ? "vectors (/v1/embeddings)" : "scores (/v1/rerank)");
}

}  // namespace

Result<TrainingGraph> build_training_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens,
                                           const LoraConfig& lora) {
  TRY(validate(config));
  TRY(check_tokens("tokens", n_tokens));
  const Architecture* architecture = TRY(generator(config));
  ModelBuilder m(config, *architecture, dtype_of, lora, n_tokens, std::nullopt);
  const Value targets = m.b().input("targets", {Dtype::i32, {n_tokens}});
  const Value weights = m.b().input("loss_weights", {Dtype::f32, {n_tokens}});
  const Value logits = m.lm_head(architecture->forward(m));
  TrainingGraph out;
  out.loss = m.b().apply(std::make_shared<CrossEntropy>(), {logits, targets, weights});
  m.b().output(out.loss);
  out.layer_inputs = m.layer_inputs();
  out.graph = TRY(m.b().finish());
  out.n_forward_nodes = out.graph.nodes().size();
  return out;
}

Result<Graph> build_logits_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens,
                                 const LoraConfig& lora) {
  TRY(validate(config));
  TRY(check_tokens("tokens", n_tokens));
  const Architecture* architecture = TRY(generator(config));
  ModelBuilder m(config, *architecture, dtype_of, lora, n_tokens, std::nullopt);
  m.b().output(m.lm_head(architecture->forward(m)));
  return m.b().finish();
}

Result<Graph> build_serving_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens, int n_logit_rows,
                                  const CacheConfig& cache, const LoraConfig& lora) {
  TRY(validate(config));
  TRY(check_tokens("tokens", n_tokens));
  TRY(check_tokens("logit rows", n_logit_rows));
  TRY(check_tokens("cache pages", cache.n_pages));
  TRY(check_tokens("positions in a page", cache.page_size));
  TRY(check_tokens("sequences", cache.max_seqs));
  TRY(check_tokens("pages in a sequence", cache.max_pages_per_seq));
  const Architecture* architecture = TRY(generator(config));
  ModelBuilder m(config, *architecture, dtype_of, lora, n_tokens, cache);
  const Value rows = m.b().input("logit_rows", {Dtype::i32, {n_logit_rows}});
  const Value hidden = architecture->forward(m);
  m.b().output(m.lm_head(m.b().gather_rows(hidden, rows)));
  return m.b().finish();
}

Result<Graph> build_encoder_graph(const ModelConfig& config, const DtypeOf& dtype_of, int n_tokens, int n_rows) {
  TRY(validate(config));
  TRY(check_tokens("tokens", n_tokens));
  TRY(check_tokens("texts", n_rows));
  const Architecture* architecture = TRY(find_architecture(config.family));
  if (architecture->task() == ModelTask::generate)
    return error(Code::failed_precondition, "models of the family {} write; they are not encoders", config.family);
  ModelBuilder m(config, *architecture, dtype_of, {}, n_tokens, std::nullopt);
  const Value rows = m.b().input("rows", {Dtype::i32, {n_rows}});
  const Value hidden = architecture->forward(m);
  m.b().output(architecture->task() == ModelTask::embed ? hidden : architecture->score(m, m.b().gather_rows(hidden, rows)));
  return m.b().finish();
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
