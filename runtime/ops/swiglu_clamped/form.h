// The numbers of a clamped swiglu: attributes of swiglu_clamped, and part of a model's configuration.
#pragma once

namespace hearth {

struct ClampedSwiglu {
  float alpha = 1;   // of the sigmoid
  float limit = 0;   // gate is cut above it, up on both sides
  float offset = 0;  // added to up
  bool operator==(const ClampedSwiglu&) const = default;
};

}  // namespace hearth
