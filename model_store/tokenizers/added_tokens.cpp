// AddedTokenFinder: a trie over bytes.
#include "model_store/tokenizers/added_tokens.h"

#include <algorithm>

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

constexpr std::string_view kHtmlTags[] = {
    "a",      "b",   "blockquote", "br",    "caption", "code", "dd",    "div", "dl",    "dt", "em",  "h1",    "h2",
    "h3",     "h4",  "h5",         "h6",    "hr",      "i",    "img",   "li",  "ol",    "p",  "pre", "small", "span",
    "strong", "sub", "sup",        "table", "tbody",   "td",   "tfoot", "th",  "thead", "tr", "u",   "ul"};

// Gemma has tokens for these.
bool is_html_tag(std::string_view text) {
  if (!text.starts_with('<') || !text.ends_with('>')) return false;
  text = text.substr(1, text.size() - 2);
  if (text.starts_with('/')) text.remove_prefix(1);
  return std::find(std::begin(kHtmlTags), std::end(kHtmlTags), text) != std::end(kHtmlTags);
}

bool is_alphanumeric(uint32_t c) {
  return is_regex_word(c) && c != '_';
}

// The delimiters of marks, ASCII and full width.
bool is_bracket(uint32_t c) {
  return c == '<' || c == '>' || c == '[' || c == ']' || c == '{' || c == '}' || c == '|' || c == '/' || c == 0xFF1C ||
         c == 0xFF1E || c == 0xFF5C;
}

}  // namespace

bool is_plain_word(std::string_view text) {
  while (!text.empty()) {
    const Utf8Char c = decode_utf8(text);
    if (c.n_bytes == 0 || !is_alphanumeric(c.code_point)) return false;
    text.remove_prefix(static_cast<size_t>(c.n_bytes));
  }
  return true;
}

bool is_control_mark(const AddedToken& token) {
  if (token.special) return true;
  std::string_view rest = token.content;
  uint32_t first = 0, last = 0;
  bool has_letter = false;
  while (!rest.empty()) {
    const Utf8Char c = decode_utf8(rest);
    rest.remove_prefix(static_cast<size_t>(std::max(1, c.n_bytes)));
    if (c.n_bytes == 0 || is_blank(c) || c.code_point == 0x2581) continue;  // U+2581 spells a blank
    if (!first) first = c.code_point;
    last = c.code_point;
    has_letter |= is_alphanumeric(c.code_point);
  }
  return has_letter && (is_bracket(first) || is_bracket(last)) && !is_html_tag(token.content);
}

void AddedTokenFinder::add(const AddedToken* token, std::string_view content) {
  if (content.empty()) return;
  trie_.insert(content, static_cast<int32_t>(tokens_.size()));
  tokens_.push_back(token);
  is_mark_.push_back(is_control_mark(*token));
}

const AddedToken* AddedTokenFinder::longest_at(std::string_view text, size_t at, size_t marks_end,
                                               size_t& n_bytes) const {
  const AddedToken* best = nullptr;
  int32_t node = ByteTrie::kRoot;
  for (size_t i = at; i < text.size(); ++i) {
    node = trie_.step(node, text[i]);
    if (node == ByteTrie::kNone) break;
    int32_t found = trie_.id_at(node);
    if (found < 0 || (is_mark_[found] && i >= marks_end)) continue;
    best = tokens_[found];
    n_bytes = i + 1 - at;
  }
  return best;
}

bool AddedTokenFinder::has_mark(std::string_view text) const {
  std::vector<TextPart> parts;
  split(text, {}, parts);
  return std::any_of(parts.begin(), parts.end(),
                     [](const TextPart& part) { return part.token && is_control_mark(*part.token); });
}

void AddedTokenFinder::split(std::string_view text, std::span<const TextRange> typed,
                             std::vector<TextPart>& out) const {
  if (trie_.empty()) {
    if (!text.empty()) out.push_back({text});
    return;
  }
  size_t done = 0;  // everything before is in `out`
  auto next_typed = typed.begin();
  for (size_t at = 0; at < text.size();) {
    size_t n_bytes = 0;
    while (next_typed != typed.end() && next_typed->end <= at) ++next_typed;
    const size_t marks_end = next_typed == typed.end() ? text.size() : next_typed->begin;
    const AddedToken* token = longest_at(text, at, marks_end, n_bytes);
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
