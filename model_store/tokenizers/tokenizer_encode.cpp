// The way from text to ids: added tokens, normalisation, words, the model.
#include <algorithm>

#include "base/utf8.h"
#include "model_store/tokenizers/tokenizer_impl.h"

namespace hearth {
namespace {

constexpr size_t kMaxTextBytes = size_t{256} << 20;
constexpr size_t kMaxFreeScratch = 16;

// `text` with U+FFFD for what is not valid, one for each beginning of a character.
std::string with_replacements(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t n = valid_utf8_prefix(text);
    out += text.substr(0, n);
    text.remove_prefix(n);
    if (text.empty()) break;
    out += kReplacementCharacter;
    text.remove_prefix(invalid_utf8_bytes(text));
  }
  return out;
}

void encode_word(const TokenModel& model, std::string_view word, EncodeScratch& scratch, std::vector<int32_t>& out) {
  if (word.size() > WordCache::kMaxWordBytes) return model.encode(word, scratch.work, out);
  if (auto known = scratch.cache.find(word); !known.empty()) {
    out.insert(out.end(), known.begin(), known.end());
    return;
  }
  size_t n_before = out.size();
  model.encode(word, scratch.work, out);
  scratch.cache.put(word, std::span(out).subspan(n_before));
}

}  // namespace

std::unique_ptr<EncodeScratch> Tokenizer::Impl::take_scratch() const {
  std::lock_guard lock(scratch_mutex_);
  if (free_scratch_.empty()) return std::make_unique<EncodeScratch>();
  auto out = std::move(free_scratch_.back());
  free_scratch_.pop_back();
  return out;
}

void Tokenizer::Impl::give_back(std::unique_ptr<EncodeScratch> scratch) const {
  std::lock_guard lock(scratch_mutex_);
  if (free_scratch_.size() < kMaxFreeScratch) free_scratch_.push_back(std::move(scratch));
}

Result<void> Tokenizer::Impl::encode_words(std::string_view text, bool is_text_start, EncodeScratch& scratch,
                                           std::vector<int32_t>& out) const {
  scratch.cut.start(text, is_text_start);
  TRY(pre_tokenizer.split(scratch.cut));
  for (std::string_view word : scratch.cut.pieces) {
    while (!word.empty()) {
      size_t n = model->first_part(word);
      encode_word(*model, word.substr(0, n), scratch, out);
      word.remove_prefix(n);
    }
  }
  return {};
}

Result<void> Tokenizer::Impl::encode_valid(std::string_view text, bool parse_special, bool is_text_start,
                                           EncodeScratch& scratch, std::vector<int32_t>& out) const {
  std::string normalized;
  if (!normalizer.is_identity()) {
    normalized = TRY(normalizer.apply(std::string(text)));
    text = normalized;
  }
  std::vector<TextPart> parts;
  normalized_added.split(text, parse_special, parts);
  for (const auto& part : parts) {
    if (part.token)
      out.push_back(part.token->id);
    else
      TRY(encode_words(part.text, is_text_start && part.text.data() == text.data(), scratch, out));
  }
  return {};
}

// Text between raw added tokens.
Result<void> Tokenizer::Impl::encode_part(std::string_view text, bool parse_special, bool is_text_start,
                                          EncodeScratch& scratch, std::vector<int32_t>& out) const {
  size_t n_valid = valid_utf8_prefix(text);
  if (n_valid < text.size() && !model->takes_bytes())
    return encode_valid(with_replacements(text), parse_special, is_text_start, scratch, out);
  while (!text.empty()) {
    if (n_valid > 0) TRY(encode_valid(text.substr(0, n_valid), parse_special, is_text_start, scratch, out));
    text.remove_prefix(n_valid);
    size_t n_invalid = 0;
    while (n_invalid < text.size() && decode_utf8(text.substr(n_invalid)).n_bytes == 0) ++n_invalid;
    if (n_invalid > 0) model->encode(text.substr(0, n_invalid), scratch.work, out);
    text.remove_prefix(n_invalid);
    n_valid = valid_utf8_prefix(text);
    is_text_start = false;
  }
  return {};
}

// A guard inside the spelling kept it from being found as a special token; now the guard goes.
static std::string without_guards(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t guard = std::min(text.find(kContentGuard, at), text.size());
    out += text.substr(at, guard - at);
    at = guard + kContentGuard.size();
  }
  return out;
}

Result<void> Tokenizer::Impl::encode(std::string_view text, const EncodeOptions& options, EncodeScratch& scratch,
                                     std::vector<int32_t>& out) const {
  if (text.size() > kMaxTextBytes)
    return error(Code::resource_exhausted, "a text of {} bytes is over the limit of {}", text.size(), kMaxTextBytes);
  std::vector<TextPart> parts;
  raw_added.split(text, options.parse_special, parts);
  for (const auto& part : parts) {
    const bool is_start = part.text.data() == text.data();
    if (part.token)
      out.push_back(part.token->id);
    else if (options.guarded && part.text.find(kContentGuard) != std::string_view::npos)
      TRY(encode_part(without_guards(part.text), /*parse_special=*/false, is_start, scratch, out));
    else
      TRY(encode_part(part.text, options.parse_special, is_start, scratch, out));
  }
  return {};
}

Result<std::vector<int32_t>> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  if (!options.add_special) {
    std::vector<int32_t> out;
    out.reserve(std::min(text.size(), kMaxTextBytes) / 4 + 16);
    auto scratch = impl_->take_scratch();
    scratch->work.steps = 0;
    auto done = impl_->encode(text, options, *scratch, out);
    if (options.n_steps) *options.n_steps = scratch->work.steps;
    impl_->give_back(std::move(scratch));
    TRY(std::move(done));
    return out;
  }
  EncodeOptions plain = options;
  plain.add_special = false;
  std::vector<int32_t> ids = TRY(encode(text, plain));
  std::vector<int32_t> out = impl_->post_processor.prefix(), suffix = impl_->post_processor.suffix();
  out.insert(out.end(), ids.begin(), ids.end());
  out.insert(out.end(), suffix.begin(), suffix.end());
  return out;
}

Result<PairEncoding> Tokenizer::encode_pair(std::string_view first, std::string_view second,
                                            const EncodeOptions& options) const {
  EncodeOptions plain = options;
  plain.add_special = false;
  std::vector<int32_t> texts[] = {TRY(encode(first, plain)), TRY(encode(second, plain))};
  PairEncoding out;
  using What = PostProcessor::Part::What;
  for (const auto& part : impl_->post_processor.pair()) {
    size_t n_before = out.ids.size();
    if (part.what != What::token) {
      const auto& ids = texts[part.what == What::second_text ? 1 : 0];
      out.ids.insert(out.ids.end(), ids.begin(), ids.end());
    } else if (options.add_special) {
      out.ids.push_back(part.id);
    }
    out.type_ids.insert(out.type_ids.end(), out.ids.size() - n_before, part.type_id);
  }
  return out;
}

}  // namespace hearth
