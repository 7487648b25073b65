// The known word that someone most likely meant, for "did you mean".
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hearth {

// Letters to insert, remove or replace to make one of the other.
size_t edit_distance(std::string_view a, std::string_view b);

// Near enough to be a slip: at most one letter in three is wrong, and never all of them.
bool is_near(std::string_view unknown, std::string_view known);

// The nearest of `known`, or nothing when none is near.
std::optional<std::string> nearest(std::string_view unknown, std::span<const std::string> known);

}  // namespace hearth
