// What a Tokenizer holds; filled by the readers of tokenizer.json and of GGUF vocabularies.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model_store/tokenizers/added_tokens.h"
#include "model_store/tokenizers/bpe.h"
#include "model_store/tokenizers/normalizer.h"
#include "model_store/tokenizers/pre_tokenizer.h"
#include "model_store/tokenizers/tokenizer.h"

namespace hearth {

constexpr size_t kMaxVocabulary = 4'000'000;
constexpr size_t kMaxTokenBytes = 64 << 10;

struct Tokenizer::Impl {
  std::vector<std::string> bytes_of;    // by id; empty: no such id
  std::vector<std::string> text_of;     // by id, as the vocabulary spells it (byte-level symbols)
  std::vector<bool> special;            // by id
  std::vector<BpeModel::Merge> merges;  // raw bytes; kept for exporters
  bool ignore_merges = false;
  std::deque<AddedToken> added;                    // addresses are stable
  std::unordered_map<std::string, int32_t> id_of;  // text of vocabulary entries, content of added tokens
  AddedTokenFinder raw_added, normalized_added;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::optional<BpeModel> bpe;
  std::vector<int32_t> prefix, suffix;  // what the post-processor puts around a text
  std::optional<int32_t> bos, eos, pad, unk;

  // Id is checked and the tables grow to hold it.
  Result<void> add_piece(int64_t id, std::string text, std::string bytes);
  Result<void> add_token(AddedToken token);
  // After all pieces, tokens, the normalizer and the merges are in: builds the finders and the merge table.
  // Merges of tokens that are not there are errors when strict, else left out.
  Result<void> finish(const std::vector<std::string>& mergeable, bool strict_merges);

  Result<void> encode_words(std::string_view text, std::vector<int32_t>& out) const;
  Result<void> encode_text(std::string_view text, bool parse_special, std::vector<int32_t>& out) const;
};

}  // namespace hearth
