// Base64 as RFC 4648 has it, for tokenizer files.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth {

Result<std::string> decode_base64(std::string_view text, size_t max_bytes);
std::string encode_base64(std::string_view bytes);

}  // namespace hearth
