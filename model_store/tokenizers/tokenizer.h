// Tokenizers: text to token ids and back, exactly as the model was trained. Byte-level BPE, read from a Hugging Face
// tokenizer.json or from the vocabulary inside a GGUF file. SentencePiece and WordPiece: Code::unimplemented.
//
//   Tokenizer tokenizer = TRY(Tokenizer::from_json(tokenizer_json, tokenizer_config_json));
//   std::vector<int32_t> ids = TRY(tokenizer.encode("Hello world", {.add_special = true}));
//   std::string text = tokenizer.decode(ids, /*skip_special=*/true);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth {

class GgufFile;

struct EncodeOptions {
  bool add_special = true;    // put the model's own bos/eos around the text, as the tokenizer's post-processor says
  bool parse_special = true;  // text that spells a special token ("<|im_end|>") becomes that token; false: plain text.
                              // Use false for what a user typed, true for what a chat template produced.
};

// Immutable; encode and decode may be called from several threads at once.
class Tokenizer {
 public:
  // `tokenizer_json`: the text of tokenizer.json. `tokenizer_config_json`: the text of tokenizer_config.json, or empty:
  // it names bos, eos, pad and unk. Errors name the field; unimplemented for kinds that are not byte-level BPE.
  static Result<Tokenizer> from_json(std::string_view tokenizer_json, std::string_view tokenizer_config_json = {});
  static Result<Tokenizer> from_gguf(const GgufFile& file);

  // Text longer than 256 MiB is resource_exhausted. Invalid UTF-8 is kept byte for byte (byte-level vocabularies can).
  Result<std::vector<int32_t>> encode(std::string_view text, const EncodeOptions& options = {}) const;

  // Ids outside the vocabulary add nothing. Bytes that are not valid UTF-8 become U+FFFD.
  std::string decode(std::span<const int32_t> ids, bool skip_special = true) const;

  // The raw bytes that a token stands for, valid as long as the tokenizer; perhaps a part of a character.
  // Empty for ids outside the vocabulary.
  std::string_view token_bytes(int32_t id) const;
  bool is_special(int32_t id) const;
  std::optional<int32_t> token_id(std::string_view token) const;  // by its text in the vocabulary or as an added token

  int32_t vocab_size() const;  // one more than the largest id
  std::optional<int32_t> bos_id() const;
  std::optional<int32_t> eos_id() const;
  std::optional<int32_t> pad_id() const;
  std::optional<int32_t> unk_id() const;
  std::string bos_token() const;  // the text, for chat templates; empty when there is none
  std::string eos_token() const;

 private:
  friend class StreamDecoder;
  friend class TokenizerJsonReader;
  friend class GgufVocabularyReader;
  friend struct TokenizerAccess;
  struct Impl;
  explicit Tokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// Decodes one token at a time and gives out whole characters only: the bytes of an unfinished character wait for the
// next token. Holds the tokenizer alive. One per stream; not for several threads.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special = true)
      : tokenizer_(tokenizer), skip_special_(skip_special) {}
  std::string push(int32_t id);  // what can be shown now, perhaps nothing
  std::string finish();          // what was left: an unfinished character becomes U+FFFD

 private:
  Tokenizer tokenizer_;
  bool skip_special_;
  std::string pending_;
};

}  // namespace hearth
