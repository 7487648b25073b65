// shard: a graph for each part of a mesh axis. Shardings of leaves are propagated through the graph: every node takes
// the cheapest of its op's alternatives (ops/sharding.h), by the bytes that have to move first; parameters that are cut
// are gathered where there is no other way. Then each part's graph
// is written down, with the collectives that move them.
//
//   const MeshAxis mesh{"tensor", 2};
//   Propagation p = TRY(propagate(graph, mesh, leaves, Outputs::whole));
//   Graph of_part_0 = TRY(shard(graph, p, 0));   // its parameters are parts: part_type(), part_of()
//
// A graph is differentiated first and sharded then. Several mesh axes are several rewrites, the second of each part's
// graph of the first. What is left to a planner: to look further than one node, and to weigh repeated computation.
#pragma once

#include <map>
#include <optional>

#include "runtime/graph/graph.h"
#include "runtime/ops/sharding.h"

namespace hearth {

struct MeshAxis {
  std::string name;  // of the communicator
  int n = 1;
};

// By name in the graph. What is not named is whole; a state takes what its first reader wants.
using LeafShardings = std::map<std::string, Sharding, std::less<>>;

// One way to run one node, and what it costs to get there.
struct Choice {
  Alternative how;                        // without operands: everything whole
  Bounds bounds;                          // of what is cut, in units
  std::vector<Sharding> inputs, outputs;  // inputs as they have to be, outputs as they come
  int n_gathered = 0;                     // parameters that would be gathered, which were cut to save memory
  double bytes = 0;                       // that a part moves first
  int n_moves = 0;                        // operands that have to be brought there, some without moving a byte
};

// What is known of a node's operands.
struct Operands {
  std::vector<TensorType> inputs, outputs;
  std::vector<std::vector<Sharding>> given;  // of inputs: how each is there already; empty: as one likes (a state)
  std::vector<int> sources;                  // of inputs: the node that made it, -1 - id of leaves
  std::vector<bool> is_parameter = {};       // of inputs
  bool may_be_partial = false;               // inputs as one likes may be sums, too
};
// The alternatives of an op for n parts that its operands can be brought to; the whole op is the first.
std::vector<Choice> choices(const Op& op, const Operands& operands, int n);

// Bytes that a part sends to bring a value from one sharding to another; null: it cannot be.
std::optional<double> move_bytes(const TensorType& type, const Sharding& from, const Sharding& to, int n);

enum class Outputs {
  whole,         // every part has all of every output
  as_they_come,  // cut ones stay cut; partial ones are reduced
};

struct Propagation {
  MeshAxis mesh;
  std::vector<Choice> nodes;                        // by node
  std::vector<Sharding> values;                     // by value, as its node makes it
  std::vector<Sharding> outputs;                    // of the graph
  double bytes = 0;                                 // that a part moves in one run
  std::string to_string(const Graph& graph) const;  // one line a node that is not whole
};
// invalid_argument names a leaf that cannot be cut like that, or does not exist.
Result<Propagation> propagate(const Graph& graph, const MeshAxis& mesh, const LeafShardings& leaves, Outputs outputs);
Result<Graph> shard(const Graph& graph, const Propagation& propagation, int part);

}  // namespace hearth
