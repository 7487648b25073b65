// Weights as the kernels of the host want them to lie (graph/layouts.cpp), made once, on loading.
#pragma once

#include <functional>

#include "model_store/formats/load.h"
#include "runtime/exec/executor.h"
#include "runtime/graph/graph.h"

namespace hearth {

// The graph's parameters out of the model's weights, on the host: those that lie as the graph wants them are bound as
// they are, the others are copied into `room`, by n_threads threads (0: Team::default_threads()). Pages of the model's
// files that were copied from go back to the system as the copy grows, so that nothing is held twice; `done` is told of
// each role whose rows are not read any more. Weights that the graph does not read are bound as they are.
Result<Bindings> lay_out_weights(const LoadedModel& model, const Graph& graph, Backend& host, int n_threads,
                                 const std::function<void(const std::string& role)>& done, Buffer& room);

// Whether copies of that many bytes of weights have room; else they are read as they lie in their files, which the
// system can drop.
bool has_room_to_lay_out(uint64_t bytes);

}  // namespace hearth
