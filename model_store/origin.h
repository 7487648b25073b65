// Where a model came from: what kind of place, and which. The kind is a word of a fixed list, in the catalog as here,
// so that whoever shows it can word it; in_words() is the English.
#pragma once

#include <string>

#include "base/word.h"

namespace hearth::store {

// unknown: of a catalog that this version did not write.
inline constexpr std::array kOriginKinds{"unknown", "bundled", "pack", "import", "training", "recovered"};
using OriginKind = Word<kOriginKinds>;

struct Origin {
  OriginKind kind;
  std::string from;  // the pack's folder, the path that was imported, the training job's id; else empty
  friend bool operator==(const Origin&, const Origin&) = default;
};

std::string in_words(const Origin& origin);  // "pack from /media/stick"

}  // namespace hearth::store
