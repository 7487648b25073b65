// UnigramModel: the forward pass, and the way back.
#include "model_store/tokenizers/unigram.h"

#include <algorithm>

#include "base/utf8.h"

namespace hearth {
namespace {

constexpr double kUnkPenalty = 10;  // SentencePiece: an unknown character costs this more than the rarest piece

}  // namespace

UnigramModel::UnigramModel(const std::vector<std::string>& piece_of, std::vector<double> score_of,
                           UnigramOptions options)
    : score_of_(std::move(score_of)), options_(options) {
  std::fill(std::begin(byte_id_), std::end(byte_id_), -1);
  double lowest = 0;
  bool any = false, blank_inside = false;
  for (size_t i = 0; i < piece_of.size(); ++i) {
    const std::string& piece = piece_of[i];
    auto id = static_cast<int32_t>(i);
    if (piece.empty()) continue;
    lowest = any ? std::min(lowest, score_of_[i]) : score_of_[i];
    any = true;
    blank_inside |= has_blank_inside(piece);
    if (int byte = byte_of_token(piece); byte >= 0) byte_id_[byte] = id;
    if (piece.size() <= kMaxPieceBytes) trie_.insert(piece, id);
  }
  unk_score_ = lowest - kUnkPenalty;
  int32_t blank = trie_.walk(kBlankSymbol);
  cut_before_blank_ = !blank_inside && blank != ByteTrie::kNone && trie_.id_at(blank) >= 0;
}

// work.path[at]: the best way to reach `at`; id -1 is an unknown character.
void UnigramModel::find_best_path(std::string_view word, EncodeWork& work) const {
  auto& path = work.path;
  path.assign(word.size() + 1, {0, -1, -1});
  for (size_t at = 0; at < word.size();) {
    size_t n_char = std::max(1, decode_utf8(word.substr(at)).n_bytes);
    double here = path[at].score;
    auto reach = [&](size_t end, double score, int32_t id) {
      auto& node = path[end];
      if (node.from < 0 || score > node.score) node = {score, static_cast<int32_t>(at), id};
    };
    bool has_char = false;
    int32_t node = ByteTrie::kRoot;
    for (size_t end = at; end < word.size();) {
      ++work.steps;
      node = trie_.step(node, word[end++]);
      if (node == ByteTrie::kNone) break;
      int32_t id = trie_.id_at(node);
      if (id < 0) continue;
      reach(end, here + score_of_[id], id);
      has_char |= end - at == n_char;
    }
    if (!has_char) reach(at + n_char, here + unk_score_, -1);
    at += n_char;
  }
}

void UnigramModel::unknown(std::string_view text, std::vector<int32_t>& out) const {
  bool has_bytes = options_.byte_fallback && std::all_of(text.begin(), text.end(), [&](char b) {
                     return byte_id_[static_cast<uint8_t>(b)] >= 0;
                   });
  if (has_bytes)
    for (char b : text) out.push_back(byte_id_[static_cast<uint8_t>(b)]);
  else if (options_.unk_id >= 0)
    out.push_back(options_.unk_id);
}

void UnigramModel::encode(std::string_view word, EncodeWork& work, std::vector<int32_t>& out) const {
  if (word.empty()) return;
  find_best_path(word, work);
  // The ends of the pieces, from the last one.
  work.ids.clear();
  for (auto end = static_cast<int32_t>(word.size()); end > 0; end = work.path[end].from) work.ids.push_back(end);
  size_t begin = 0;
  for (size_t i = work.ids.size(); i-- > 0;) {
    auto end = static_cast<size_t>(work.ids[i]);
    int32_t id = work.path[end].id;
    if (id < 0 && options_.fuse_unk)
      while (i > 0 && work.path[work.ids[i - 1]].id < 0) end = static_cast<size_t>(work.ids[--i]);
    if (id >= 0)
      out.push_back(id);
    else
      unknown(word.substr(begin, end - begin), out);
    begin = end;
  }
}

}  // namespace hearth
