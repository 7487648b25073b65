// BpeModel: the first symbols of a word, and the two merge loops.
#include "model_store/tokenizers/bpe.h"

#include <algorithm>
#include <tuple>

#include "base/utf8.h"

namespace hearth {
namespace {

constexpr size_t kShortWord = 24;  // symbols; looking at all pairs costs less than a heap up to about here
constexpr int32_t kNoRank = INT32_MAX;

size_t count_characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char b) { return (b & 0xC0) != 0x80; }));
}

bool later(const EncodeWork::Candidate& a, const EncodeWork::Candidate& b) {
  return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
}

}  // namespace

BpeModel::BpeModel(std::vector<std::string> piece_of, BpeOptions options)
    : piece_of_(std::move(piece_of)), id_of_(piece_of_.size()), options_(std::move(options)) {
  std::fill(std::begin(byte_id_), std::end(byte_id_), -1);
  std::fill(std::begin(ascii_id_), std::end(ascii_id_), -1);
  for (size_t i = 0; i < piece_of_.size(); ++i) {
    const std::string& piece = piece_of_[i];
    auto id = static_cast<int32_t>(i);
    if (piece.empty() || !id_of_.insert(piece, id)) continue;
    auto first = static_cast<uint8_t>(piece[0]);
    if (piece.size() == 1 && options_.bytes) byte_id_[first] = id;
    if (piece.size() == 1 && first < 128) ascii_id_[first] = id;
    if (int byte = byte_of_token(piece); byte >= 0 && !options_.bytes) byte_id_[byte] = id;
  }
  has_all_bytes_ = std::count(std::begin(byte_id_), std::end(byte_id_), -1) == 0;
}

Result<void> BpeModel::add_merges(std::span<const Merge> merges, bool strict) {
  merge_of_ = PairTable(merges.size());
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    std::string_view added = right;
    if (!options_.continuing_prefix.empty() && added.size() >= options_.continuing_prefix.size())
      added.remove_prefix(options_.continuing_prefix.size());
    int32_t l = id_of_.find(left), r = id_of_.find(right), whole = id_of_.find(left + std::string(added));
    if (l < 0 || r < 0 || whole < 0) {
      if (!strict) continue;
      return error(Code::invalid_argument, "merge number {} joins or makes a token that is not in the vocabulary",
                   rank);
    }
    merge_of_.insert(l, r, {static_cast<int32_t>(rank), whole});
  }
  finish_merges();
  return {};
}

void BpeModel::merge_by_scores(std::span<const float> score_of) {
  std::vector<int32_t> order;
  for (size_t i = 0; i < piece_of_.size(); ++i)
    if (!piece_of_[i].empty()) order.push_back(static_cast<int32_t>(i));
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return score_of[a] > score_of[b]; });
  std::vector<std::string_view> extra;
  auto part = [&](std::string_view text) {
    int32_t id = id_of_.find(text);
    if (id < 0 && decode_utf8(text).n_bytes == static_cast<int>(text.size())) {
      id = static_cast<int32_t>(piece_of_.size() + extra.size());
      extra.push_back(text);
      id_of_.insert(text, id);
      if (text.size() == 1) ascii_id_[static_cast<uint8_t>(text[0])] = id;
    }
    return id;
  };
  int32_t rank = -1;
  const float* previous = nullptr;
  for (int32_t id : order) {
    if (!previous || *previous != score_of[id]) ++rank;  // pieces of one score are merged from left to right
    previous = &score_of[id];
    std::string_view piece = piece_of_[id];
    if (byte_of_token(piece) >= 0 || valid_utf8_prefix(piece) < piece.size()) continue;
    for (size_t at = decode_utf8(piece).n_bytes; at < piece.size(); at += decode_utf8(piece.substr(at)).n_bytes) {
      int32_t left = part(piece.substr(0, at));
      int32_t right = left < 0 ? -1 : part(piece.substr(at));
      if (right >= 0) merge_of_.insert(left, right, {rank, id});
    }
  }
  extra_characters_.assign(extra.begin(), extra.end());
  finish_merges();
}

void BpeModel::finish_merges() {
  bool plain = !options_.bytes && !options_.ignore_merges && options_.continuing_prefix.empty() &&
               options_.end_suffix.empty() && id_of_.find(kBlankSymbol) >= 0;
  cut_before_blank_ = plain && std::none_of(merge_of_.slots().begin(), merge_of_.slots().end(), [&](const auto& slot) {
                        return slot.value.id >= 0 && has_blank_inside(piece_of_[slot.value.id]);
                      });
}

std::vector<PairTable::Slot> BpeModel::merges_in_order() const {
  std::vector<PairTable::Slot> out;
  for (const auto& slot : merge_of_.slots())
    if (slot.value.id >= 0) out.push_back(slot);
  // Merges of one rank in the order in which SentencePiece models are converted: the longest left part first.
  auto length = [&](int32_t id) { return is_piece(id) ? -static_cast<int32_t>(count_characters(piece_of_[id])) : -1; };
  std::sort(out.begin(), out.end(), [&](const auto& a, const auto& b) {
    return std::tuple(a.value.rank, length(a.left), length(a.right), a.left, a.right) <
           std::tuple(b.value.rank, length(b.left), length(b.right), b.left, b.right);
  });
  return out;
}

