// The names that GGUF files have for the ways of cutting text (tokenizer.ggml.pre), and what they stand for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace hearth {

constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// What families have in common with the name, without saying so in the metadata.
struct NamedPreTokenizer {
  std::vector<std::string_view> patterns;  // isolated cuts, one after the other; then bytes
  bool ignore_merges = false;              // a whole word that is a token is that token
  bool adds_bos = false;
  bool nfc = false;  // the text is brought into Unicode's form C before
};

Result<NamedPreTokenizer> find_pre_tokenizer(std::string_view gguf_name);
// As the "pre_tokenizer" member of tokenizer.json.
Json pre_tokenizer_json(const NamedPreTokenizer& named);
// The name for these patterns in this form, if there is one; of several the one with the same `ignore_merges`, if there
// is one.
std::optional<std::string_view> gguf_pre_tokenizer_name(const std::vector<std::string>& patterns, bool ignore_merges,
                                                        bool nfc);

}  // namespace hearth
