// The mutations.
#include "tests/fuzz/mutate.h"

#include <cstring>

namespace hearth::fuzz {
namespace {

constexpr size_t kMaxBytes = 1 << 18;
constexpr uint64_t kEdges[] = {0,
                               1,
                               0x7F,
                               0x80,
                               0xFF,
                               0x7FFF,
                               0xFFFF,
                               0x7FFFFFFF,
                               0x80000000,
                               0xFFFFFFFF,
                               1ull << 32,
                               1ull << 62,
                               INT64_MAX,
                               1ull << 63,
                               UINT64_MAX,
                               32,
                               UINT64_MAX / 2 - 31,
                               UINT64_MAX - 31};
constexpr const char* kTexts[] = {"-1",         "0",          "1e999",   "99999999999999999999",
                                  "4294967296", "2147483648", "null",    "[]",
                                  "{}",         "\"\"",       "\\ud800", "{%",
                                  "%}",         "{{",         "}}",      "((((",
                                  "|"};

}  // namespace

void Mutator::flip_bit(std::string& text) {
  if (!text.empty()) text[below(text.size())] ^= static_cast<char>(1 << below(8));
}

void Mutator::set_integer(std::string& text) {
  const size_t width = size_t{1} << below(4);
  if (text.size() < width) return;
  const uint64_t value = kEdges[below(std::size(kEdges))];
  std::memcpy(text.data() + below(text.size() - width + 1), &value, width);
}

void Mutator::cut(std::string& text) {
  if (text.empty()) return;
  const size_t at = below(text.size());
  text.erase(at, 1 + below(std::min<size_t>(text.size() - at, 64)));
}

void Mutator::repeat(std::string& text) {
  if (text.empty() || text.size() > kMaxBytes) return;
  const size_t at = below(text.size());
  const std::string piece = text.substr(at, 1 + below(32));
  for (size_t n = size_t{1} << below(10); n > 0 && text.size() < kMaxBytes; --n) text.insert(at, piece);
}

void Mutator::splice(std::string& text) {
  const std::string& other = seeds_[below(seeds_.size())];
  if (text.empty() || other.empty()) return;
  text.insert(below(text.size()), other.substr(below(other.size()), 1 + below(128)));
}

void Mutator::set_digits(std::string& text) {
  if (text.empty()) return;
  size_t at = text.find_first_of("0123456789", below(text.size()));
  if (at == std::string::npos) at = below(text.size());
  const size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
  text.replace(at, end - at, kTexts[below(std::size(kTexts))]);
}

std::string Mutator::next() {
  std::string text = seeds_[below(seeds_.size())];
  for (size_t n = 1 + below(4); n > 0; --n) {
    switch (below(6)) {
      case 0:
        flip_bit(text);
        break;
      case 1:
        set_integer(text);
        break;
      case 2:
        cut(text);
        break;
      case 3:
        repeat(text);
        break;
      case 4:
        splice(text);
        break;
      default:
        set_digits(text);
        break;
    }
  }
  return text;
}

}  // namespace hearth::fuzz
