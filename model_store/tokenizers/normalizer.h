// Text normalisation before tokenizing: Unicode forms and simple replacements, in the order that the tokenizer states.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace hearth {

class NormalizerStep {
 public:
  virtual ~NormalizerStep() = default;
  virtual Result<std::string> apply(std::string text) const = 0;
};

class Normalizer {
 public:
  // The "normalizer" member of tokenizer.json (null: nothing to do). unimplemented names a type that is not known.
  static Result<Normalizer> from_json(const Json& json);
  bool is_identity() const { return steps_.empty(); }
  Result<std::string> apply(std::string text) const;  // text: valid UTF-8

 private:
  Result<void> add(const Json& json, int depth);
  std::vector<std::shared_ptr<const NormalizerStep>> steps_;
};

}  // namespace hearth
