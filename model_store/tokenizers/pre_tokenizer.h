// Pre-tokenizers cut text into words that merges never cross. A list of steps, each cutting the pieces further.
#pragma once

#include <memory>
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

struct SplitStep {
  Regex pattern;
  SplitBehavior behavior = SplitBehavior::isolated;
  bool invert = false;  // what does not match is the delimiter
};

class PreTokenizer {
 public:
  // The "pre_tokenizer" member of tokenizer.json. It must end in byte-level symbols (unimplemented otherwise).
  static Result<PreTokenizer> from_json(const Json& json);
  // The name that GGUF files give (tokenizer.ggml.pre).
  static Result<PreTokenizer> from_gguf_name(std::string_view name);

  // Cuts valid UTF-8. The pieces are raw bytes (not symbols) and lie in `text` or in `storage`.
  Result<void> split(std::string_view text, std::string& storage, std::vector<std::string_view>& pieces) const;

  // Patterns in order, when all steps are plain isolated cuts; for exporters that look the name up.
  const std::vector<std::string>& patterns() const { return patterns_; }
  bool is_plain() const { return is_plain_ && !add_prefix_space_ && !symbols_from_; }  // patterns() says all
  // The GGUF name for these patterns, if there is one.
  std::optional<std::string_view> gguf_name() const;

 private:
  Result<void> add(const Json& json, int depth);
  Result<void> add_pattern(std::string_view pattern, SplitBehavior behavior = SplitBehavior::isolated,
                           bool invert = false);

  std::vector<SplitStep> steps_;
  std::vector<std::string> patterns_;
  std::optional<size_t> symbols_from_;  // steps from this index on see byte-level symbols instead of text
  bool add_prefix_space_ = false;
  bool is_plain_ = true;
};

}  // namespace hearth
