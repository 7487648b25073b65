// What a Tokenizer holds; filled by the readers of tokenizer.json, of GGUF vocabularies and of SentencePiece models.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "model_store/tokenizers/added_tokens.h"
#include "model_store/tokenizers/decoder.h"
#include "model_store/tokenizers/normalizer.h"
#include "model_store/tokenizers/post_processor.h"
#include "model_store/tokenizers/pre_tokenizer.h"
#include "model_store/tokenizers/token_model.h"
#include "model_store/tokenizers/tokenizer.h"
#include "model_store/tokenizers/word_cache.h"

namespace hearth {

constexpr size_t kMaxVocabulary = 4'000'000;
constexpr size_t kMaxTokenBytes = 64 << 10;
constexpr size_t kMaxAddedTokenBytes = 4096;  // looked for at every place of a text

// What one call of encode works with. Kept and used again, so that the cache of words pays across texts.
struct EncodeScratch {
  EncodeWork work;
  CutText cut;
  WordCache cache;
};

struct Tokenizer::Impl {
  std::vector<std::string> text_of;                // by id, as the vocabulary spells it; empty: no such id
  std::vector<std::string> bytes_of;               // by id, what it stands for when it is neither first nor last
  std::vector<bool> special, is_added, is_mark;    // is_mark: see is_control_mark()
  std::deque<AddedToken> added;                    // addresses are stable
  size_t n_model_pieces = 0;                       // what the model's own vocabulary counts
  std::unordered_map<std::string, int32_t> id_of;  // text of vocabulary entries, content of added tokens
  AddedTokenFinder raw_added, normalized_added;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::unique_ptr<TokenModel> model;
  Decoder decoder;
  PostProcessor post_processor;
  std::optional<int32_t> bos, eos, pad, unk;

  // Id is checked and the tables grow to hold it.
  Result<void> add_piece(int64_t id, std::string text);
  Result<void> add_token(AddedToken token);
  // As the `tokenizers` library adds them, whatever ids the files say: a text that is in the vocabulary keeps its id, a
  // new one gets the next; what is there already takes the new flags.
  Result<void> add_tokens(std::span<const AddedToken> tokens);
  // After all pieces, tokens, the normalizer and the decoder are in.
  Result<void> finish();
  // Spellings by id for a model: without control tokens, which text never becomes.
  std::vector<std::string> matchable_pieces() const;
  std::optional<int32_t> find(const std::string& text) const;

  Result<void> encode(std::string_view text, const EncodeOptions& options, EncodeScratch& scratch,
                      std::vector<int32_t>& out) const;
  std::string bytes_at(int32_t id, bool is_first, bool is_last) const;

  std::unique_ptr<EncodeScratch> take_scratch() const;
  void give_back(std::unique_ptr<EncodeScratch> scratch) const;

 private:
  void change_token(AddedToken& known, AddedToken token);
  Result<void> encode_part(std::string_view text, std::span<const TextRange> typed, bool is_text_start,
                           EncodeScratch& scratch, std::vector<int32_t>& out) const;
  Result<void> encode_valid(std::string_view text, std::span<const TextRange> typed, bool is_text_start,
                            EncodeScratch& scratch, std::vector<int32_t>& out) const;
  Result<TextRanges> normalize(std::string_view text, std::span<const TextRange> typed, std::string& normalized) const;
  Result<void> encode_words(std::string_view text, bool is_text_start, EncodeScratch& scratch,
                            std::vector<int32_t>& out) const;

  mutable std::mutex scratch_mutex_;
  mutable std::vector<std::unique_ptr<EncodeScratch>> free_scratch_;
};

}  // namespace hearth
