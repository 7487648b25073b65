// AddedTokenFinder: a trie over bytes.
#include "model_store/tokenizers/added_tokens.h"

#include "base/utf8.h"
#include "model_store/tokenizers/unicode_facts.h"

namespace hearth {
namespace {

bool is_blank(Utf8Char c) {
  return c.n_bytes > 0 && is_white_space(c.code_point);
}
bool is_word(Utf8Char c) {
  return c.n_bytes > 0 && is_regex_word(c.code_point);
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
  trie_.insert(content, static_cast<int32_t>(tokens_.size()));
  tokens_.push_back(token);
}

const AddedToken* AddedTokenFinder::longest_at(std::string_view text, size_t at, bool parse_special,
                                               size_t& n_bytes) const {
  const AddedToken* best = nullptr;
  int32_t node = ByteTrie::kRoot;
  for (size_t i = at; i < text.size(); ++i) {
    node = trie_.step(node, text[i]);
    if (node == ByteTrie::kNone) break;
    int32_t found = trie_.id_at(node);
    if (found < 0 || (tokens_[found]->special && !parse_special)) continue;
    best = tokens_[found];
    n_bytes = i + 1 - at;
  }
  return best;
}

void AddedTokenFinder::split(std::string_view text, bool parse_special, std::vector<TextPart>& out) const {
  if (trie_.empty()) {
    if (!text.empty()) out.push_back({text});
    return;
  }
  size_t done = 0;  // everything before is in `out`
  for (size_t at = 0; at < text.size();) {
    size_t n_bytes = 0;
    const AddedToken* token = longest_at(text, at, parse_special, n_bytes);
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
