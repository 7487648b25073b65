// A compiled regular expression over UTF-8 (PCRE2, JIT, Unicode classes), in the dialect of tokenizer.json
// (regex_dialect.h), with limits: the pattern may be hostile.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth {

// Immutable; may be used from several threads.
class Regex {
 public:
  static Result<Regex> compile(std::string_view pattern);
  // A pattern that matches `literal` only.
  static Result<Regex> literal(std::string_view literal);

  struct Match {
    size_t begin, end;
  };
  // All matches from left to right. One that is empty is there only when it does not touch the one before. `text` must
  // be valid UTF-8. resource_exhausted when one match takes too many steps.
  Result<void> find_all(std::string_view text, std::vector<Match>& out) const;

 private:
  struct Impl;
  explicit Regex(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace hearth
