// Pre-tokenizer steps.
#include "model_store/tokenizers/pre_tokenizer_steps.h"

#include <algorithm>

#include "base/utf8.h"
#include "model_store/tokenizers/byte_level.h"

namespace hearth {
namespace {

// Cuts one piece at the matches and appends what remains.
class Cutter {
 public:
  Cutter(std::string_view piece, SplitBehavior behavior, std::vector<std::string_view>& out)
      : piece_(piece), behavior_(behavior), out_(out) {}

  void put(size_t begin, size_t end, bool is_delimiter) {
    if (begin == end || (is_delimiter && behavior_ == SplitBehavior::removed)) return;
    if (glues(is_delimiter) && !is_first_)
      out_.back() = std::string_view(out_.back().data(), out_.back().size() + (end - begin));
    else
      out_.push_back(piece_.substr(begin, end - begin));
    after_delimiter_ = is_delimiter;
    is_first_ = false;
  }

 private:
  bool glues(bool is_delimiter) const {
    switch (behavior_) {
      case SplitBehavior::contiguous:
        return is_delimiter == after_delimiter_;
      case SplitBehavior::merged_with_previous:
        return is_delimiter && !after_delimiter_;
      case SplitBehavior::merged_with_next:
        return !is_delimiter && after_delimiter_;
      default:
        return false;
    }
  }

  std::string_view piece_;
  SplitBehavior behavior_;
  std::vector<std::string_view>& out_;
  bool after_delimiter_ = false, is_first_ = true;
};

void cut(std::string_view piece, const std::vector<Regex::Match>& matches, SplitBehavior behavior, bool invert,
         std::vector<std::string_view>& out) {
  Cutter cutter(piece, behavior, out);
  size_t at = 0;
  for (auto m : matches) {
    cutter.put(at, m.begin, invert);
    cutter.put(m.begin, m.end, !invert);
    at = m.end;
  }
  cutter.put(at, piece.size(), invert);
}

// Rewrites every piece, keeping all of them in one new buffer.
template <class Rewrite>
void rewrite(CutText& text, Rewrite rewrite_one) {
  std::string buffer;
  std::vector<size_t> ends;
  ends.reserve(text.pieces.size());
  bool has_start = !text.pieces.empty() && text.pieces[0].data() == text.text_begin;
  for (std::string_view piece : text.pieces) {
    rewrite_one(piece, buffer);
    ends.push_back(buffer.size());
  }
  std::string_view all = text.buffers.emplace_back(std::move(buffer));
  size_t begin = 0;
  for (size_t i = 0; i < ends.size(); begin = ends[i++]) text.pieces[i] = all.substr(begin, ends[i] - begin);
  text.text_begin = has_start ? all.data() : nullptr;
}

}  // namespace

PreTokenizer::Step split_step(const Regex& pattern, SplitBehavior behavior, bool invert) {
  return [=](CutText& text) -> Result<void> {
    text.next.clear();
    for (std::string_view piece : text.pieces) {
      text.matches.clear();
      TRY(pattern.find_all(piece, text.matches));
      cut(piece, text.matches, behavior, invert, text.next);
    }
    std::swap(text.pieces, text.next);
    return {};
  };
}

PreTokenizer::Step character_step(bool (*is_delimiter)(uint32_t), SplitBehavior behavior) {
  return [=](CutText& text) -> Result<void> {
    text.next.clear();
    for (std::string_view piece : text.pieces) {
      text.matches.clear();
      for (size_t at = 0; at < piece.size();) {
        Utf8Char c = decode_utf8(piece.substr(at));
        size_t end = at + static_cast<size_t>(std::max(1, c.n_bytes));
        if (is_delimiter(c.code_point)) text.matches.push_back({at, end});
        at = end;
      }
      cut(piece, text.matches, behavior, /*invert=*/false, text.next);
    }
    std::swap(text.pieces, text.next);
    return {};
  };
}

PreTokenizer::Step fixed_length_step(size_t n_characters) {
  return [=](CutText& text) -> Result<void> {
    text.next.clear();
    for (std::string_view piece : text.pieces) {
      size_t begin = 0, at = 0, n = 0;
      while (at < piece.size()) {
        at += static_cast<size_t>(std::max(1, decode_utf8(piece.substr(at)).n_bytes));
        if (++n < n_characters && at < piece.size()) continue;
        text.next.push_back(piece.substr(begin, at - begin));
        begin = at;
        n = 0;
      }
    }
    std::swap(text.pieces, text.next);
    return {};
  };
}

PreTokenizer::Step prefix_space_step() {
  return [](CutText& text) -> Result<void> {
    bool all_have = std::all_of(text.pieces.begin(), text.pieces.end(), [](auto piece) { return piece[0] == ' '; });
    if (all_have) return {};
    rewrite(text, [](std::string_view piece, std::string& out) {
      if (piece[0] != ' ') out += ' ';
      out += piece;
    });
    return {};
  };
}

void pieces_to_symbols(CutText& text) {
  rewrite(text, [](std::string_view piece, std::string& out) { out += bytes_to_symbols(piece); });
}

void pieces_to_bytes(CutText& text) {
  rewrite(text, [](std::string_view piece, std::string& out) { out += symbols_to_bytes(piece).value_or(""); });
}

Result<PreTokenizer::Step> metaspace_step(MetaspaceOptions options) {
  Regex mark = TRY(Regex::literal(options.replacement));
  PreTokenizer::Step cut_at_marks = split_step(mark, SplitBehavior::merged_with_next, false);
  return PreTokenizer::Step([=](CutText& text) -> Result<void> {
    using Prepend = MetaspaceOptions::Prepend;
    const char* text_begin = text.text_begin;
    rewrite(text, [&](std::string_view piece, std::string& out) {
      bool wanted =
          options.prepend == Prepend::always || (options.prepend == Prepend::first && piece.data() == text_begin);
      if (wanted && piece[0] != ' ' && !piece.starts_with(options.replacement)) out += options.replacement;
      for (char b : piece) {
        if (b == ' ')
          out += options.replacement;
        else
          out += b;
      }
    });
    return options.split ? cut_at_marks(text) : Result<void>();
  });
}

}  // namespace hearth
