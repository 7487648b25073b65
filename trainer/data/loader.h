// The order in which documents are seen: shuffled per epoch, packed into rows, handed out as batches.
//
// An epoch's layout is a function of (seed, epoch) alone, so the place in the data is two numbers, and a run that is
// resumed from them sees exactly what it would have seen.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "trainer/data/encode.h"

namespace hearth::train {

struct LoaderOptions {
  int max_seq_len = 512;
  bool pack = true;  // several documents in a row; each sees only itself
  bool shuffle = true;
  uint64_t seed = 1;
};

struct LoaderState {
  int64_t epoch = 0, row = 0;
  bool operator==(const LoaderState&) const = default;
};

// T = n_rows * max_seq_len entries each; the inputs of a training graph (runtime/architectures/model_graphs.h).
struct Batch {
  std::vector<int32_t> tokens, positions, segment_begin, targets;  // targets: -1 where nothing is learned
  int64_t n_learned = 0;                                           // targets that are not -1
  int64_t n_tokens = 0;                                            // not padding
};

class Loader {
 public:
  Loader(std::shared_ptr<const std::vector<Document>> documents, const LoaderOptions& options);

  int64_t n_rows();                   // in the present epoch; 0 when there is nothing to learn from
  void next(int n_rows, Batch& out);  // the next rows, going on into the next epoch
  // n_rows rows from `begin` of the present epoch; those from `end` on, or behind the epoch's end, are padding. Does
  // not move.
  void rows_at(int64_t begin, int64_t end, int n_rows, Batch& out);
  LoaderState state() const { return state_; }
  void restore(const LoaderState& state);

 private:
  struct Slice {  // positions [begin, end) of a document as inputs; targets are one further
    uint32_t document;
    int32_t begin, end;
  };
  using Row = std::vector<Slice>;
  void lay_out();  // rows_ for state_.epoch
  void pack_splitting(std::span<const uint32_t> order);
  void pack_whole(std::span<const uint32_t> order);
  void clear(int n_rows, Batch& out) const;
  void fill(const Row& row, int index, Batch& out) const;

  std::shared_ptr<const std::vector<Document>> documents_;
  LoaderOptions options_;
  LoaderState state_;
  int64_t laid_out_epoch_ = -1;
  std::vector<Row> rows_;
};

}  // namespace hearth::train
