// The unigram model (SentencePiece): the way to cut a word into pieces whose scores add up to the most.
// Dynamic programming over a trie: linear in the word times the longest piece that begins at a place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model_store/tokenizers/byte_trie.h"
#include "model_store/tokenizers/token_model.h"

namespace hearth {

struct UnigramOptions {
  bool byte_fallback = false;  // what is unknown becomes "<0x..>" tokens
  bool fuse_unk = true;        // unknown characters in a row are one
  int32_t unk_id = -1;         // -1: what is unknown is left out
};

class UnigramModel : public TokenModel {
 public:
  static constexpr size_t kMaxPieceBytes = 512;  // longer pieces never match; bounds the work at a place
  // Pieces that are empty (control tokens, gaps) never match.
  UnigramModel(const std::vector<std::string>& piece_of, std::vector<double> score_of, UnigramOptions options);

  void encode(std::string_view word, EncodeWork& work, std::vector<int32_t>& out) const override;
  size_t first_part(std::string_view word) const override {
    return cut_before_blank_ ? part_before_blank(word) : word.size();
  }

  const std::vector<double>& scores() const { return score_of_; }
  const UnigramOptions& options() const { return options_; }

 private:
  void find_best_path(std::string_view word, EncodeWork& work) const;
  void unknown(std::string_view text, std::vector<int32_t>& out) const;

  ByteTrie trie_;
  std::vector<double> score_of_;
  UnigramOptions options_;
  double unk_score_ = 0;
  int32_t byte_id_[256];
  bool cut_before_blank_ = false;
};

}  // namespace hearth
