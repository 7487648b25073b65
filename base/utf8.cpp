// UTF-8 decoding after the table of well-formed byte sequences in the Unicode standard (table 3-7).
#include "base/utf8.h"

#include <cstring>

namespace hearth {
namespace {

struct Lead {
  int n_bytes;        // of the whole character; 0: not a lead byte
  uint8_t low, high;  // range of the second byte
};

Lead lead_of(uint8_t b) {
  if (b < 0x80) return {1, 0, 0};
  if (b < 0xC2) return {0, 0, 0};
  if (b < 0xE0) return {2, 0x80, 0xBF};
  if (b == 0xE0) return {3, 0xA0, 0xBF};
  if (b == 0xED) return {3, 0x80, 0x9F};
  if (b < 0xF0) return {3, 0x80, 0xBF};
  if (b == 0xF0) return {4, 0x90, 0xBF};
  if (b < 0xF4) return {4, 0x80, 0xBF};
  if (b == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// How many bytes from the beginning fit the character that its first byte announces.
int fitting_bytes(std::string_view text, Lead lead) {
  int n = 1;
  while (n < lead.n_bytes && n < static_cast<int>(text.size())) {
    auto b = static_cast<uint8_t>(text[n]);
    if (b < (n == 1 ? lead.low : 0x80) || b > (n == 1 ? lead.high : 0xBF)) break;
    ++n;
  }
  return n;
}

}  // namespace

Utf8Char decode_utf8(std::string_view text) {
  auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return {first, 1};
  Lead lead = lead_of(first);
  if (lead.n_bytes == 0 || fitting_bytes(text, lead) < lead.n_bytes) return {};
  uint32_t code_point = first & (0xFF >> (lead.n_bytes + 1));
  for (int i = 1; i < lead.n_bytes; ++i) code_point = code_point << 6 | (static_cast<uint8_t>(text[i]) & 0x3F);
  return {code_point, lead.n_bytes};
}

void append_utf8(uint32_t c, std::string& out) {
  auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

size_t valid_utf8_prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    uint64_t eight;
    if (at + 8 <= text.size() && (std::memcpy(&eight, text.data() + at, 8), (eight & 0x8080808080808080u) == 0)) {
      at += 8;
      continue;
    }
    int n = decode_utf8(text.substr(at)).n_bytes;
    if (n == 0) break;
    at += n;
  }
  return at;
}

size_t invalid_utf8_bytes(std::string_view text) {
  size_t n = 1;
  while (n < text.size() && is_utf8_beginning(text.substr(0, n + 1))) ++n;
  return n;
}

bool is_utf8_beginning(std::string_view bytes) {
  if (bytes.empty()) return false;
  Lead lead = lead_of(static_cast<uint8_t>(bytes[0]));
  return lead.n_bytes > static_cast<int>(bytes.size()) && fitting_bytes(bytes, lead) == static_cast<int>(bytes.size());
}

}  // namespace hearth
