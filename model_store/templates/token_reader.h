// The parsers' view of the tokens: where they are, what they expect, how deep they have gone.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model_store/templates/lexer.h"

namespace hearth::jinja {

class TokenReader {
 public:
  TokenReader(std::vector<Token> tokens, int max_depth) : tokens_(std::move(tokens)), max_depth_(max_depth) {}

 protected:
  const Token& current() const { return tokens_[at_]; }
  const Token& following() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  int line() const { return current().line; }
  bool at(TokenKind kind) const { return current().kind == kind; }
  bool at_symbol(std::string_view s) const { return at(TokenKind::symbol) && current().text == s; }
  bool at_name(std::string_view s) const { return at(TokenKind::name) && current().text == s; }
  void next() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool take_symbol(std::string_view s) {
    bool found = at_symbol(s);
    if (found) next();
    return found;
  }
  bool take_name(std::string_view s) {
    bool found = at_name(s);
    if (found) next();
    return found;
  }
  Error unexpected(std::string_view wanted) const {
    const char* names[] = {"text", "{{", "}}", "{%", "%}"};
    std::string got = at(TokenKind::end)                       ? "the end of the template"
                      : current().kind <= TokenKind::block_end ? names[static_cast<int>(current().kind)]
                                                               : "\"" + current().text.substr(0, 60) + "\"";
    return error(Code::invalid_argument, "line {} of the chat template: expected {}, got {}", line(), wanted, got);
  }
  Result<void> expect_symbol(std::string_view s) {
    if (!take_symbol(s)) return unexpected("\"" + std::string(s) + "\"");
    return {};
  }
  Result<std::string> expect_name() {
    if (!at(TokenKind::name)) return unexpected("a name");
    std::string name = current().text;
    next();
    return name;
  }
  Result<void> expect_block_end() {
    if (!at(TokenKind::block_end)) return unexpected("%}");
    next();
    return {};
  }

  struct Depth {
    int* depth;
    explicit Depth(int* d) : depth(d) {}
    Depth(Depth&& other) noexcept : depth(std::exchange(other.depth, nullptr)) {}
    ~Depth() {
      if (depth) --*depth;
    }
  };
  Result<Depth> enter() {
    if (depth_ >= max_depth_)
      return error(Code::resource_exhausted, "line {} of the chat template: nested deeper than {} levels", line(),
                   max_depth_);
    ++depth_;
    return Depth(&depth_);
  }

 private:
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0, max_depth_;
};

}  // namespace hearth::jinja
