// The scanner: a byte at a time, with a stack of open brackets.
#include "inference/answers/json_scanner.h"

#include <algorithm>

namespace hearth::answers {
namespace {

constexpr size_t kMaxDepth = 64, kMaxNumber = 400;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

size_t skip_blanks(std::string_view text, size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

JsonSpan scan_json(std::string_view text, size_t at, bool at_end) {
  JsonScanner scanner;
  const size_t end = at + scanner.feed(text.substr(at));
  if (at_end) scanner.end();
  return {scanner.status(), end};
}

size_t JsonScanner::feed(std::string_view text) {
  size_t n = 0;
  while (n < text.size() && status_ == Status::more && take(text[n])) ++n;
  return n;
}

void JsonScanner::end() {
  if (status_ != Status::more) return;
  if (where_ == Where::number && open_.empty() && number_is_valid())
    status_ = Status::done;
  else
    status_ = Status::failed;
}

bool JsonScanner::fail() {
  status_ = Status::failed;
  return false;
}

void JsonScanner::value_done() {
  where_ = Where::after_value;
  if (open_.empty()) status_ = Status::done;
}

// -?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?
bool JsonScanner::number_is_valid() const {
  size_t at = word_.starts_with('-') ? 1 : 0;
  auto digits = [&] {
    const size_t begin = at;
    while (at < word_.size() && is_digit(word_[at])) ++at;
    return at - begin;
  };
  const bool leading_zero = at < word_.size() && word_[at] == '0';
  const size_t n_whole = digits();
  if (n_whole == 0 || (leading_zero && n_whole > 1)) return false;
  if (at < word_.size() && word_[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < word_.size() && (word_[at] == 'e' || word_[at] == 'E')) {
    ++at;
    if (at < word_.size() && (word_[at] == '+' || word_[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == word_.size();
}

bool JsonScanner::begin_value(char c) {
  word_.assign(1, c);
  if (c == '{' || c == '[') {
    if (open_.size() >= kMaxDepth) return fail();
    open_.push_back(c);
    where_ = c == '{' ? Where::first_key : Where::first_item;
  } else if (c == '"') {
    where_ = Where::string;
    is_key_ = false;
  } else if (c == '-' || is_digit(c)) {
    where_ = Where::number;
  } else if (c == 't' || c == 'f' || c == 'n') {
    literal_ = c == 't' ? "true" : c == 'f' ? "false" : "null";
    where_ = Where::literal;
  } else {
    return fail();
  }
  return true;
}

bool JsonScanner::close(char c) {
  if (open_.empty() || open_.back() != (c == '}' ? '{' : '[')) return fail();
  open_.pop_back();
  value_done();
  return true;
}

bool JsonScanner::take(char c) {
  switch (where_) {
    case Where::string:
      if (static_cast<unsigned char>(c) < 0x20) return fail();
      if (c == '\\') {
        where_ = Where::escape;
      } else if (c == '"') {
        if (is_key_)
          where_ = Where::colon;
        else
          value_done();
      }
      return true;
    case Where::escape:
      if (std::string_view("\"\\/bfnrtu").find(c) == std::string_view::npos) return fail();
      where_ = c == 'u' ? Where::unicode : Where::string;
      n_digits_ = 0;
      return true;
    case Where::unicode:
      if (!is_digit(c) && !((c | 32) >= 'a' && (c | 32) <= 'f')) return fail();
      if (++n_digits_ == 4) where_ = Where::string;
      return true;
    case Where::number:
      if (is_digit(c) || std::string_view("+-.eE").find(c) != std::string_view::npos) {
        word_ += c;
        return word_.size() <= kMaxNumber ? true : fail();
      }
      if (!number_is_valid()) return fail();
      value_done();
      return status_ == Status::more && take(c);
    case Where::literal:
      word_ += c;
      if (!literal_.starts_with(word_)) return fail();
      if (word_.size() == literal_.size()) value_done();
      return true;
    default:
      break;
  }
  if (is_blank(c)) return true;
  switch (where_) {
    case Where::first_item:
      return c == ']' ? close(c) : begin_value(c);
    case Where::first_key:
      if (c == '}') return close(c);
      [[fallthrough]];
    case Where::key:
      if (c != '"') return fail();
      is_key_ = true;
      where_ = Where::string;
      return true;
    case Where::colon:
      if (c != ':') return fail();
      where_ = Where::value;
      return true;
    case Where::after_value:
      if (c == ',') {
        where_ = open_.back() == '{' ? Where::key : Where::value;
        return true;
      }
      return c == '}' || c == ']' ? close(c) : fail();
    default:
      return begin_value(c);
  }
}

}  // namespace hearth::answers
