// What the kinds of models share: tokens that stand for bytes, and the blank symbol.
#include "model_store/tokenizers/token_model.h"

namespace hearth {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

int byte_of_token(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return -1;
  int high = hex_digit(text[3]), low = hex_digit(text[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

size_t part_before_blank(std::string_view word) {
  size_t at = 0;
  while (word.substr(at).starts_with(kBlankSymbol)) at += kBlankSymbol.size();
  size_t found = word.find(kBlankSymbol, at);
  return found == std::string_view::npos ? word.size() : found;
}

bool has_blank_inside(std::string_view piece) {
  return part_before_blank(piece) < piece.size();
}

}  // namespace hearth
