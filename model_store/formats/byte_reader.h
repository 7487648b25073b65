// Reads little-endian fields from a span of untrusted bytes; running past the end is an Error, never undefined.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/result.h"

namespace hearth {

static_assert(std::endian::native == std::endian::little, "model files are little-endian and are read in place");

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }

  template <class T>
  Result<T> number(std::string_view what) {
    static_assert(std::is_arithmetic_v<T>);
    std::span<const std::byte> field = TRY(take(sizeof(T), what));
    T value;
    std::memcpy(&value, field.data(), sizeof(T));
    return value;
  }

  Result<std::span<const std::byte>> take(uint64_t n_bytes, std::string_view what) {
    if (n_bytes > remaining())
      return error(Code::data_loss,
                   "{} at byte {} needs {} bytes, but only {} are left: the file is cut short or damaged", what,
                   position_, n_bytes, remaining());
    auto out = bytes_.subspan(position_, n_bytes);
    position_ += n_bytes;
    return out;
  }

  // u64 length, then the bytes.
  Result<std::string_view> string(uint64_t max_bytes, std::string_view what) {
    uint64_t n_bytes = TRY(number<uint64_t>(what));
    if (n_bytes > max_bytes)
      return error(Code::data_loss, "{} at byte {} claims a length of {} bytes, the limit is {}", what, position_,
                   n_bytes, max_bytes);
    auto bytes = TRY(take(n_bytes, what));
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

 private:
  std::span<const std::byte> bytes_;
  size_t position_ = 0;
};

// a * b, or false when it does not fit.
inline bool checked_multiply(uint64_t a, uint64_t b, uint64_t* out) {
  return !__builtin_mul_overflow(a, b, out);
}

}  // namespace hearth
