// Exact heap blocks and the guards around them.
#include "runtime/backend/emulated/guarded.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/sanitizers.h"

namespace hearth::emulator {
namespace {

constexpr std::align_val_t kAlignment{64};
// Of a guard: a row of a small test overruns by less. The sanitizer has its own.
constexpr size_t kGuardBytes = HEARTH_HAS_ASAN ? 0 : 1024;

// A NaN of its own at every address, in both halves, and a signalling one: what is read here and written beside another
// buffer is seen, copied or computed with.
uint32_t guard_at(const std::byte* at) {
  const auto hash = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(at) * 0x9e3779b97f4a7c15u >> 40);
  return 0x7f817f81u | (hash & 0x3e) << 16 | (hash >> 8 & 0x3e);
}

// Byte by byte at an end that is no whole word.
uint8_t guard_byte(const std::byte* at) {
  const auto offset = reinterpret_cast<uintptr_t>(at) % sizeof(uint32_t);
  return static_cast<uint8_t>(guard_at(at - offset) >> 8 * offset);
}

template <class Word, class Byte>
bool walk_guard(std::byte* begin, std::byte* end, Word word, Byte byte) {
  for (; begin < end && reinterpret_cast<uintptr_t>(begin) % sizeof(uint32_t) != 0; ++begin)
    if (!byte(begin)) return false;
  for (; begin + sizeof(uint32_t) <= end; begin += sizeof(uint32_t))
    if (!word(begin)) return false;
  for (; begin < end; ++begin)
    if (!byte(begin)) return false;
  return true;
}

void write_guard(std::byte* begin, std::byte* end) {
  auto word = [](std::byte* at) {
    const uint32_t guard = guard_at(at);
    std::memcpy(at, &guard, sizeof(guard));
    return true;
  };
  walk_guard(begin, end, word, [](std::byte* at) {
    *at = std::byte{guard_byte(at)};
    return true;
  });
}

bool is_guard(std::byte* begin, std::byte* end) {
  auto word = [](const std::byte* at) {
    uint32_t found;
    std::memcpy(&found, at, sizeof(found));
    return found == guard_at(at);
  };
  return walk_guard(begin, end, word, [](const std::byte* at) { return *at == std::byte{guard_byte(at)}; });
}

}  // namespace

void fill(std::byte* data, size_t bytes, Filling filling) {
  const auto word = static_cast<uint32_t>(filling);
  size_t i = 0;
  for (; i + sizeof(word) <= bytes; i += sizeof(word)) std::memcpy(data + i, &word, sizeof(word));
  if (i < bytes) std::memcpy(data + i, &word, bytes - i);
}

size_t Guarded::guard_bytes() {
  return kGuardBytes;
}

void Guarded::Free::operator()(std::byte* block) const {
  ::operator delete(block, kAlignment);
}

Guarded::Guarded(size_t bytes)
    : bytes_(bytes), block_(static_cast<std::byte*>(::operator new(bytes + 2 * kGuardBytes, kAlignment))) {
  write_guard(block_.get(), data());
  write_guard(data() + bytes, data() + bytes + kGuardBytes);
}

Guarded::Guarded(size_t bytes, Filling filling) : Guarded(bytes) {
  fill(data(), bytes, filling);
}

Guarded::Guarded(const void* content, size_t bytes) : Guarded(bytes) {
  if (bytes > 0) std::memcpy(data(), content, bytes);
}

bool Guarded::is_intact() const {
  return is_guard(block_.get(), data()) && is_guard(data() + bytes_, data() + bytes_ + kGuardBytes);
}

}  // namespace hearth::emulator
