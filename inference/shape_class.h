// The sizes that steps are padded to, so that a few plans serve steps of every size. Padding tokens have a negative
// position: they change no state, and nobody reads their rows.
#pragma once

namespace hearth {

struct ShapeClass {
  int n_tokens, n_logit_rows;
  bool operator==(const ShapeClass&) const = default;
};

// Up to 8 as they are: a step of decoding costs no more than it has to. Then steps of an eighth to a quarter of the
// size: 12, 16, .. 32, 40, .. 64, 80, .. 128, 160, ..
constexpr int padded_tokens(int n) {
  if (n <= 8) return n;
  int step = 4;
  while (n > 8 * step) step *= 2;
  return (n + step - 1) / step * step;
}

// One row for each answering sequence.
constexpr int padded_logit_rows(int n) {
  if (n <= 8) return n < 1 ? 1 : n;
  int out = 16;
  while (out < n) out *= 2;
  return out;
}

// The class of a step in which n_wanted tokens want logits. Graphs give one row at least.
constexpr ShapeClass shape_class(int n_tokens, int n_wanted) {
  return {padded_tokens(n_tokens), padded_logit_rows(n_wanted)};
}

}  // namespace hearth
