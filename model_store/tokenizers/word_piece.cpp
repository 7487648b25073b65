// WordPieceModel on a trie that holds pieces with their prefix.
#include "model_store/tokenizers/word_piece.h"

#include <algorithm>

namespace hearth {

WordPieceModel::WordPieceModel(const std::vector<std::string>& piece_of, WordPieceOptions options)
    : options_(std::move(options)) {
  for (size_t id = 0; id < piece_of.size(); ++id)
    if (!piece_of[id].empty() && piece_of[id].size() <= kMaxPieceBytes)
      trie_.insert(piece_of[id], static_cast<int32_t>(id));
  continuing_ = trie_.walk(options_.continuing_prefix);
}

bool WordPieceModel::encode_pieces(std::string_view word, EncodeWork& work, std::vector<int32_t>& out) const {
  for (size_t at = 0; at < word.size();) {
    int32_t node = at == 0 ? ByteTrie::kRoot : continuing_;
    int32_t id = ByteTrie::kNone;
    size_t end = at;
    for (size_t i = at; i < word.size() && node != ByteTrie::kNone; ++i) {
      ++work.steps;
      node = trie_.step(node, word[i]);
      bool is_whole = !options_.whole_words || i + 1 == word.size();
      if (node == ByteTrie::kNone || trie_.id_at(node) < 0 || !is_whole) continue;
      id = trie_.id_at(node);
      end = i + 1;
    }
    if (id < 0) return false;
    out.push_back(id);
    at = end;
  }
  return true;
}

void WordPieceModel::encode(std::string_view word, EncodeWork& work, std::vector<int32_t>& out) const {
  if (word.empty()) return;
  size_t n_before = out.size();
  auto n_characters =
      static_cast<size_t>(std::count_if(word.begin(), word.end(), [](char b) { return (b & 0xC0) != 0x80; }));
  if (n_characters <= options_.max_word_characters && encode_pieces(word, work, out)) return;
  out.resize(n_before);
  if (options_.unk_id >= 0) out.push_back(options_.unk_id);
}

}  // namespace hearth
