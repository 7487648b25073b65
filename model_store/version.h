// Which of two versions of a model is newer, by the rules of the scheme that both are written in: SemVer 2.0.0
// ("v1.9.0-rc.1+build"), dotted numbers of any length ("1.10", "4"), and calendar versions ("2025-06-01", "2025.06",
// "20250601", "2025-06-01-rc1", "2025-06-01.2"). Numbers may be longer than 64 bits. Two versions of different schemes,
// or whose endings have no order of their own, are an Error that says why: guessing would let an old version in.
#pragma once

#include <compare>
#include <string_view>

#include "base/result.h"

namespace hearth::store {

// A strict partial order: where it answers it is antisymmetric and transitive. "1.0" and "1.0.0" are equivalent, and so
// are versions that differ in build metadata only. invalid_argument: they cannot be ordered.
Result<std::weak_ordering> compare_versions(std::string_view a, std::string_view b);

}  // namespace hearth::store
