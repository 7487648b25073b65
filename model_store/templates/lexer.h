// Cuts a template into text and the tokens inside {{ }} and {% %}, with white-space control as transformers sets it:
// trim_blocks (the newline after a tag goes) and lstrip_blocks (blanks before a tag at a line's beginning go).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth::jinja {

enum class TokenKind : uint8_t {
  text,
  variable_begin,
  variable_end,
  block_begin,
  block_end,
  name,
  string,
  integer,
  real,
  symbol,
  end
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;  // decoded for strings; the operator for symbols
  int line = 0;
};

Result<std::vector<Token>> tokenize_template(std::string_view source);

}  // namespace hearth::jinja
