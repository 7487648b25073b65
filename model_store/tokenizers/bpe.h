// Byte-pair merging of one word: the lowest-ranked neighbouring pair is merged first, until none is left.
// Short words are merged by looking at all pairs; long ones with a heap, O(n log n) and at most 3n look-ups, so a
// megabyte without a blank is no trap. Symbols at first are bytes (GPT-2 and what came after), or characters
// (SentencePiece and the classic kind with "</w>").
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model_store/tokenizers/piece_table.h"
#include "model_store/tokenizers/token_model.h"

namespace hearth {

struct BpeOptions {
  bool bytes = false;          // pieces are raw bytes, and every byte is a symbol
  bool ignore_merges = false;  // a word that is a token as a whole is that token, whatever the merges say
  bool byte_fallback = false;  // a character that is no token becomes "<0x..>" tokens
  bool fuse_unk = false;       // several unknown characters in a row are one unk
  int32_t unk_id = -1;
  std::string continuing_prefix, end_suffix;  // on characters that do not begin, or that end, a word ("##", "</w>")
};

class BpeModel : public TokenModel {
 public:
  struct Merge {
    std::string left, right;
  };
  // `piece_of[id]`: empty for ids that merging never yields.
  BpeModel(std::vector<std::string> piece_of, BpeOptions options);

  // Pieces, best first. A merge of tokens that are not there is an error when strict, else left out.
  Result<void> add_merges(std::span<const Merge> merges, bool strict);
  // SentencePiece: any two neighbours merge that together are a piece; the highest score of the result goes first.
  void merge_by_scores(std::span<const float> score_of);

  void encode(std::string_view word, EncodeWork& work, std::vector<int32_t>& out) const override;
  bool takes_bytes() const override { return options_.bytes && has_all_bytes_; }
  size_t first_part(std::string_view word) const override {
    return cut_before_blank_ ? part_before_blank(word) : word.size();
  }

  const BpeOptions& options() const { return options_; }
  const std::vector<std::string>& pieces() const { return piece_of_; }
  const std::string& piece(int32_t id) const { return piece_of_[id]; }
  size_t n_pieces() const { return piece_of_.size(); }
  bool is_piece(int32_t id) const { return static_cast<size_t>(id) < piece_of_.size(); }
  std::vector<PairTable::Slot> merges_in_order() const;  // for exporters

 private:
  void first_symbols(std::string_view word, EncodeWork& work) const;
  void unknown_character(std::string_view character, bool& after_unk, std::vector<int32_t>& ids) const;
  int32_t character_id(std::string_view character, bool begins, bool ends) const;
  void merge_short(EncodeWork& work) const;
  void merge_long(EncodeWork& work) const;
  void finish_merges();

  std::vector<std::string> piece_of_;
  // Characters that are no pieces but parts of pieces, when merging by scores: ids from piece_of_.size() on.
  std::vector<std::string> extra_characters_;
  PieceTable id_of_;
  PairTable merge_of_;
  int32_t byte_id_[256];   // of the piece that is that byte, or of "<0x..>"
  int32_t ascii_id_[128];  // of the piece that is that character alone, without prefix or suffix
  BpeOptions options_;
  bool has_all_bytes_ = true;
  bool cut_before_blank_ = false;
};

}  // namespace hearth