int32_t BpeModel::character_id(std::string_view character, bool begins, bool ends) const {
  bool has_prefix = !begins && !options_.continuing_prefix.empty(), has_suffix = ends && !options_.end_suffix.empty();
  if (!has_prefix && !has_suffix)
    return character.size() == 1 ? ascii_id_[static_cast<uint8_t>(character[0])] : id_of_.find(character);
  std::string text = has_prefix ? options_.continuing_prefix : "";
  text += character;
  if (has_suffix) text += options_.end_suffix;
  return id_of_.find(text);
}

void BpeModel::unknown_character(std::string_view character, bool& after_unk, std::vector<int32_t>& ids) const {
  bool has_bytes = options_.byte_fallback &&
                   (has_all_bytes_ || std::all_of(character.begin(), character.end(),
                                                  [&](char b) { return byte_id_[static_cast<uint8_t>(b)] >= 0; }));
  if (has_bytes) {
    for (char b : character) ids.push_back(byte_id_[static_cast<uint8_t>(b)]);
  } else if (options_.unk_id >= 0) {
    if (!(after_unk && options_.fuse_unk)) ids.push_back(options_.unk_id);
    after_unk = true;
  }
}

// The word's bytes or characters as ids in work.ids.
void BpeModel::first_symbols(std::string_view word, EncodeWork& work) const {
  work.ids.clear();
  work.steps += word.size();
  if (options_.bytes) {
    for (char b : word) {
      int32_t id = byte_id_[static_cast<uint8_t>(b)];
      if (id < 0) id = options_.unk_id;
      if (id >= 0) work.ids.push_back(id);
    }
    return;
  }
  bool after_unk = false;
  for (size_t at = 0; at < word.size();) {
    size_t n = std::max(1, decode_utf8(word.substr(at)).n_bytes);
    std::string_view character = word.substr(at, n);
    int32_t id = character_id(character, at == 0, at + n == word.size());
    if (id >= 0) {
      work.ids.push_back(id);
      after_unk = false;
    } else {
      unknown_character(character, after_unk, work.ids);
    }
    at += n;
  }
}

void BpeModel::encode(std::string_view word, EncodeWork& work, std::vector<int32_t>& out) const {
  if (options_.ignore_merges)
    if (int32_t whole = id_of_.find(word); whole >= 0) {
      ++work.steps;
      out.push_back(whole);
      return;
    }
  first_symbols(word, work);
  if (work.ids.size() > kShortWord)
    merge_long(work);
  else if (work.ids.size() > 1)
    merge_short(work);
  bool after_unk = false;
  for (int32_t id : work.ids) {
    if (id < static_cast<int32_t>(piece_of_.size()))
      out.push_back(id);
    else  // a character that nothing took in, and that has no token of its own
      unknown_character(extra_characters_[id - piece_of_.size()], after_unk, out);
  }
}

void BpeModel::merge_short(EncodeWork& work) const {
  std::vector<int32_t>& ids = work.ids;
  std::vector<int32_t>& ranks = work.ranks;  // ranks[i]: of the pair (i, i + 1)
  size_t n = ids.size();
  ranks.resize(n);
  auto rank_at = [&](size_t i) {
    ++work.steps;
    auto found = merge_of_.find(ids[i], ids[i + 1]);
    return found.id < 0 ? kNoRank : found.rank;
  };
  for (size_t i = 0; i + 1 < n; ++i) ranks[i] = rank_at(i);
  while (n > 1) {
    size_t best = std::min_element(ranks.begin(), ranks.begin() + (n - 1)) - ranks.begin();
    if (ranks[best] == kNoRank) break;
    ids[best] = merge_of_.find(ids[best], ids[best + 1]).id;
    std::copy(ids.begin() + best + 2, ids.begin() + n, ids.begin() + best + 1);
    std::copy(ranks.begin() + best + 1, ranks.begin() + (n - 1), ranks.begin() + best);
    --n;
    if (best + 1 < n) ranks[best] = rank_at(best);
    if (best > 0) ranks[best - 1] = rank_at(best - 1);
  }
  ids.resize(n);
}

void BpeModel::merge_long(EncodeWork& work) const {
  auto& symbols = work.symbols;
  auto& queue = work.queue;
  symbols.clear();
  queue.clear();
  auto n = static_cast<int32_t>(work.ids.size());
  for (int32_t i = 0; i < n; ++i) symbols.push_back({work.ids[i], i - 1, i + 1 < n ? i + 1 : -1});
  auto consider = [&](int32_t left) {
    if (left < 0 || symbols[left].next < 0) return false;
    ++work.steps;
    int32_t a = symbols[left].id, b = symbols[symbols[left].next].id;
    auto found = merge_of_.find(a, b);
    if (found.id >= 0) queue.push_back({found.rank, left, found.id, a, b});
    return found.id >= 0;
  };
  for (int32_t i = 0; i + 1 < n; ++i) consider(i);
  std::make_heap(queue.begin(), queue.end(), later);
  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end(), later);
    EncodeWork::Candidate best = queue.back();
    queue.pop_back();
    auto& left = symbols[best.position];
    if (left.id != best.left || left.next < 0 || symbols[left.next].id != best.right) continue;  // merged meanwhile
    auto& right = symbols[left.next];
    left.id = best.id;
    right.id = -1;
    left.next = right.next;
    if (left.next >= 0) symbols[left.next].previous = best.position;
    if (consider(left.previous)) std::push_heap(queue.begin(), queue.end(), later);
    if (consider(best.position)) std::push_heap(queue.begin(), queue.end(), later);
  }
  work.ids.clear();
  for (int32_t i = 0; i >= 0; i = symbols[i].next) work.ids.push_back(symbols[i].id);
}

}  // namespace hearth
