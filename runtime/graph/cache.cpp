// cache: whatever mixes tokens has a twin that goes on where a sequence stood; every other op is copied.
#include <map>

#include "runtime/graph/rebuild.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/attention/attention.h"
#include "runtime/ops/attention_cached/attention_cached.h"
#include "runtime/ops/causal_conv1d/causal_conv1d.h"
#include "runtime/ops/causal_conv1d_cached/causal_conv1d_cached.h"
#include "runtime/ops/linear_attention/linear_attention.h"
#include "runtime/ops/linear_attention_cached/linear_attention_cached.h"
#include "runtime/ops/sort_by_expert/sort_by_expert.h"

namespace hearth {
namespace {

class Cache {
 public:
  Cache(const Graph& graph, const CacheConfig& config)
      : graph_(graph),
        config_(config),
        segment_begin_(graph.find("segment_begin")),
        rebuild_(graph, segment_begin_),
        positions_(rebuild_.mapped(graph.find("positions"))) {
    const TensorType of_tokens = graph.type(graph.find("positions"));
    seq_of_token_ = rebuild_.graph().add_leaf(ValueKind::input, "seq_of_token", of_tokens);
    page_table_ = rebuild_.graph().add_leaf(ValueKind::input, "page_table",
                                            {Dtype::i32, {config.max_seqs, config.max_pages_per_seq}});
  }

  Result<Graph> run() {
    for (const Node& node : graph_.nodes()) TRY(visit(node));
    return rebuild_.finish();
  }

 private:
  Result<void> visit(const Node& node) {
    if (const auto* op = dynamic_cast<const Attention*>(node.op.get())) return attention(node, op->heads);
    if (const auto* op = dynamic_cast<const LinearAttention*>(node.op.get())) return recurrence(node, op->heads);
    if (dynamic_cast<const CausalConv1d*>(node.op.get()) != nullptr) return convolution(node);
    if (dynamic_cast<const SortByExpert*>(node.op.get()) != nullptr) return sort_by_expert(node);
    return rebuild_.copy(node);
  }

  Result<void> attention(const Node& node, const AttentionAttributes& heads) {
    constexpr size_t kSegments = 3;
    TRY(check_documents(node, kSegments));
    const auto [pages, is_new] = pages_.try_emplace({node.inputs[1].id, node.inputs[2].id});
    if (is_new)
      pages->second = {page_state(node.scope + ".k_cache", heads.n_kv_heads, heads.head_dim),
                       page_state(node.scope + ".v_cache", heads.n_kv_heads, heads.v_dim())};
    const auto [k_cache, v_cache] = pages->second;
    return replace(node, kSegments, std::make_shared<AttentionCached>(heads),
                   {k_cache, v_cache, positions_, seq_of_token_, page_table_});
  }

  Result<void> recurrence(const Node& node, const LinearAttentionAttributes& heads) {
    constexpr size_t kSegments = 5;
    TRY(check_documents(node, kSegments));
    const Value state = sequence_state(node.scope + ".recurrent_state", {heads.n_v_heads, heads.k_dim, heads.v_dim});
    return replace(node, kSegments, std::make_shared<LinearAttentionCached>(heads), {state, positions_, seq_of_token_});
  }

  Result<void> convolution(const Node& node) {
    constexpr size_t kSegments = 2;
    TRY(check_documents(node, kSegments));
    const ValueInfo& taps = graph_.info(node.inputs[1]);  // [C, W]
    const std::string name = taps.name.empty() ? node.scope + ".conv" : taps.name;
    const Value state = sequence_state(name + "_state", {taps.type.shape[1] - 1, taps.type.shape[0]});
    return replace(node, kSegments, std::make_shared<CausalConv1dCached>(), {state, positions_, seq_of_token_});
  }

  // Steps are padded with tokens at no position: those go to no expert.
  Result<void> sort_by_expert(const Node& node) {
    const std::vector<Value> sorted = TRY(rebuild_.add(node, {rebuild_.mapped(node.inputs[0]), positions_}));
    for (size_t i = 0; i < sorted.size(); ++i) rebuild_.map(node.outputs[i], sorted[i]);
    return {};
  }

  // The twin reads `instead` where the node read its documents.
  Result<void> replace(const Node& node, size_t segments, std::shared_ptr<const Op> twin, std::vector<Value> instead) {
    std::vector<Value> inputs;
    for (size_t i = 0; i < segments; ++i) inputs.push_back(rebuild_.mapped(node.inputs[i]));
    inputs.insert(inputs.end(), instead.begin(), instead.end());
    for (size_t i = segments + 1; i < node.inputs.size(); ++i) inputs.push_back(rebuild_.mapped(node.inputs[i]));
    const Node like{std::move(twin), {}, {}, node.scope};
    rebuild_.map(node.outputs[0], TRY(rebuild_.add(like, std::move(inputs)))[0]);
    return {};
  }

  Result<void> check_documents(const Node& node, size_t segments) const {
    if (node.inputs[segments] == segment_begin_) return {};
    return error(Code::unimplemented, "{} in {} has documents of its own, which have no cache", node.op->name(),
                 node.scope);
  }

  Value page_state(const std::string& name, int n_kv_heads, int width) {
    return state(name, {config_.dtype, {config_.n_pages, n_kv_heads, config_.page_size, width}},
                 StateKind::per_position);
  }

  Value sequence_state(const std::string& name, Shape of_one) {
    Shape shape{config_.max_seqs + config_.n_kept_rows};
    for (int i = 0; i < of_one.rank(); ++i) shape.append(of_one[i]);
    return state(name, {Dtype::f32, shape}, StateKind::per_sequence);
  }

  // The only place that names states: numbered from the second of a name on.
  Value state(const std::string& name, TensorType type, StateKind kind) {
    const int n = ++n_of_name_[name];
    return rebuild_.graph().add_leaf(ValueKind::state, n == 1 ? name : fmt::format("{}.{}", name, n), type, kind);
  }

  const Graph& graph_;
  const CacheConfig& config_;
  Value segment_begin_;
  Rebuild rebuild_;
  Value positions_, seq_of_token_, page_table_;
  std::map<std::pair<int, int>, std::pair<Value, Value>> pages_;  // by keys and values in `graph_`
  std::map<std::string, int> n_of_name_;
};

Result<void> check_size(const char* what, int n) {
  constexpr int kMost = 1 << 20;
  if (n >= 1 && n <= kMost) return {};
  return error(Code::invalid_argument, "a graph needs 1 to {} {}, got {}", kMost, what, n);
}

}  // namespace

Result<Graph> cache(const Graph& forward, const CacheConfig& config) {
  TRY(check_size("cache pages", config.n_pages));
  TRY(check_size("positions in a page", config.page_size));
  TRY(check_size("sequences", config.max_seqs));
  TRY(check_size("pages in a sequence", config.max_pages_per_seq));
  for (const char* name : {"positions", "segment_begin"})
    if (!forward.find(name))
      return error(Code::invalid_argument, "cache: the graph has no input \"{}\": is it a forward graph?", name);
  return Cache(forward, config).run();
}

}  // namespace hearth
