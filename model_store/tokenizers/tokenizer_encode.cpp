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

// Puts `mark` around every range.
static std::string with_borders(std::string_view text, std::span<const TextRange> ranges, std::string_view mark) {
  std::string out;
  size_t at = 0;
  for (const TextRange& r : ranges) {
    out.append(text.substr(at, r.begin - at)).append(mark);
    out.append(text.substr(r.begin, r.end - r.begin)).append(mark);
    at = r.end;
  }
  return out.append(text.substr(at));
}

// Takes the marks out again; they alternate between beginnings and ends.
static TextRanges take_borders(std::string& text, std::string_view mark) {
  TextRanges out;
  std::string plain;
  size_t begin = 0, n_marks = 0;
  for (size_t at = 0;;) {
    const size_t found = text.find(mark, at);
    plain.append(text, at, found - at);
    if (found == std::string::npos) break;
    if (n_marks++ % 2 == 0)
      begin = plain.size();
    else
      append_range(out, begin, plain.size());
    at = found + mark.size();
  }
  if (n_marks % 2 == 1) append_range(out, begin, plain.size());
  text = std::move(plain);
  return out;
}

// Normalises, and finds what became of the typed ranges: a character that no text uses goes through the normalizer at
// their borders. That may change what comes out (a template's letter with a typed accent behind it), so it is done only
// where there is a mark to tell apart.
Result<TextRanges> Tokenizer::Impl::normalize(std::string_view text, std::span<const TextRange> typed,
                                              std::string& normalized) const {
  constexpr std::string_view kBorder = "\xEF\xB7\x90";  // U+FDD0
  normalized = TRY(normalizer.apply(std::string(text)));
  if (typed.empty() || !normalized_added.has_mark(normalized)) return TextRanges();
  const bool all = typed.size() == 1 && typed[0] == TextRange{0, text.size()};
  if (all || text.find(kBorder) != std::string_view::npos) return TextRanges{{0, normalized.size()}};
  std::string bordered = TRY(normalizer.apply(with_borders(text, typed, kBorder)));
  TextRanges out = take_borders(bordered, kBorder);
  normalized = std::move(bordered);
  return out;
}

Result<void> Tokenizer::Impl::encode_valid(std::string_view text, std::span<const TextRange> typed, bool is_text_start,
                                           EncodeScratch& scratch, std::vector<int32_t>& out) const {
  std::string normalized;
  TextRanges typed_then;
  if (!normalizer.is_identity()) {
    typed_then = TRY(normalize(text, typed, normalized));
    text = normalized;
    typed = typed_then;
  }
  std::vector<TextPart> parts;
  normalized_added.split(text, typed, parts);
  for (const auto& part : parts) {
    if (part.token)
      out.push_back(part.token->id);
    else
      TRY(encode_words(part.text, is_text_start && part.text.data() == text.data(), scratch, out));
  }
  return {};
}

// Text between raw added tokens.
Result<void> Tokenizer::Impl::encode_part(std::string_view text, std::span<const TextRange> typed, bool is_text_start,
                                          EncodeScratch& scratch, std::vector<int32_t>& out) const {
  size_t n_valid = valid_utf8_prefix(text);
  if (n_valid == text.size()) return encode_valid(text, typed, is_text_start, scratch, out);
  if (!model->takes_bytes()) {  // no chat template writes this: what is typed and what is not is not told apart
    const std::string valid = with_replacements(text);
    const TextRange all[] = {{0, valid.size()}};
    return encode_valid(valid, std::span(all, typed.empty() ? 0 : 1), is_text_start, scratch, out);
  }
  for (size_t at = 0; !text.empty();) {
    const TextRanges here = part_of(typed, {at, at + n_valid});
    if (n_valid > 0) TRY(encode_valid(text.substr(0, n_valid), here, is_text_start, scratch, out));
    text.remove_prefix(n_valid);
    at += n_valid;
    size_t n_invalid = 0;
    while (n_invalid < text.size() && decode_utf8(text.substr(n_invalid)).n_bytes == 0) ++n_invalid;
    if (n_invalid > 0) model->encode(text.substr(0, n_invalid), scratch.work, out);
    text.remove_prefix(n_invalid);
    at += n_invalid;
    n_valid = valid_utf8_prefix(text);
    is_text_start = false;
  }
  return {};
}

Result<void> Tokenizer::Impl::encode(std::string_view text, const EncodeOptions& options, EncodeScratch& scratch,
                                     std::vector<int32_t>& out) const {
  if (text.size() > kMaxTextBytes)
    return error(Code::resource_exhausted, "a text of {} bytes is over the limit of {}", text.size(), kMaxTextBytes);
  const TextRange all[] = {{0, text.size()}};
  const std::span<const TextRange> typed = options.parse_special ? options.typed : std::span<const TextRange>(all);
  std::vector<TextPart> parts;
  raw_added.split(text, typed, parts);
  for (const auto& part : parts) {
    const auto begin = static_cast<size_t>(part.text.data() - text.data());
    if (part.token)
      out.push_back(part.token->id);
    else
      TRY(encode_part(part.text, part_of(typed, {begin, begin + part.text.size()}), begin == 0, scratch, out));
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
