// Tokenizer: added tokens, normalisation, words, merges; and back.
#include "model_store/tokenizers/tokenizer.h"

#include <algorithm>

#include "model_store/tokenizers/tokenizer_impl.h"
#include "model_store/tokenizers/utf8.h"

namespace hearth {
namespace {

constexpr size_t kMaxTextBytes = size_t{256} << 20;
constexpr size_t kMaxCachedWordBytes = 64;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Moves what is certain from `pending` to the result: whole characters, and U+FFFD for bytes that can never be one.
std::string take_complete(std::string& pending) {
  std::string out;
  std::string_view rest = pending;
  while (!rest.empty()) {
    size_t n = valid_utf8_prefix(rest);
    out.append(rest.substr(0, n));
    rest.remove_prefix(n);
    if (rest.empty() || is_utf8_beginning(rest)) break;
    out += kReplacement;
    // The longest beginning of a character counts as one error, as the Unicode standard recommends.
    size_t bad = 1;
    while (bad < rest.size() && is_utf8_beginning(rest.substr(0, bad + 1))) ++bad;
    rest.remove_prefix(bad);
  }
  pending = std::string(rest);
  return out;
}

}  // namespace

Result<void> Tokenizer::Impl::add_piece(int64_t id, std::string text, std::string bytes) {
  if (id < 0 || id >= static_cast<int64_t>(kMaxVocabulary))
    return error(Code::invalid_argument, "token id {} must be 0 to {}", id, kMaxVocabulary - 1);
  if (text.size() > kMaxTokenBytes)
    return error(Code::invalid_argument, "token {} has {} bytes, the limit is {}", id, text.size(), kMaxTokenBytes);
  auto index = static_cast<size_t>(id);
  if (index >= bytes_of.size()) {
    bytes_of.resize(index + 1);
    text_of.resize(index + 1);
    special.resize(index + 1);
  }
  bytes_of[index] = std::move(bytes);
  id_of[text] = static_cast<int32_t>(id);
  text_of[index] = std::move(text);
  return {};
}

Result<void> Tokenizer::Impl::add_token(AddedToken token) {
  if (token.content.empty()) return {};
  TRY(add_piece(token.id, token.content, token.content));
  special[token.id] = token.special;
  added.push_back(std::move(token));
  return {};
}

Result<void> Tokenizer::Impl::finish(const std::vector<std::string>& mergeable, bool strict_merges) {
  for (const auto& token : added) {
    if (!token.normalized || normalizer.is_identity())
      raw_added.add(&token, token.content);
    else
      normalized_added.add(&token, TRY(normalizer.apply(token.content)));
  }
  bpe = TRY(BpeModel::create(mergeable, merges, ignore_merges, unk.value_or(-1), strict_merges));
  return {};
}

// Words repeat; a word seen before in this text is copied from the output instead of being merged again.
Result<void> Tokenizer::Impl::encode_words(std::string_view text, std::vector<int32_t>& out) const {
  std::string storage;
  std::vector<std::string_view> words;
  TRY(pre_tokenizer.split(text, storage, words));
  std::unordered_map<std::string_view, std::pair<size_t, size_t>> seen;  // word → range in `out`
  for (std::string_view word : words) {
    if (word.size() > kMaxCachedWordBytes) {
      bpe->encode(word, out);
      continue;
    }
    auto [it, is_new] = seen.try_emplace(word, out.size(), 0);
    if (is_new) {
      bpe->encode(word, out);
      it->second.second = out.size() - it->second.first;
    } else {
      for (size_t i = 0; i < it->second.second; ++i) out.push_back(out[it->second.first + i]);
    }
  }
  return {};
}

// Text between raw added tokens.
Result<void> Tokenizer::Impl::encode_text(std::string_view text, bool parse_special, std::vector<int32_t>& out) const {
  while (!text.empty()) {
    size_t n_valid = valid_utf8_prefix(text);
    if (n_valid > 0) {
      std::string normalized;
      std::string_view piece = text.substr(0, n_valid);
      if (!normalizer.is_identity()) {
        normalized = TRY(normalizer.apply(std::string(piece)));
        piece = normalized;
      }
      std::vector<TextPart> parts;
      normalized_added.split(piece, parse_special, parts);
      for (const auto& part : parts) {
        if (part.token)
          out.push_back(part.token->id);
        else
          TRY(encode_words(part.text, out));
      }
    }
    text.remove_prefix(n_valid);
    size_t n_invalid = 0;
    while (n_invalid < text.size() && decode_utf8(text.substr(n_invalid)).n_bytes == 0) ++n_invalid;
    if (n_invalid > 0) bpe->encode(text.substr(0, n_invalid), out);
    text.remove_prefix(n_invalid);
  }
  return {};
}

Result<std::vector<int32_t>> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  if (text.size() > kMaxTextBytes)
    return error(Code::resource_exhausted, "a text of {} bytes is over the limit of {}", text.size(), kMaxTextBytes);
  std::vector<int32_t> out;
  out.reserve(text.size() / 4 + 16);
  if (options.add_special) out = impl_->prefix;
  std::vector<TextPart> parts;
  impl_->raw_added.split(text, options.parse_special, parts);
  for (const auto& part : parts) {
    if (part.token)
      out.push_back(part.token->id);
    else
      TRY(impl_->encode_text(part.text, options.parse_special, out));
  }
  if (options.add_special) out.insert(out.end(), impl_->suffix.begin(), impl_->suffix.end());
  return out;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  std::string bytes;
  for (int32_t id : ids)
    if (!skip_special || !is_special(id)) bytes += token_bytes(id);
  std::string out = take_complete(bytes);
  if (!bytes.empty()) out += kReplacement;
  return out;
}

std::string_view Tokenizer::token_bytes(int32_t id) const {
  return id >= 0 && id < vocab_size() ? std::string_view(impl_->bytes_of[id]) : std::string_view();
}

bool Tokenizer::is_special(int32_t id) const {
  return id >= 0 && id < vocab_size() && impl_->special[id];
}

std::optional<int32_t> Tokenizer::token_id(std::string_view token) const {
  auto it = impl_->id_of.find(std::string(token));
  return it == impl_->id_of.end() ? std::nullopt : std::optional(it->second);
}

int32_t Tokenizer::vocab_size() const {
  return static_cast<int32_t>(impl_->bytes_of.size());
}
std::optional<int32_t> Tokenizer::bos_id() const {
  return impl_->bos;
}
std::optional<int32_t> Tokenizer::eos_id() const {
  return impl_->eos;
}
std::optional<int32_t> Tokenizer::pad_id() const {
  return impl_->pad;
}
std::optional<int32_t> Tokenizer::unk_id() const {
  return impl_->unk;
}
std::string Tokenizer::bos_token() const {
  return impl_->bos ? impl_->text_of[*impl_->bos] : std::string();
}
std::string Tokenizer::eos_token() const {
  return impl_->eos ? impl_->text_of[*impl_->eos] : std::string();
}

std::string StreamDecoder::push(int32_t id) {
  if (skip_special_ && tokenizer_.is_special(id)) return {};
  pending_ += tokenizer_.token_bytes(id);
  return take_complete(pending_);
}

std::string StreamDecoder::finish() {
  std::string out = take_complete(pending_);
  if (!pending_.empty()) out += kReplacement;
  pending_.clear();
  return out;
}

}  // namespace hearth
