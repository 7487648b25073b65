// What makes ids of one word: merges (bpe.h), the best path (unigram.h) or the longest match (word_piece.h).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace hearth {

// Buffers that encoding uses again and again, and how much was done. One per thread at a time.
struct EncodeWork {
  struct Symbol {  // of a word that is being merged: a linked list
    int32_t id, previous, next;
  };
  struct Candidate {  // a pair that could be merged; stale when `left` or `right` no longer stand there
    int32_t rank, position, id, left, right;
  };
  struct PathNode {  // the best way to reach a place in a word
    double score;
    int32_t from, id;
  };
  std::vector<Symbol> symbols;
  std::vector<Candidate> queue;
  std::vector<PathNode> path;
  std::vector<int32_t> ids, ranks;
  uint64_t steps = 0;  // table look-ups, all in all; grows in proportion to the text, whatever the text is
};

// Immutable; used from several threads.
class TokenModel {
 public:
  virtual ~TokenModel() = default;
  // Appends the ids of a word (valid UTF-8, or raw bytes where the vocabulary is one of bytes).
  virtual void encode(std::string_view word, EncodeWork& work, std::vector<int32_t>& out) const = 0;
  // Are words raw bytes, any of the 256? Then what is not valid UTF-8 is kept byte for byte, too.
  virtual bool takes_bytes() const { return false; }
  // Where a word may be cut without changing its ids (so that the parts can be looked up in a cache): the length of the
  // first part.
  virtual size_t first_part(std::string_view word) const { return word.size(); }
};

// "<0x0A>" → 10; -1: not the name of a byte.
int byte_of_token(std::string_view text);

// SentencePiece writes U+2581 for a blank. In a vocabulary where it begins pieces and never stands behind another
// character, text may be cut in front of it.
constexpr std::string_view kBlankSymbol = "\xE2\x96\x81";
bool has_blank_inside(std::string_view piece);
size_t part_before_blank(std::string_view word);

}  // namespace hearth
