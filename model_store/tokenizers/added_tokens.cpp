// AddedTokenFinder: a trie over bytes.
#include "model_store/tokenizers/added_tokens.h"

#include <unicode/uchar.h>

#include "model_store/tokenizers/utf8.h"

namespace hearth {
namespace {

bool is_blank(Utf8Char c) {
  return c.n_bytes > 0 && u_isUWhiteSpace(static_cast<UChar32>(c.code_point));
}
bool is_word(Utf8Char c) {
  auto cp = static_cast<UChar32>(c.code_point);
  return c.n_bytes > 0 && (u_isalnum(cp) || cp == '_' || u_charType(cp) == U_NON_SPACING_MARK);
}

Utf8Char char_before(std::string_view text, size_t at) {
  size_t begin = at;
  while (begin > 0 && at - begin < 4) {
    --begin;
    if ((text[begin] & 0xC0) != 0x80) break;
  }
  return begin == at ? Utf8Char{} : decode_utf8(text.substr(begin, at - begin));
}
Utf8Char char_at(std::string_view text, size_t at) {
  return at < text.size() ? decode_utf8(text.substr(at)) : Utf8Char{};
}

}  // namespace

void AddedTokenFinder::add(const AddedToken* token, std::string_view content) {
  if (content.empty()) return;
  uint32_t node = 0;
  for (char b : content) {
    auto [it, is_new] = nodes_[node].children.try_emplace(b, static_cast<uint32_t>(nodes_.size()));
    uint32_t next = it->second;
    if (is_new) nodes_.emplace_back();
    node = next;
  }
  if (!nodes_[node].token) nodes_[node].token = token;
  starts_with_[static_cast<uint8_t>(content[0])] = true;
}

const AddedToken* AddedTokenFinder::longest_at(std::string_view text, size_t at, bool parse_special,
                                               size_t& n_bytes) const {
  const AddedToken* best = nullptr;
  uint32_t node = 0;
  for (size_t i = at; i < text.size(); ++i) {
    auto child = nodes_[node].children.find(text[i]);
    if (child == nodes_[node].children.end()) break;
    node = child->second;
    if (const AddedToken* token = nodes_[node].token; token && (parse_special || !token->special)) {
      best = token;
      n_bytes = i + 1 - at;
    }
  }
  return best;
}

void AddedTokenFinder::split(std::string_view text, bool parse_special, std::vector<TextPart>& out) const {
  size_t done = 0;  // everything before is in `out`
  for (size_t at = 0; at < text.size();) {
    size_t n_bytes = 0;
    const AddedToken* token =
        starts_with_[static_cast<uint8_t>(text[at])] ? longest_at(text, at, parse_special, n_bytes) : nullptr;
    if (!token) {
      ++at;
      continue;
    }
    size_t begin = at, end = at + n_bytes;
    at = end;
    if (token->single_word && (is_word(char_before(text, begin)) || is_word(char_at(text, end)))) continue;
    while (token->lstrip && begin > done && is_blank(char_before(text, begin)))
      begin -= char_before(text, begin).n_bytes;
    while (token->rstrip && end < text.size() && is_blank(char_at(text, end))) end += char_at(text, end).n_bytes;
    if (begin > done) out.push_back({text.substr(done, begin - done)});
    out.push_back({text.substr(begin, end - begin), token});
    done = end;
    at = std::max(at, end);
  }
  if (done < text.size()) out.push_back({text.substr(done)});
}

}  // namespace hearth
