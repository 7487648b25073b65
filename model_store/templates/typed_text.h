// A string that knows which of its bytes people typed. Whatever a template does with the texts of a conversation -
// trims, joins, slices, quotes them - each byte keeps its origin, so that the tokenizer can tell the "<|im_end|>" that
// the template writes from one that a message spells.
#pragma once

#include <string>
#include <string_view>

#include "model_store/tokenizers/text_range.h"

namespace hearth::jinja {

class Text {
 public:
  Text() = default;
  explicit Text(std::string bytes, bool is_typed = false) : bytes_(std::move(bytes)) {
    if (is_typed) append_range(typed_, 0, bytes_.size());
  }
  Text(std::string bytes, TextRanges typed) : bytes_(std::move(bytes)), typed_(std::move(typed)) {}

  operator const std::string&() const { return bytes_; }  // NOLINT: reading is what most callers do
  const std::string& bytes() const { return bytes_; }
  const TextRanges& typed() const { return typed_; }
  bool is_typed() const { return !typed_.empty(); }  // any of it
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  size_t memory_bytes() const { return bytes_.capacity() + typed_.capacity() * sizeof(TextRange); }

  void reserve(size_t n) { bytes_.reserve(n); }
  Text& append(std::string_view own, bool is_typed = false) {
    if (is_typed) append_range(typed_, bytes_.size(), bytes_.size() + own.size());
    bytes_ += own;
    return *this;
  }
  Text& append(const Text& other) { return append_part(other, other.bytes_); }
  // `part` lies in `whole`.
  Text& append_part(const Text& whole, std::string_view part) {
    const auto begin = static_cast<size_t>(part.data() - whole.bytes_.data());
    hearth::append_part(whole.typed_, {begin, begin + part.size()}, bytes_.size(), typed_);
    bytes_ += part;
    return *this;
  }
  Text part(std::string_view part) const { return Text().append_part(*this, part); }
  // Calls `take(bytes, is_typed)` for every run of one origin.
  template <class Take>
  void for_each_run(Take take) const {
    size_t at = 0;
    const std::string_view all = bytes_;
    for (const TextRange& r : typed_) {
      if (at < r.begin) take(all.substr(at, r.begin - at), false);
      take(all.substr(r.begin, r.end - r.begin), true);
      at = r.end;
    }
    if (at < all.size()) take(all.substr(at), false);
  }

 private:
  std::string bytes_;
  TextRanges typed_;
};

}  // namespace hearth::jinja
