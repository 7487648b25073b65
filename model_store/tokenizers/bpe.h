// Byte-pair merging of one word: the lowest-ranked neighbouring pair is merged first, until none is left.
// With a priority queue a word of n bytes takes O(n log n), so a megabyte without a blank is no trap.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace hearth {

class BpeModel {
 public:
  // `piece_of[id]` are raw bytes, empty for ids that merging never yields. `merges` are pairs of raw bytes, best first.
  // A merge of tokens that are not there is an error when strict, else left out.
  struct Merge {
    std::string left, right;
  };
  static Result<BpeModel> create(const std::vector<std::string>& piece_of, const std::vector<Merge>& merges,
                                 bool ignore_merges, int32_t unk_id, bool strict_merges);

  // Appends the ids of one word. Bytes without a token of their own become unk, or nothing when there is none.
  void encode(std::string_view word, std::vector<int32_t>& out) const;

 private:
  struct PairRank {
    int32_t rank, id;
  };
  static uint64_t key(int32_t left, int32_t right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }

  std::unordered_map<std::string, int32_t> id_of_;
  std::unordered_map<uint64_t, PairRank> merge_of_;
  int32_t byte_id_[256];
  bool ignore_merges_ = false;  // a word that is a token as a whole is that token, whatever the merges say
  int32_t unk_id_ = -1;
};

}  // namespace hearth
