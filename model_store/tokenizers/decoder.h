// Decoders: what a token's spelling in the vocabulary means as text. The steps are those of tokenizer.json (ByteLevel,
// ByteFallback, Metaspace, WordPiece, BPEDecoder, Replace, Strip, Fuse, Sequence), brought into one form: what a token
// gives depends on the token, and on whether it is the first or the last; after that only the text's beginning is cut.
// So decoding one token at a time gives the same as decoding all of them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace hearth {

class Decoder {
 public:
  struct Place {
    bool is_first = false, is_last = false;
    bool is_added = false;  // an added token is spelled as it is, never in byte-level symbols
  };
  using Step = std::function<std::string(std::string token, Place place)>;

  // The "decoder" member of tokenizer.json (null: tokens stand apart, a blank between them).
  static Result<Decoder> from_json(const Json& json);
  const Json& json() const { return json_; }

  // The bytes that a token stands for there; they may be a part of a character.
  std::string bytes_of(std::string_view token, Place place) const;
  bool looks_at_first() const { return looks_at_first_; }
  bool looks_at_last() const { return looks_at_last_; }

  // What is cut off the beginning of the whole: up to so many of these characters.
  std::string_view strip_content() const { return strip_content_; }
  size_t n_strip() const { return n_strip_; }

 private:
  Result<void> add(const Json& json, int depth);
  Result<void> add_strip(const Json& json);
  Result<void> add_word_piece(const Json& json);

  std::vector<Step> steps_;
  bool looks_at_first_ = false, looks_at_last_ = false, fused_ = false;
  std::string strip_content_;
  size_t n_strip_ = 0;
  Json json_;
};

}  // namespace hearth
