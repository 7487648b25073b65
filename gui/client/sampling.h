// Sampling: how an answer's words are chosen. What is not set is the model's own.
#pragma once

#include <optional>

namespace hearth::gui {

struct Sampling {
  std::optional<double> temperature, topP;
  std::optional<int> maxTokens;
  bool operator==(const Sampling&) const = default;
};

}  // namespace hearth::gui
