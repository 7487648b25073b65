// The template lexer.
#include "model_store/templates/lexer.h"

#include <algorithm>

#include "base/utf8.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

constexpr size_t kMaxTokens = 1'000'000;

// "\r\n" and "\r" become "\n", and one newline at the very end goes.
std::string normalise_newlines(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      out += source[i];
      continue;
    }
    out += '\n';
    if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(normalise_newlines(source)), rest_(source_) {}

  Result<std::vector<Token>> run() {
    while (!rest_.empty()) TRY(next_part());
    put(TokenKind::end, "");
    return std::move(tokens_);
  }

 private:
  enum class Opening { none, variable, block, comment };

  // Text up to the next opening, then what it opens.
  Result<void> next_part() {
    size_t at = 0;
    Opening opening = find_opening(at);
    std::string_view text = rest_.substr(0, at);
    if (opening == Opening::none) {
      put_text(text);
      advance(at);
      return {};
    }
    char sign = at + 2 < rest_.size() ? rest_[at + 2] : '\0';
    if (sign == '-')
      text = strip_right(text);
    else if (sign != '+' && opening != Opening::variable)
      text = strip_line_beginning(text);
    put_text(text);
    advance(at + 2 + (sign == '-' || sign == '+' ? 1 : 0));
    switch (opening) {
      case Opening::comment:
        return comment();
      case Opening::variable:
        return inside(TokenKind::variable_begin, TokenKind::variable_end, "}}");
      default:
        return block();
    }
  }

  Opening find_opening(size_t& at) const {
    for (at = rest_.find('{'); at != std::string_view::npos && at + 1 < rest_.size(); at = rest_.find('{', at + 1)) {
      if (rest_[at + 1] == '{') return Opening::variable;
      if (rest_[at + 1] == '%') return Opening::block;
      if (rest_[at + 1] == '#') return Opening::comment;
    }
    at = rest_.size();
    return Opening::none;
  }

  // lstrip_blocks: when only blanks stand between the line's beginning and the tag, they go.
  std::string_view strip_line_beginning(std::string_view text) const {
    size_t newline = text.rfind('\n');
    if (newline == std::string_view::npos && !line_begins_) return text;
    size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
    if (text.find_first_not_of(" \t", begin) != std::string_view::npos) return text;
    return text.substr(0, begin);
  }

  Result<void> comment() {
    size_t end = rest_.find("#}");
    if (end == std::string_view::npos) return error(Code::invalid_argument, "line {}: a comment is not closed", line_);
    char sign = end > 0 ? rest_[end - 1] : '\0';
    advance(end + 2);
    after_tag(sign, /*trims_newline=*/true);
    return {};
  }

  // {% raw %} is the lexer's business; everything else is tokens.
  Result<void> block() {
    std::string_view inside_text = strip_left(rest_);
    if (inside_text.starts_with("raw")) {
      std::string_view after = strip_left(inside_text.substr(3));
      char sign = after.empty() ? '\0' : after[0];
      if (sign == '-' || sign == '+') after.remove_prefix(1);
      if (after.starts_with("%}")) {
        advance(after.data() + 2 - rest_.data());
        after_tag(sign, /*trims_newline=*/false);  // what follows is taken as it stands
        return raw();
      }
    }
    return inside(TokenKind::block_begin, TokenKind::block_end, "%}");
  }

  Result<void> raw() {
    for (size_t at = rest_.find("{%"); at != std::string_view::npos; at = rest_.find("{%", at + 2)) {
      std::string_view tag = rest_.substr(at + 2);
      char open_sign = tag.empty() ? '\0' : tag[0];
      if (open_sign == '-' || open_sign == '+') tag.remove_prefix(1);
      tag = strip_left(tag);
      if (!tag.starts_with("endraw")) continue;
      tag = strip_left(tag.substr(6));
      char close_sign = tag.empty() ? '\0' : tag[0];
      if (close_sign == '-' || close_sign == '+') tag.remove_prefix(1);
      if (!tag.starts_with("%}")) continue;
      std::string_view text = rest_.substr(0, at);
      if (open_sign == '-')
        text = strip_right(text);
      else if (open_sign != '+')
        text = strip_line_beginning(text);
      put_text(text);
      advance(tag.data() + 2 - rest_.data());
      after_tag(close_sign, true);
      return {};
    }
    return error(Code::invalid_argument, "line {}: a raw block is not closed", line_);
  }

  // White space after a closing tag.
  void after_tag(char sign, bool trims_newline) {
    if (sign == '-') {
      advance(rest_.size() - strip_left(rest_).size());
    } else if (trims_newline && sign != '+' && rest_.starts_with('\n')) {
      advance(1);
    }
    line_begins_ = consumed() > 0 && source_[consumed() - 1] == '\n';
  }

  // Tokens up to the closing delimiter, which does not count inside brackets.
  Result<void> inside(TokenKind begin, TokenKind end, std::string_view closing) {
    put(begin, "");
    int n_open = 0;
    for (;;) {
      advance(rest_.size() - strip_left(rest_).size());
      if (rest_.empty()) return error(Code::invalid_argument, "line {}: \"{}\" is missing", line_, closing);
      if (n_open == 0) {
        bool has_sign = (rest_[0] == '-' || rest_[0] == '+') && rest_.substr(1).starts_with(closing);
        if (has_sign || rest_.starts_with(closing)) {
          char sign = has_sign ? rest_[0] : '\0';
          put(end, "");
          advance(closing.size() + (has_sign ? 1 : 0));
          after_tag(sign, end == TokenKind::block_end);
          return {};
        }
      }
      TRY(token(n_open));
      if (tokens_.size() > kMaxTokens) return error(Code::resource_exhausted, "more than {} tokens", kMaxTokens);
    }
  }

  Result<void> token(int& n_open) {
    char c = rest_[0];
    if (is_name_start(c)) return name();
    if (is_digit(c)) return number();
    if (c == '\'' || c == '"') return string(c);
    for (std::string_view symbol : {"//", "**", "==", "!=", "<=", ">="})
      if (rest_.starts_with(symbol)) return symbol_token(symbol);
    if (std::string_view("+-*/%~<>=.,:|()[]{};").find(c) == std::string_view::npos)
      return error(Code::invalid_argument, "line {}: unexpected character \"{}\"", line_,
                   rest_.substr(0, std::max(1, decode_utf8(rest_).n_bytes)));
    if (c == '(' || c == '[' || c == '{') ++n_open;
    if (c == ')' || c == ']' || c == '}') --n_open;
    if (n_open < 0) return error(Code::invalid_argument, "line {}: unexpected \"{}\"", line_, c);
    return symbol_token(rest_.substr(0, 1));
  }

  Result<void> symbol_token(std::string_view symbol) {
    put(TokenKind::symbol, std::string(symbol));
    advance(symbol.size());
    return {};
  }

  Result<void> name() {
    size_t n = 1;
    while (n < rest_.size() && (is_name_start(rest_[n]) || is_digit(rest_[n]))) ++n;
    put(TokenKind::name, std::string(rest_.substr(0, n)));
    advance(n);
    return {};
  }

  // 0x1f, 0o17, 0b11: the length; 0: it is none.
  size_t based_number() const {
    if (rest_.size() < 3 || rest_[0] != '0' || std::string_view("xXoObB").find(rest_[1]) == std::string_view::npos)
      return 0;
    size_t n = 2;
    while (n < rest_.size() && (hex_digit(rest_[n]) >= 0 || rest_[n] == '_')) ++n;
    return n > 2 ? n : 0;
  }

  Result<void> number() {
    if (const size_t n = based_number()) {
      std::string text(rest_.substr(0, n));
      text.erase(std::remove(text.begin(), text.end(), '_'), text.end());
      put(TokenKind::integer, std::move(text));
      advance(n);
      return {};
    }
    size_t n = 0;
    bool is_real = false;
    auto digits = [&] {
      while (n < rest_.size() &&
             (is_digit(rest_[n]) || (rest_[n] == '_' && n + 1 < rest_.size() && is_digit(rest_[n + 1]))))
        ++n;
    };
    digits();
    if (n + 1 < rest_.size() && rest_[n] == '.' && is_digit(rest_[n + 1])) {
      is_real = true;
      ++n;
      digits();
    }
    if (n < rest_.size() && (rest_[n] == 'e' || rest_[n] == 'E')) {
      size_t exponent = n + 1;
      if (exponent < rest_.size() && (rest_[exponent] == '+' || rest_[exponent] == '-')) ++exponent;
      if (exponent < rest_.size() && is_digit(rest_[exponent])) {
        is_real = true;
        n = exponent;
        digits();
      }
    }
    std::string text(rest_.substr(0, n));
    text.erase(std::remove(text.begin(), text.end(), '_'), text.end());
    put(is_real ? TokenKind::real : TokenKind::integer, std::move(text));
    advance(n);
    return {};
  }

  Result<void> string(char quote) {
    std::string out;
    size_t at = 1;
    while (at < rest_.size() && rest_[at] != quote) {
      if (rest_[at] != '\\') {
        out += rest_[at++];
        continue;
      }
      if (at + 1 >= rest_.size()) break;
      TRY(escape(at, out));
    }
    if (at >= rest_.size()) return error(Code::invalid_argument, "line {}: a string is not closed", line_);
    put(TokenKind::string, std::move(out));
    advance(at + 1);
    return {};
  }

  // An escape as in a Python string; `at` is its backslash and moves past it.
  Result<void> escape(size_t& at, std::string& out) {
    char c = rest_[at + 1];
    at += 2;
    constexpr std::string_view kLetters = "abfnrtv", kMeanings = "\a\b\f\n\r\t\v";
    if (size_t i = kLetters.find(c); i != std::string_view::npos) {
      out += kMeanings[i];
      return {};
    }
    if (c == '\n') return {};
    if (c == '\\' || c == '\'' || c == '"') {
      out += c;
      return {};
    }
    if (c == 'x' || c == 'u' || c == 'U') return numeric_escape(at, c == 'x' ? 2 : c == 'u' ? 4 : 8, out);
    if (c >= '0' && c <= '7') {
      uint32_t value = static_cast<uint32_t>(c - '0');
      for (int i = 0; i < 2 && at < rest_.size() && rest_[at] >= '0' && rest_[at] <= '7'; ++i)
        value = value * 8 + static_cast<uint32_t>(rest_[at++] - '0');
      append_utf8(value, out);
      return {};
    }
    out += '\\';
    out += c;
    return {};
  }

  Result<void> numeric_escape(size_t& at, int n_digits, std::string& out) {
    uint32_t value = 0;
    for (int i = 0; i < n_digits; ++i, ++at) {
      int digit = at < rest_.size() ? hex_digit(rest_[at]) : -1;
      if (digit < 0)
        return error(Code::invalid_argument, "line {}: an escape in a string must have {} hexadecimal digits", line_,
                     n_digits);
      value = value * 16 + static_cast<uint32_t>(digit);
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
      return error(Code::invalid_argument, "line {}: an escape in a string names no character", line_);
    append_utf8(value, out);
    return {};
  }

  size_t consumed() const { return static_cast<size_t>(rest_.data() - source_.data()); }
  void advance(size_t n) {
    line_ += static_cast<int>(std::count(rest_.begin(), rest_.begin() + static_cast<ptrdiff_t>(n), '\n'));
    rest_.remove_prefix(n);
  }
  void put(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }
  void put_text(std::string_view text) {
    if (!text.empty()) put(TokenKind::text, std::string(text));
  }

  std::string source_;
  std::string_view rest_;
  int line_ = 1;
  bool line_begins_ = true;  // does the rest stand at the beginning of a line?
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> tokenize_template(std::string_view source) {
  return Lexer(source).run();
}

}  // namespace hearth::jinja
