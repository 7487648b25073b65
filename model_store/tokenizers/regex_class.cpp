// Classes of characters: tables of properties, and ICU's closure over case.
#include "model_store/tokenizers/regex_class.h"

#include <unicode/uniset.h>
#include <unicode/unistr.h>
#include <unicode/usetiter.h>

#include <algorithm>
#include <set>

namespace hearth {
namespace {

struct Property {
  std::string_view name, members, lacks, has_too_many;
};
constexpr Property kProperties[] = {
#include "model_store/tokenizers/regex_properties.inc"
};

std::string same_name(std::string_view name) {
  std::string out;
  for (char c : name)
    if (c != ' ' && c != '-' && c != '_') out += (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

CharClass positive(const Property& p) {
  if (p.has_too_many.empty()) return {.members = fmt::format("{}{}", p.members, p.lacks)};
  return {.members = std::string(p.lacks), .atoms = {fmt::format("(?:(?![{}])[{}])", p.has_too_many, p.members)}};
}

CharClass complement(const Property& p) {
  return {.members = std::string(p.has_too_many), .atoms = {fmt::format("[^{}{}]", p.members, p.lacks)}};
}

std::optional<CharClass> find_named(std::string_view name, bool negative) {
  for (const Property& p : kProperties)
    if (p.name == name) return negative ? complement(p) : positive(p);
  return std::nullopt;
}

std::string joined(const std::vector<std::string>& atoms) {
  std::string out;
  for (const auto& atom : atoms) out += (out.empty() ? "" : "|") + atom;
  return out;
}

std::string utf8(const icu::UnicodeString& text) {
  std::string out;
  return text.toUTF8String(out);
}

// What case folding makes of single characters where that is more than one: ss, ff, fi, ...
const std::set<std::string>& joined_letters() {
  static const auto* kAll = [] {
    auto* out = new std::set<std::string>();
    UErrorCode status = U_ZERO_ERROR;
    const icu::UnicodeSet folded(icu::UnicodeString("[:Changes_When_Casefolded:]"), status);
    for (icu::UnicodeSetIterator it(folded); U_SUCCESS(status) && it.next();) {
      icu::UnicodeString text(it.getCodepoint());
      if (text.foldCase().countChar32() > 1) out->insert(utf8(text));
    }
    return out;
  }();
  return *kAll;
}

}  // namespace

std::string CharClass::pattern() const {
  if (negative && atoms.empty()) return members.empty() ? "[\\x{0}-\\x{10ffff}]" : "[^" + members + "]";
  if (negative)
    return fmt::format("(?:(?!{})[{}])", joined(atoms), members.empty() ? "\\x{0}-\\x{10ffff}" : "^" + members);
  if (atoms.empty()) return members.empty() ? "(?!)" : "[" + members + "]";
  // Whichever it is, it is this one character: no other way is tried.
  return fmt::format("(?>{}{})", members.empty() ? "" : "[" + members + "]|", joined(atoms));
}

void CharClass::add(const CharClass& other) {
  if (other.negative) {
    atoms.push_back(other.pattern());
    return;
  }
  members += other.members;
  atoms.insert(atoms.end(), other.atoms.begin(), other.atoms.end());
}

std::optional<CharClass> find_property(std::string_view name) {
  const bool negative = name.starts_with('^');
  if (negative) name.remove_prefix(1);
  if (name.starts_with(':')) return std::nullopt;
  return find_named(same_name(name), negative);
}

std::optional<CharClass> find_posix_bracket(std::string_view name) {
  const bool negative = name.starts_with('^');
  if (negative) name.remove_prefix(1);
  return find_named(fmt::format(":{}", name), negative);
}

std::optional<CharClass> find_shorthand(char letter, bool in_class) {
  const bool negative = letter >= 'A' && letter <= 'Z';
  switch (letter) {
    case 'd':
    case 'D':
      return find_named(":digit", negative);
    case 'h':
    case 'H':
      return find_named(":xdigit", negative);
    case 's':
    case 'S':
      return find_named(":space", negative);
    case 'w':
    case 'W':
      return find_named(in_class ? ":word" : ":\\w", negative);
    default:
      return std::nullopt;
  }
}

std::string class_member(uint32_t c) {
  const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_plain ? std::string(1, static_cast<char>(c)) : fmt::format("\\x{{{:x}}}", c);
}

Result<std::string> members_in_any_case(uint32_t first, uint32_t last) {
  icu::UnicodeSet set(static_cast<UChar32>(first), static_cast<UChar32>(last));
  set.closeOver(USET_CASE_INSENSITIVE);
  std::string out;
  for (int32_t i = 0; i < set.getRangeCount(); ++i) {
    const auto begin = static_cast<uint32_t>(set.getRangeStart(i)), end = static_cast<uint32_t>(set.getRangeEnd(i));
    out += class_member(begin);
    if (end > begin) out += "-" + class_member(end);
  }
  if (set.hasStrings())
    return error(Code::unimplemented, "letters that stand for two in (?i) (ß for ss) are not supported yet");
  return out;
}

bool has_joined_letters(const std::u32string& letters) {
  icu::UnicodeString text;
  for (char32_t c : letters) text.append(static_cast<UChar32>(c));
  const std::string folded = utf8(text.foldCase());
  return std::any_of(joined_letters().begin(), joined_letters().end(),
                     [&](const std::string& two) { return folded.find(two) != std::string::npos; });
}

}  // namespace hearth
