// Rewrites: functions from graphs to graphs. Each fits on a few pages; none knows a model.
//
// A model's forward graph reads tokens, positions and segment_begin, and has one output. Everything else that is done
// with a model is a choice of rewrites, in this order:
//   forward → adapters → cache, select_rows → precision → quantise_activations → layouts      serving
//   forward → adapters → loss → precision → differentiate → recompute → prune       training, and then
//     → optimize                                                                    for one micro-batch a step
//     → accumulate_gradients, optimize_accumulated                                  for several
// and last of all, where a device cannot hold the parameters:
//   → offload
#pragma once

#include <array>
#include <functional>
#include <set>
#include <span>
#include <string>

#include "runtime/graph/graph.h"
#include "runtime/ops/linear_cross_entropy/linear_cross_entropy.h"

namespace hearth {

class Builder;
class KernelTable;

// Marks of a forward graph.
inline constexpr std::string_view kLayerInput = "layer_input";  // what recompute keeps
inline constexpr std::string_view kRows = "rows";  // [T, C]: what comes after works on each token's row alone

// A low-rank update beside every product x · Wᵀ with the parameter W [out, in] (after its "<parameter>_bias", where one
// is added): y + scale · (x · Aᵀ) · Bᵀ, with new parameters "<parameter>.lora_a" [rank, in] and "<parameter>.lora_b"
// [out, rank], f32. invalid_argument names a parameter that no product reads.
struct LowRank {
  std::string parameter;
  int rank = 0;
  float scale = 1;
};
Result<Graph> adapters(const Graph& forward, std::span<const LowRank> updates);
// The same with one of several updates for each token: a new input adapter_of_token i32[T], where -1 is none. The
// parameters are those of all adapters, one after the other, "<parameter>.lora_a" [n_adapters, rank, in] and
// "<parameter>.lora_b" [n_adapters, out, rank]; shorter updates are padded with zeros, and what one does not change is
// zero. Beside LowRank::scale each has its own, kAdapterScale f32[n_adapters, 1]. A token's result depends on its own
// adapter alone; a token with none keeps its value.
inline constexpr std::string_view kAdapterScale = "adapter_scale", kAdapterOfToken = "adapter_of_token";
Result<Graph> adapters_by_token(const Graph& forward, std::span<const LowRank> updates, int n_adapters);

// The sizes of a serving graph's states. What there is of them, the graph itself declares: pages of keys and values
// [n_pages, K, page_size, D] of `dtype`, and rows [max_seqs + n_kept_rows, ...] of recurrences.
struct CacheConfig {
  int n_pages = 0;
  int page_size = 64;
  Dtype dtype = Dtype::f16;   // of keys and values: f32, f16 or bf16
  int max_pages_per_seq = 0;  // second dimension of page_table
  int max_seqs = 1;           // first dimension of page_table
  int n_kept_rows = 0;        // rows of recurrences beside those of the sequences, where states are kept
  int max_seq_len = 0;        // of one sequence; 0: as many positions as its pages have
  int longest() const { return max_seq_len > 0 ? max_seq_len : max_pages_per_seq * page_size; }
};
// Tokens of any mix of sequences, appended to what the states hold of them: attention through pages, convolutions and
// recurrences from where each sequence stood. Inputs seq_of_token i32[T] and page_table i32[max_seqs,
// max_pages_per_seq] in place of segment_begin. Layers that attend to the same keys and values share their pages.
// States are named by the scope of the op that first writes them: "layers.3.k_cache", "layers.3.v_cache",
// "layers.3.recurrent_state"; of a convolution by its taps: "layers.3.conv_state".
// unimplemented where an op reads segment_begin and cannot go on where a sequence stood.
Result<Graph> cache(const Graph& forward, const CacheConfig& config);

// Only the rows of kRows that the new input `input` i32[n_rows] names go on.
Result<Graph> select_rows(const Graph& graph, const std::string& input, int n_rows);

// Without the nodes whose outputs nobody reads and that write to no state. Leaves stay, read or not.
Result<Graph> prune(const Graph& graph);

// The logits f32[T, V] that a loss is made of. Where they are form(x · wᵀ) and nothing else, a term that needs no [T,
// V] buffer takes them apart.
struct Logits {
  Value value;
  Value x, w;  // null: they are something else
  LogitForm form;
};
// A loss f32[1] in place of the logits: the weighted sum of its terms, each of which appends its nodes.
struct LossTerm {
  std::function<Value(Builder& b, const Logits& logits)> build;
  float weight = 1;
};
Result<Graph> loss(const Graph& forward, std::span<const LossTerm> terms);
// Σ loss_weights[t] · nll[t] over the inputs targets i32[T] (-1: no loss) and loss_weights f32[T].
LossTerm cross_entropy();

// Training as programs over one set of states: the parameters that learn, "<parameter>.m" and "<parameter>.v", and
// where several micro-batches make a step, "<parameter>.grad". Where the gradients or the loss are no finite numbers,
// nothing is updated.
struct Gradient {
  std::string parameter;
  Value value;
  bool decays = false;  // weight_decay is for it
};
struct Optimizer {  // AdamW
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8, weight_decay = 0;
  double max_norm = 0;  // all gradients together are clipped to that length; 0: never
};
// What the input rates f32[3] of an update is filled with; steps count from 1.
using Rates = std::array<float, 3>;
Rates rates_of(const Optimizer& optimizer, double learning_rate, int64_t step);
// A step of one micro-batch, after backward, whose first output is the loss. New input rates. Outputs: loss, norm
// f32[1], the gradients.
Result<Graph> optimize(const Graph& backward, std::span<const Gradient> gradients, const Optimizer& optimizer);
// A step of several: for each, backward, whose gradients are added to those states; new input keep f32[1], 0 for the
// first. Output: its loss. Then once, the update alone, with the input rates: output norm.
Result<Graph> accumulate_gradients(const Graph& backward, std::span<const Gradient> gradients);
Result<Graph> optimize_accumulated(const Graph& backward, std::span<const Gradient> gradients,
                                   const Optimizer& optimizer);

struct Differentiated {
  Graph graph;               // the forward graph, its outputs kept, with the backward nodes appended
  std::vector<Value> grads;  // one per wrt, also appended to the graph's outputs in that order; null where none flows
};
// Reverse mode. loss must be f32[1]; its gradient is a new input "dloss" f32[1] (1 for the plain gradient). Values keep
// their ids, so handles into the forward graph stay valid. unimplemented when an op on the path has no gradient.
Result<Differentiated> differentiate(const Graph& forward, Value loss, std::span<const Value> wrt);

// Trades compute for memory in a differentiated graph: computed forward values that backward nodes use are recomputed
// from the `keep` values (and leaves) just before their first use in backward, instead of being held. n_forward: nodes
// before backward.
Result<Graph> recompute(const Graph& graph, size_t n_forward_nodes, std::span<const Value> keep);

// Activations of that dtype, f32 or bf16, where ops take it (Op::activations): from the rows of tables on, everything
// that is computed of them; casts where an op takes f32 alone, and before outputs, whose types stay. Parameters,
// states, and what gradients of parameters are summed in, keep their dtypes. f32: the graph as it is.
Result<Graph> precision(const Graph& graph, Dtype activations);

// For serving: products of activations with weights of less than 8 bits that are whole numbers read q8_0 activations,
// made by one `quantise` node for all the products that share them. Results move by less than 1 % of their size.
// Backward does not read quantised activations: after differentiate, or not at all.
Result<Graph> quantise_activations(const Graph& graph);

// Parameters as the kernels of a backend want them to lie (KernelTable::layout_for), where all that read one want it
// alike: a table of which rows are gathered too stays row-major. What is bound to them has to lie so: pack_panels().
Graph layouts(const Graph& graph, const KernelTable& kernels);

// The parameters that stay in the host's memory where the device has room for resident_bytes of them. Each that stays
// there costs a copy of all its bytes a use, so those that are read in the most scopes are kept first, and of equal
// ones as many bytes as fit, those that are streamed spread evenly over the run. Vectors are always kept: they are next
// to nothing, and a copy takes some 10 µs whatever its size. The same for all graphs of one model.
std::set<std::string> choose_streamed(const Graph& graph, int64_t resident_bytes);
// Those parameters are brought to the device by a `fetch` each, in every scope that reads them. invalid_argument: there
// is no such parameter. Empty: the graph as it is, as for a device that works on the host's memory.
Result<Graph> offload(const Graph& graph, const std::set<std::string>& streamed);

}  // namespace hearth
