// The byte-level alphabet: every byte has a printable character that stands for it in vocabularies, so that a
// vocabulary file is readable text. Printable ASCII and Latin-1 stand for themselves; the other 68 bytes are U+0100
// onwards.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hearth {

// The UTF-8 of the character that stands for a byte.
std::string_view byte_to_symbol(uint8_t byte);

// "Ġhello" → " hello". Absent when a character does not stand for a byte.
std::optional<std::string> symbols_to_bytes(std::string_view symbols);
std::string bytes_to_symbols(std::string_view bytes);

}  // namespace hearth
