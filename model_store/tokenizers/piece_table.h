// Two flat hash tables, open addressing: piece of text → id, and pair of ids → merge. Lookups allocate nothing.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace hearth {

// Mixes eight bytes at a time; good enough for tables that are a third full, and no promise to anybody outside.
inline uint64_t hash_piece(std::string_view bytes) {
  uint64_t h = 0x9E3779B97F4A7C15u ^ bytes.size();
  auto mix = [&h](uint64_t v) {
    h = (h ^ v) * 0xD6E8FEB86659FD93u;
    h ^= h >> 32;
  };
  while (bytes.size() >= 8) {
    uint64_t v;
    __builtin_memcpy(&v, bytes.data(), 8);
    mix(v);
    bytes.remove_prefix(8);
  }
  uint64_t v = 0;
  __builtin_memcpy(&v, bytes.data(), bytes.size());
  mix(v);
  return h ^ h >> 29;
}

// Views must stay valid as long as the table.
class PieceTable {
 public:
  explicit PieceTable(size_t n_pieces = 0) { resize(n_pieces); }

  // The first one wins; false when the piece is there already.
  bool insert(std::string_view piece, int32_t id) {
    if ((size_ + 1) * 2 > slots_.size()) grow();
    Slot& slot = slots_[place(piece)];
    if (slot.id >= 0) return false;
    slot = {piece, id};
    ++size_;
    return true;
  }
  int32_t find(std::string_view piece) const { return slots_[place(piece)].id; }  // -1: not there

 private:
  struct Slot {
    std::string_view piece;
    int32_t id = -1;
  };
  void resize(size_t n_pieces) {
    size_t n = 16;
    while (n < n_pieces * 3) n *= 2;
    slots_.assign(n, {});
  }
  void grow() {
    std::vector<Slot> old = std::move(slots_);
    resize(old.size());
    for (const Slot& slot : old)
      if (slot.id >= 0) slots_[place(slot.piece)] = slot;
  }
  size_t place(std::string_view piece) const {
    size_t mask = slots_.size() - 1, at = hash_piece(piece) & mask;
    while (slots_[at].id >= 0 && slots_[at].piece != piece) at = (at + 1) & mask;
    return at;
  }

  std::vector<Slot> slots_;
  size_t size_ = 0;
};

// Two numbers of 32 bits → two numbers of 32 bits.
class PairTable {
 public:
  struct Value {
    int32_t rank, id;  // id < 0: not there
  };
  struct Slot {
    int32_t left, right;
    Value value;
  };
  explicit PairTable(size_t n_pairs = 0) { resize(n_pairs); }

  bool insert(int32_t left, int32_t right, Value value) {
    if ((size_ + 1) * 2 > slots_.size()) grow();
    Slot& slot = slots_[place(left, right)];
    if (slot.value.id >= 0) return false;
    slot = {left, right, value};
    ++size_;
    return true;
  }
  Value find(int32_t left, int32_t right) const { return slots_[place(left, right)].value; }
  size_t size() const { return size_; }
  const std::vector<Slot>& slots() const { return slots_; }

 private:
  void resize(size_t n_pairs) {
    size_t n = 16;
    while (n < n_pairs * 3) n *= 2;
    slots_.assign(n, Slot{-1, -1, {0, -1}});
  }
  void grow() {
    std::vector<Slot> old = std::move(slots_);
    resize(old.size());
    for (const Slot& slot : old)
      if (slot.value.id >= 0) slots_[place(slot.left, slot.right)] = slot;
  }
  size_t place(int32_t left, int32_t right) const {
    uint64_t key = static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
    key *= 0x9E3779B97F4A7C15u;
    size_t mask = slots_.size() - 1, at = (key ^ key >> 32) & mask;
    while (slots_[at].value.id >= 0 && (slots_[at].left != left || slots_[at].right != right)) at = (at + 1) & mask;
    return at;
  }

  std::vector<Slot> slots_;
  size_t size_ = 0;
};

}  // namespace hearth
