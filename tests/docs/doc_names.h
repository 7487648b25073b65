// The names that a document of this repository claims exist: paths, symbols and links, taken from its Markdown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::docs {

struct Name {
  enum class Kind { path, symbol, link } kind;
  std::string text;  // `runtime/ops/op.h` → path; `Store::install(...)` → symbol Store::install; [x](../y.md) → link
  int line = 0;
};

// Paths are `code` spans that begin with a folder of the house; with <placeholders> or * they are left out. Symbols are
// code spans with :: or a call's parenthesis. Fenced blocks are skipped, and so are links to the web and to headings.
std::vector<Name> names_in(std::string_view markdown);

// "Store::install" → {"Store", "install"}
std::vector<std::string> parts_of(std::string_view symbol);

}  // namespace hearth::docs
