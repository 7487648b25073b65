// Tokenizer: its tables, and the way from ids to text. The way from text to ids: tokenizer_encode.cpp.
#include "model_store/tokenizers/tokenizer.h"

#include <algorithm>

#include "base/utf8.h"
#include "model_store/tokenizers/tokenizer_impl.h"

namespace hearth {
namespace {

// Moves what is certain from `pending` to the result: whole characters, and U+FFFD for bytes that can never be one.
std::string take_complete(std::string& pending) {
  std::string out;
  std::string_view rest = pending;
  while (!rest.empty()) {
    size_t n = valid_utf8_prefix(rest);
    out.append(rest.substr(0, n));
    rest.remove_prefix(n);
    if (rest.empty() || is_utf8_beginning(rest)) break;
    out += kReplacementCharacter;
    rest.remove_prefix(invalid_utf8_bytes(rest));
  }
  pending = std::string(rest);
  return out;
}

}  // namespace

Result<void> Tokenizer::Impl::add_piece(int64_t id, std::string text) {
  if (id < 0 || id >= static_cast<int64_t>(kMaxVocabulary))
    return error(Code::invalid_argument, "token id {} must be 0 to {}", id, kMaxVocabulary - 1);
  if (text.size() > kMaxTokenBytes)
    return error(Code::invalid_argument, "token {} has {} bytes, the limit is {}", id, text.size(), kMaxTokenBytes);
  auto index = static_cast<size_t>(id);
  if (index >= text_of.size()) {
    text_of.resize(index + 1);
    special.resize(index + 1);
    is_added.resize(index + 1);
    is_mark.resize(index + 1);
  }
  id_of[text] = static_cast<int32_t>(id);
  text_of[index] = std::move(text);
  return {};
}

Result<void> Tokenizer::Impl::add_token(AddedToken token) {
  if (token.content.empty()) return {};
  if (token.content.size() > kMaxAddedTokenBytes)
    return error(Code::invalid_argument, "the added token {} has {} bytes, the limit is {}", token.id,
                 token.content.size(), kMaxAddedTokenBytes);
  TRY(add_piece(token.id, token.content));
  special[token.id] = token.special;
  is_added[token.id] = true;
  is_mark[token.id] = is_control_mark(token);
  added.push_back(std::move(token));
  return {};
}

// A special token that is added again as a plain one stays special, and is looked for in both ways.
void Tokenizer::Impl::change_token(AddedToken& known, AddedToken token) {
  token.id = known.id;
  token.in_both = known.special && !token.special && known.normalized != token.normalized;
  token.special |= known.special;
  special[token.id] = token.special;
  is_mark[token.id] = is_control_mark(token);
  known = std::move(token);
}

Result<void> Tokenizer::Impl::add_tokens(std::span<const AddedToken> tokens) {
  std::unordered_map<std::string, size_t> place_of;
  auto next = static_cast<int32_t>(n_model_pieces);
  for (size_t i = 0; i < added.size(); ++i) {
    place_of[added[i].content] = i;
    next = std::max(next, added[i].id + 1);
  }
  for (AddedToken token : tokens) {
    if (token.content.empty()) continue;
    auto [place, is_new] = place_of.try_emplace(token.content, added.size());
    if (!is_new) {
      change_token(added[place->second], std::move(token));
      continue;
    }
    token.id = find(token.content).value_or(next);
    next = std::max(next, token.id + 1);
    TRY(add_token(std::move(token)));
  }
  return {};
}

std::vector<std::string> Tokenizer::Impl::matchable_pieces() const {
  std::vector<std::string> out = text_of;
  for (size_t id = 0; id < out.size(); ++id)
    if (special[id] || is_mark[id]) out[id].clear();
  return out;
}

std::optional<int32_t> Tokenizer::Impl::find(const std::string& text) const {
  auto it = id_of.find(text);
  return it == id_of.end() ? std::nullopt : std::optional(it->second);
}

Result<void> Tokenizer::Impl::finish() {
  // Of two that are spelled alike in normalised text, special ones come first.
  std::vector<const AddedToken*> in_order;
  for (bool specials : {true, false})
    for (const AddedToken& token : added)
      if (token.special == specials) in_order.push_back(&token);
  for (const AddedToken* each : in_order) {
    const AddedToken& token = *each;
    if (!token.normalized || token.in_both) raw_added.add(&token, token.content);
    if (token.normalized || token.in_both)
      normalized_added.add(&token, TRY(normalizer.apply(token.content)));
  }
  bytes_of.resize(text_of.size());
  for (size_t id = 0; id < text_of.size(); ++id)
    if (!text_of[id].empty()) bytes_of[id] = decoder.bytes_of(text_of[id], {.is_added = is_added[id]});
  return {};
}

std::string Tokenizer::Impl::bytes_at(int32_t id, bool is_first, bool is_last) const {
  if (id < 0 || id >= static_cast<int32_t>(text_of.size()) || text_of[id].empty()) return {};
  if (!(is_first && decoder.looks_at_first()) && !(is_last && decoder.looks_at_last())) return bytes_of[id];
  return decoder.bytes_of(text_of[id], {is_first, is_last, is_added[id]});
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  StreamDecoder stream(*this, skip_special);
  for (int32_t id : ids) stream.add(id);
  return stream.finish();
}

std::string_view Tokenizer::token_bytes(int32_t id) const {
  return id >= 0 && id < vocab_size() ? std::string_view(impl_->bytes_of[id]) : std::string_view();
}

bool Tokenizer::is_special(int32_t id) const {
  return id >= 0 && id < vocab_size() && impl_->special[id];
}

bool Tokenizer::is_control(int32_t id) const {
  return id >= 0 && id < vocab_size() && (impl_->special[id] || impl_->is_mark[id]);
}

std::optional<int32_t> Tokenizer::token_id(std::string_view token) const {
  return impl_->find(std::string(token));
}

int32_t Tokenizer::vocab_size() const {
  return static_cast<int32_t>(impl_->text_of.size());
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

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, bool skip_special)
    : tokenizer_(tokenizer), skip_special_(skip_special), n_strip_(tokenizer.impl_->decoder.n_strip()) {}

// Appends a token's bytes; what the decoder cuts off the beginning of a text is cut here.
void StreamDecoder::append(int32_t id, bool is_last) {
  const Tokenizer::Impl& t = *tokenizer_.impl_;
  if (is_first_ || is_last)
    pending_ += t.bytes_at(id, is_first_, is_last);
  else
    pending_ += tokenizer_.token_bytes(id);
  is_first_ = false;
  std::string_view content = t.decoder.strip_content();
  while (n_strip_ > 0 && !pending_.empty()) {
    if (pending_.starts_with(content)) {
      pending_.erase(0, content.size());
      --n_strip_;
    } else if (content.starts_with(pending_)) {
      return;  // more bytes will tell
    } else {
      n_strip_ = 0;
    }
  }
}

void StreamDecoder::add(int32_t id) {
  if (skip_special_ && tokenizer_.is_special(id)) return;
  if (!tokenizer_.impl_->decoder.looks_at_last()) return append(id, false);
  if (held_) append(*held_, false);
  held_ = id;
}

std::string StreamDecoder::push(int32_t id) {
  add(id);
  bool is_cutting =
      n_strip_ > 0 && !pending_.empty() && tokenizer_.impl_->decoder.strip_content().starts_with(pending_);
  return is_cutting ? std::string() : take_complete(pending_);
}

std::string StreamDecoder::finish() {
  if (held_) append(*held_, true);
  held_.reset();
  n_strip_ = 0;
  std::string out = take_complete(pending_);
  if (!pending_.empty()) out += kReplacementCharacter;
  pending_.clear();
  return out;
}

}  // namespace hearth
