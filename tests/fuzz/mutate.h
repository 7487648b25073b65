// Makes damaged inputs from seeds: bits flipped, integers at their edges, pieces cut, doubled and joined.
// Deterministic, so that a test without libFuzzer still walks a wide neighbourhood of valid files, the same one every
// time.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace hearth::fuzz {

class Mutator {
 public:
  Mutator(std::vector<std::string> seeds, uint64_t seed) : seeds_(std::move(seeds)), random_(seed) {}
  std::string next();

 private:
  size_t below(size_t n) { return n == 0 ? 0 : random_() % n; }
  void flip_bit(std::string& text);
  void set_integer(std::string& text);
  void cut(std::string& text);
  void repeat(std::string& text);
  void splice(std::string& text);
  void set_digits(std::string& text);

  std::vector<std::string> seeds_;
  std::mt19937_64 random_;
};

}  // namespace hearth::fuzz
