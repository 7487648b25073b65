// The trainer's own random numbers: the same on every machine and at every thread count.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <string_view>
#include <utility>

namespace hearth::train {

// A good 64-bit mixer (the finaliser of SplitMix64): equal inputs, equal outputs, no visible pattern between neighbours.
inline uint64_t mix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

inline uint64_t hash64(std::string_view text, uint64_t seed) {
  uint64_t h = mix64(seed);
  for (unsigned char c : text) h = (h ^ c) * 0x100000001b3u;
  return mix64(h);
}

// Counter-based: the i-th number of stream `key` needs no numbers before it.
class Random {
 public:
  explicit Random(uint64_t key) : key_(mix64(key)) {}
  uint64_t bits() { return mix64(key_ + 0x9e3779b97f4a7c15u * counter_++); }
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }  // [0, 1)
  uint64_t below(uint64_t n) { return static_cast<uint64_t>((static_cast<unsigned __int128>(bits()) * n) >> 64); }
  float normal() {  // Box-Muller, one of the two
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return static_cast<float>(radius * std::cos(2 * std::numbers::pi * uniform()));
  }

 private:
  uint64_t key_, counter_ = 0;
};

template <class T>
void shuffle(std::span<T> items, Random& random) {
  for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

}  // namespace hearth::train
