// See doc_names.h.
#include "tests/docs/doc_names.h"

#include <regex>

namespace hearth::docs {
namespace {

const std::regex kCode("`([^`]+)`");
const std::regex kLink("\\]\\(([^)# ]+)(#[^)]*)?\\)");
const std::regex kPath(
    "(base|hwdetect|runtime|model_store|inference|trainer|appliance|gui|packaging|systemd|tests|docs|cmake)/"
    "[A-Za-z0-9_./-]*");
const std::regex kSymbol("([A-Za-z_][A-Za-z0-9_]*(::~?[A-Za-z_][A-Za-z0-9_]*)*)(\\(.*\\))?");

template <class Visit>
void for_each_match(const std::string& line, const std::regex& pattern, Visit visit) {
  for (std::sregex_iterator it(line.begin(), line.end(), pattern), end; it != end; ++it) visit((*it)[1].str());
}

void read_code_span(const std::string& span, int line, std::vector<Name>& names) {
  std::smatch match;
  if (std::regex_match(span, kPath)) {
    names.push_back({Name::Kind::path, span, line});
  } else if (std::regex_match(span, match, kSymbol) && (match[2].matched || match[3].matched)) {
    names.push_back({Name::Kind::symbol, match[1].str(), line});
  }
}

}  // namespace

std::vector<Name> names_in(std::string_view markdown) {
  std::vector<Name> names;
  bool fenced = false;
  int number = 0;
  while (!markdown.empty()) {
    const size_t end = std::min(markdown.find('\n'), markdown.size());
    const std::string line(markdown.substr(0, end));
    markdown.remove_prefix(std::min(end + 1, markdown.size()));
    ++number;
    if (line.starts_with("```")) fenced = !fenced;
    if (fenced || line.starts_with("    ")) continue;
    for_each_match(line, kCode, [&](const std::string& span) { read_code_span(span, number, names); });
    for_each_match(line, kLink, [&](const std::string& target) {
      if (target.find("://") == std::string::npos && !target.starts_with("mailto:"))
        names.push_back({Name::Kind::link, target, number});
    });
  }
  return names;
}

std::vector<std::string> parts_of(std::string_view symbol) {
  std::vector<std::string> parts;
  while (!symbol.empty()) {
    const size_t end = std::min(symbol.find("::"), symbol.size());
    parts.emplace_back(symbol.substr(0, end));
    symbol.remove_prefix(std::min(end + 2, symbol.size()));
  }
  return parts;
}

}  // namespace hearth::docs
