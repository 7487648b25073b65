// Base64.
#include "model_store/tokenizers/base64.h"

#include <cstdint>

namespace hearth {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

Result<std::string> decode_base64(std::string_view text, size_t max_bytes) {
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() / 4 * 3 > max_bytes)
    return error(Code::resource_exhausted, "base64 of {} characters is over the limit of {} bytes", text.size(),
                 max_bytes);
  std::string out;
  out.reserve(text.size() / 4 * 3 + 3);
  uint32_t bits = 0;
  int n_bits = 0;
  for (char c : text) {
    size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return error(Code::invalid_argument, "a character that is not base64");
    bits = bits << 6 | static_cast<uint32_t>(value);
    n_bits += 6;
    if (n_bits < 8) continue;
    n_bits -= 8;
    out.push_back(static_cast<char>(bits >> n_bits));
  }
  return out;
}

std::string encode_base64(std::string_view bytes) {
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i)
      group = group << 8 | (at + i < bytes.size() ? static_cast<uint8_t>(bytes[at + i]) : 0);
    for (size_t i = 0; i < 4; ++i) out.push_back(at + i <= bytes.size() ? kAlphabet[group >> (18 - 6 * i) & 63] : '=');
  }
  return out;
}

}  // namespace hearth
