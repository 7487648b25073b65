// Pre-tokenizers cut text into words that merges never cross. A list of steps, each cutting the pieces further; the
// steps are those of tokenizer.json, or what the name in a GGUF file stands for (pre_tokenizer_names.h).
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model_store/tokenizers/regex.h"

namespace hearth {

// What becomes of a match (the delimiter) when text is cut at it.
enum class SplitBehavior { isolated, removed, merged_with_previous, merged_with_next, contiguous };

// A text that is being cut. The pieces lie in the text or in `buffers`.
struct CutText {
  std::vector<std::string_view> pieces;
  std::deque<std::string> buffers;
  const char* text_begin = nullptr;  // where the whole text begins; a piece that lies there may get a prefix
  std::vector<std::string_view> next;
  std::vector<Regex::Match> matches;

  void start(std::string_view text, bool is_text_start) {
    buffers.clear();
    pieces.assign(text.empty() ? 0 : 1, text);
    text_begin = is_text_start ? text.data() : nullptr;
  }
};

class PreTokenizer {
 public:
  using Step = std::function<Result<void>(CutText& text)>;

  // The "pre_tokenizer" member of tokenizer.json (null: nothing to do). unimplemented names a type that is not known.
  static Result<PreTokenizer> from_json(const Json& json);
  const Json& json() const { return json_; }

  // Has it a ByteLevel step? Then words are bytes, written as symbols.
  bool is_byte_level() const { return symbols_from_.has_value(); }
  // The words as symbols, for a model whose vocabulary is one of characters; else they are the raw bytes.
  void keep_symbols() { keeps_symbols_ = true; }

  // Cuts valid UTF-8 that `cut` was started with.
  Result<void> split(CutText& cut) const;

  // Patterns in order, and whether they are all there is to it (isolated cuts, and bytes at the end): for exporters
  // that look for a name.
  const std::vector<std::string>& patterns() const { return patterns_; }
  bool is_plain() const { return is_plain_; }

 private:
  friend class PreTokenizerReader;
  std::vector<Step> steps_;
  std::vector<std::string> patterns_;
  std::optional<size_t> symbols_from_;  // steps from this index on see byte-level symbols instead of text
  bool keeps_symbols_ = false, is_plain_ = true;
  Json json_;
};

}  // namespace hearth
