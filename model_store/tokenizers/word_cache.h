// Words repeat: the ids of short words that were encoded lately. A table where a new word takes an old one's place, so
// it needs neither bookkeeping nor a limit.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "model_store/tokenizers/piece_table.h"

namespace hearth {

class WordCache {
 public:
  static constexpr size_t kMaxWordBytes = 22, kMaxIds = 8;

  // The ids of a word, if they are known; empty if not. No word has no ids here.
  std::span<const int32_t> find(std::string_view word) {
    if (entries_.empty()) entries_.resize(kEntries);
    Entry& entry = entries_[hash_piece(word) % kEntries];
    if (entry.n_bytes != word.size() || std::memcmp(entry.bytes, word.data(), word.size()) != 0) return {};
    return {entry.ids, entry.n_ids};
  }
  void put(std::string_view word, std::span<const int32_t> ids) {
    if (ids.empty() || ids.size() > kMaxIds) return;
    Entry& entry = entries_[hash_piece(word) % kEntries];
    entry.n_bytes = static_cast<uint8_t>(word.size());
    entry.n_ids = static_cast<uint8_t>(ids.size());
    std::memcpy(entry.bytes, word.data(), word.size());
    std::memcpy(entry.ids, ids.data(), ids.size_bytes());
  }

 private:
  static constexpr size_t kEntries = 1 << 14;  // 900 KiB: about what the second-level cache of a core holds
  struct Entry {
    uint8_t n_bytes = 0, n_ids = 0;
    char bytes[kMaxWordBytes];
    int32_t ids[kMaxIds];
  };
  std::vector<Entry> entries_;
};

}  // namespace hearth
