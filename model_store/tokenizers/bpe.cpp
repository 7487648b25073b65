// BpeModel: pair table and the merge loop.
#include "model_store/tokenizers/bpe.h"

#include <algorithm>
#include <queue>

namespace hearth {
namespace {

// The word as a doubly linked list of tokens; a merged-away token has id -1.
struct Symbol {
  int32_t id;
  int32_t previous, next;
};

struct Candidate {
  int32_t rank;
  int32_t position;  // of the left symbol
  int32_t id;        // what the pair would become
  int32_t left, right;
  bool operator<(const Candidate& other) const {  // std::priority_queue puts the largest first
    return rank != other.rank ? rank > other.rank : position > other.position;
  }
};

}  // namespace

Result<BpeModel> BpeModel::create(const std::vector<std::string>& piece_of, const std::vector<Merge>& merges,
                                  bool ignore_merges, int32_t unk_id, bool strict_merges) {
  BpeModel out;
  out.ignore_merges_ = ignore_merges;
  out.unk_id_ = unk_id;
  std::fill(std::begin(out.byte_id_), std::end(out.byte_id_), -1);
  out.id_of_.reserve(piece_of.size());
  for (size_t id = 0; id < piece_of.size(); ++id) {
    if (piece_of[id].empty()) continue;
    out.id_of_.emplace(piece_of[id], static_cast<int32_t>(id));
    if (piece_of[id].size() == 1) out.byte_id_[static_cast<uint8_t>(piece_of[id][0])] = static_cast<int32_t>(id);
  }
  out.merge_of_.reserve(merges.size());
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    auto l = out.id_of_.find(left), r = out.id_of_.find(right), whole = out.id_of_.find(left + right);
    if (l == out.id_of_.end() || r == out.id_of_.end() || whole == out.id_of_.end()) {
      if (!strict_merges) continue;
      return error(Code::invalid_argument, "merge number {} joins or makes a token that is not in the vocabulary",
                   rank);
    }
    out.merge_of_.try_emplace(key(l->second, r->second), PairRank{static_cast<int32_t>(rank), whole->second});
  }
  return out;
}

void BpeModel::encode(std::string_view word, std::vector<int32_t>& out) const {
  if (ignore_merges_) {
    if (auto whole = id_of_.find(std::string(word)); whole != id_of_.end()) {
      out.push_back(whole->second);
      return;
    }
  }
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  for (char b : word) {
    int32_t id = byte_id_[static_cast<uint8_t>(b)];
    if (id < 0) id = unk_id_;
    if (id < 0) continue;
    auto at = static_cast<int32_t>(symbols.size());
    symbols.push_back({id, at - 1, at + 1});
  }
  if (symbols.empty()) return;
  symbols.back().next = -1;

  std::priority_queue<Candidate> queue;
  auto consider = [&](int32_t left) {
    if (left < 0 || symbols[left].next < 0) return;
    int32_t a = symbols[left].id, b = symbols[symbols[left].next].id;
    if (auto found = merge_of_.find(key(a, b)); found != merge_of_.end())
      queue.push({found->second.rank, left, found->second.id, a, b});
  };
  for (int32_t i = 0; i + 1 < static_cast<int32_t>(symbols.size()); ++i) consider(i);

  while (!queue.empty()) {
    Candidate best = queue.top();
    queue.pop();
    Symbol& left = symbols[best.position];
    if (left.id != best.left || left.next < 0 || symbols[left.next].id != best.right) continue;  // merged meanwhile
    Symbol& right = symbols[left.next];
    left.id = best.id;
    right.id = -1;
    left.next = right.next;
    if (left.next >= 0) symbols[left.next].previous = best.position;
    consider(left.previous);
    consider(best.position);
  }
  for (int32_t i = 0; i >= 0; i = symbols[i].next) out.push_back(symbols[i].id);
}

}  // namespace hearth
