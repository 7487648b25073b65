// UTF-8, one character at a time, strict (no surrogates, no overlong forms).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth {

struct Utf8Char {
  uint32_t code_point = 0;
  int n_bytes = 0;  // 0: the bytes at this place are not a whole valid character
};

// The character that begins at text[0]; text must not be empty.
Utf8Char decode_utf8(std::string_view text);
void append_utf8(uint32_t code_point, std::string& out);

// How many bytes of `text` are valid from its beginning.
size_t valid_utf8_prefix(std::string_view text);

constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

// How many bytes one error takes, where `text` does not begin with a whole character: the longest beginning of a
// character, as the Unicode standard recommends. text must not be empty.
size_t invalid_utf8_bytes(std::string_view text);

// Could `bytes` (not a whole character) become one if more bytes follow?
bool is_utf8_beginning(std::string_view bytes);

}  // namespace hearth
