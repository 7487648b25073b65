// Tokenizers: text to token ids and back, exactly as the model was trained: byte-level and SentencePiece BPE, unigram,
// WordPiece; read from a Hugging Face tokenizer.json, from the vocabulary inside a GGUF file, or from a
// tokenizer.model.
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
#include "model_store/tokenizers/text_range.h"
#include "model_store/tokenizers/tokenizer_files.h"

namespace hearth {

class GgufFile;

struct EncodeOptions {
  bool add_special = true;    // put the model's own bos/eos around the text, as the tokenizer's post-processor says
  bool parse_special = true;  // text that spells a control token ("<|im_end|>", "</think>") becomes that token; false:
                              // plain text. False for what a person typed, true for what a chat template produced.
  std::span<const TextRange> typed = {};  // what in the text a person typed (ChatTemplate::Rendered::typed): no control
                                          // token is found in it, or reaches into it
  uint64_t* n_steps = nullptr;  // when set: how many table look-ups it took (tests: never more than so many a byte)
};

// Two texts for a model that looks at both, such as a reranker: [CLS] first [SEP] second [SEP].
struct PairEncoding {
  std::vector<int32_t> ids, type_ids;  // type_ids: which text an id belongs to, as the post-processor says
};

// Immutable; encode and decode may be called from several threads at once.
class Tokenizer {
 public:
  // A Hugging Face folder's tokenizer: the ids are those that AutoTokenizer of transformers gives. Errors name the file
  // and the field; unimplemented names a component that is not known.
  static Result<Tokenizer> from_files(const TokenizerFiles& files);
  static Result<Tokenizer> from_json(std::string_view tokenizer_json, std::string_view tokenizer_config_json = {});
  // `model`: the bytes of a SentencePiece tokenizer.model.
  static Result<Tokenizer> from_sentencepiece(std::string_view model, std::string_view tokenizer_config_json = {});
  static Result<Tokenizer> from_gguf(const GgufFile& file);

  // Text longer than 256 MiB is resource_exhausted. Invalid UTF-8 is kept byte for byte where every byte is a
  // token; elsewhere it is U+FFFD.
  Result<std::vector<int32_t>> encode(std::string_view text, const EncodeOptions& options = {}) const;
  Result<PairEncoding> encode_pair(std::string_view first, std::string_view second,
                                   const EncodeOptions& options = {}) const;

  // Ids outside the vocabulary add nothing. Bytes that are not valid UTF-8 become U+FFFD.
  std::string decode(std::span<const int32_t> ids, bool skip_special = true) const;

  // The raw bytes that a token stands for in the middle of a text, valid as long as the tokenizer; perhaps a part of a
  // character. Empty for ids outside the vocabulary.
  std::string_view token_bytes(int32_t id) const;
  bool is_special(int32_t id) const;  // hidden by decode
  bool is_control(
      int32_t id) const;  // special, or a mark such as "</think>" or "<|User|>": never made of what is typed
  std::optional<int32_t> token_id(std::string_view token) const;  // by its text in the vocabulary or as an added token

  int32_t vocab_size() const;  // one more than the largest id
  std::optional<int32_t> bos_id() const;
  std::optional<int32_t> eos_id() const;
  std::optional<int32_t> pad_id() const;
  std::optional<int32_t> unk_id() const;
  std::string bos_token() const;  // the text, for chat templates; empty when there is none
  std::string eos_token() const;

  struct Impl;  // tokenizer_impl.h, for the readers and writers of this folder
  const Impl& impl() const { return *impl_; }

 private:
  friend class StreamDecoder;
  explicit Tokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// Decodes one token at a time and gives out whole characters only: the bytes of an unfinished character wait for the
// next token. All parts together are what Tokenizer::decode gives. Holds the tokenizer alive. One per stream; not for
// several threads.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special = true);
  std::string push(int32_t id);  // what can be shown now, perhaps nothing
  std::string finish();          // what was left: an unfinished character becomes U+FFFD

 private:
  friend class Tokenizer;
  void add(int32_t id);
  void append(int32_t id, bool is_last);

  Tokenizer tokenizer_;
  bool skip_special_;
  bool is_first_ = true;
  size_t n_strip_;               // how much may still be cut off the beginning
  std::optional<int32_t> held_;  // a token that might be the last, where the decoder wants to know
  std::string pending_;
};

}  // namespace hearth
