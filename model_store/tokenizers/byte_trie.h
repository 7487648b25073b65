// A trie over bytes: which pieces begin at a place in a text. All children of all nodes lie in one hash table.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "model_store/tokenizers/piece_table.h"

namespace hearth {

class ByteTrie {
 public:
  static constexpr int32_t kRoot = 0, kNone = -1;

  // The first piece with a spelling wins.
  void insert(std::string_view piece, int32_t id) {
    int32_t node = kRoot;
    for (char b : piece) {
      int32_t next = step(node, b);
      if (next == kNone) {
        next = static_cast<int32_t>(id_at_.size());
        id_at_.push_back(kNone);
        children_.insert(node, static_cast<uint8_t>(b), {0, next});
        if (node == kRoot) first_[static_cast<uint8_t>(b)] = next;
      }
      node = next;
    }
    if (node != kRoot && id_at_[node] == kNone) id_at_[node] = id;
  }

  // The node that a byte leads to, or kNone.
  int32_t step(int32_t node, char byte) const {
    auto b = static_cast<uint8_t>(byte);
    return node == kRoot ? first_[b] : children_.find(node, b).id;
  }
  int32_t id_at(int32_t node) const { return id_at_[node]; }  // kNone: no piece ends here
  bool empty() const { return id_at_.size() == 1; }

  int32_t walk(std::string_view bytes) const {
    int32_t node = kRoot;
    for (size_t i = 0; i < bytes.size() && node != kNone; ++i) node = step(node, bytes[i]);
    return node;
  }

 private:
  PairTable children_;
  std::vector<int32_t> id_at_ = {kNone};
  std::vector<int32_t> first_ = std::vector<int32_t>(256, kNone);
};

}  // namespace hearth
