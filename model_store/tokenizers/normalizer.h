// Text normalisation before tokenizing: Unicode forms, replacements and so on, in the order that the tokenizer states.
// The steps are those of tokenizer.json: NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Nmt, BertNormalizer,
// Precompiled, Prepend, Replace, ByteLevel, Sequence.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace hearth {

class Normalizer {
 public:
  using Step = std::function<Result<std::string>(std::string text)>;

  // The "normalizer" member of tokenizer.json (null: nothing to do). unimplemented names a type that is not known.
  static Result<Normalizer> from_json(const Json& json);
  bool is_identity() const { return steps_.empty(); }
  const Json& json() const { return json_; }          // as it was given
  Result<std::string> apply(std::string text) const;  // text: valid UTF-8; so is the result

 private:
  Result<void> add(const Json& json, int depth);
  std::vector<Step> steps_;
  Json json_;
};

}  // namespace hearth
