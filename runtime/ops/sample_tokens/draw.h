// How a token is drawn without sorting: what is kept, and what is drawn, are each a place in an order, found bit by bit
// of a key that has that order. A pass over the row a bit; a CPU's thread or a GPU's block makes it.
#pragma once

#include <cmath>
#include <cstdint>

#include "runtime/ops/sample_tokens/sample_tokens.h"
#include "runtime/tensor/scalar.h"

#ifdef __CUDACC__
#define HEARTH_DRAW __device__
#else
#define HEARTH_DRAW
#endif

namespace hearth {

HEARTH_DRAW inline bool is_finite(float x) {
  return (float_to_bits(x) & 0x7f800000u) != 0x7f800000u;
}

// Greater for greater numbers, at equal numbers for smaller ids, and never 0 but for -NaN.
struct DrawKeys {
  int64_t V;
  int id_bits = 0;
  HEARTH_DRAW explicit DrawKeys(int64_t V) : V(V) {
    while ((int64_t{1} << id_bits) < V) ++id_bits;
  }
  HEARTH_DRAW uint64_t of(float x, int64_t i) const {
    const uint32_t bits = float_to_bits(x == 0 ? 0.0f : x);  // -0 is no less
    const uint32_t ordered = bits ^ (bits >> 31 ? 0xffffffffu : 0x80000000u);
    return static_cast<uint64_t>(ordered) << id_bits | static_cast<uint64_t>(V - 1 - i);
  }
  HEARTH_DRAW uint64_t of_id(int64_t i) const { return uint64_t{1} << id_bits | static_cast<uint64_t>(V - 1 - i); }
  HEARTH_DRAW int64_t id(uint64_t key) const {
    return V - 1 - static_cast<int64_t>(key & ((uint64_t{1} << id_bits) - 1));
  }
};

// The largest key from which on, upwards, the amounts are enough; 0 when all of them are not.
template <class Row, class Key, class Amount, class Enough>
HEARTH_DRAW uint64_t search_key(const Row& row, int bits, Key key, Amount amount, Enough enough) {
  uint64_t found = 0;
  for (int bit = bits - 1; bit >= 0; --bit) {
    const uint64_t next = found | uint64_t{1} << bit;
    if (enough(row.sum([&](int64_t i) { return key(i) >= next ? static_cast<double>(amount(i)) : 0.0; }))) found = next;
  }
  return found;
}

// Row: sum(f), the sum of f(i) over the row as a double, and largest(f), of uint64_t.
template <class Row>
HEARTH_DRAW int64_t draw_token(const float* x, int64_t V, const DrawChoice& c, const Row& row) {
  const DrawKeys keys(V);
  const int all_bits = 32 + keys.id_bits;
  const auto of_logit = [&](int64_t i) { return is_finite(x[i]) ? keys.of(x[i], i) : uint64_t{0}; };
  const uint64_t top =
      row.largest([&](int64_t i) { return is_finite(x[i]) || x[i] > 0 ? keys.of(x[i], i) : uint64_t{0}; });
  if (top == 0 || !is_finite(x[keys.id(top)])) return -1;
  if (c.temperature == 0) return keys.id(top);
  const float largest = x[keys.id(top)];
  const auto weight = [&](int64_t i) { return expf((x[i] - largest) / c.temperature); };

  uint64_t least = 1;  // of the keys of logits that top-k keeps
  if (c.top_k > 0)
    least = search_key(
        row, all_bits, of_logit, [](int64_t) { return 1.0f; }, [&](double n) { return n >= c.top_k; });
  const auto is_of_k = [&](int64_t i) { return is_finite(x[i]) && of_logit(i) >= least; };
  const bool is_truncated = c.top_p < 1 || c.min_p > 0;
  const auto of_weight = [&](int64_t i) { return is_of_k(i) ? keys.of(weight(i), i) : uint64_t{0}; };
  uint64_t least_weight = 1;
  if (is_truncated) {
    const double target = c.top_p * row.sum([&](int64_t i) { return is_of_k(i) ? double{weight(i)} : 0.0; });
    least_weight = search_key(row, all_bits, of_weight, weight, [&](double sum) { return sum > 0 && sum >= target; });
  }
  const auto kept_weight = [&](int64_t i) {
    if (!is_of_k(i)) return 0.0;
    const float w = weight(i);
    return is_truncated && (of_weight(i) < least_weight || w < c.min_p) ? 0.0 : double{w};
  };
  const auto order = [&](int64_t i) {
    if (kept_weight(i) == 0) return uint64_t{0};
    return is_truncated ? of_weight(i) : c.top_k > 0 ? of_logit(i) : keys.of_id(i);
  };
  const double point = (double{c.uniform} + c.uniform_rest) * row.sum(kept_weight);
  const int bits = is_truncated || c.top_k > 0 ? all_bits : keys.id_bits + 1;
  const uint64_t drawn = search_key(row, bits, order, kept_weight, [&](double sum) { return sum > point; });
  if (drawn > 0) return keys.id(drawn);
  return keys.id(~row.largest([&](int64_t i) { return order(i) == 0 ? uint64_t{0} : ~order(i); }));  // by rounding
}

}  // namespace hearth
