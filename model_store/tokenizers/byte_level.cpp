// The byte-level alphabet as two tables, made once.
#include "model_store/tokenizers/byte_level.h"

#include <array>

#include "base/utf8.h"

namespace hearth {
namespace {

constexpr uint32_t kLastSymbol = 0x143;

struct Tables {
  std::array<std::string, 256> symbol_of;
  std::array<int16_t, kLastSymbol + 1> byte_of;

  Tables() {
    byte_of.fill(-1);
    uint32_t next = 0x100;
    for (int b = 0; b < 256; ++b) {
      bool printable = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      uint32_t symbol = printable ? static_cast<uint32_t>(b) : next++;
      append_utf8(symbol, symbol_of[b]);
      byte_of[symbol] = static_cast<int16_t>(b);
    }
  }
};

const Tables& tables() {
  static const Tables kTables;
  return kTables;
}

}  // namespace

std::string_view byte_to_symbol(uint8_t byte) {
  return tables().symbol_of[byte];
}

std::optional<std::string> symbols_to_bytes(std::string_view symbols) {
  std::string out;
  out.reserve(symbols.size());
  while (!symbols.empty()) {
    Utf8Char c = decode_utf8(symbols);
    if (c.n_bytes == 0 || c.code_point > kLastSymbol || tables().byte_of[c.code_point] < 0) return std::nullopt;
    out.push_back(static_cast<char>(tables().byte_of[c.code_point]));
    symbols.remove_prefix(c.n_bytes);
  }
  return out;
}

std::string bytes_to_symbols(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 4);
  for (char b : bytes) out += byte_to_symbol(static_cast<uint8_t>(b));
  return out;
}

}  // namespace hearth
