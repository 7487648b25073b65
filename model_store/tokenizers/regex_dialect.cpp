// Oniguruma → PCRE2, one token of the pattern at a time.
#include "model_store/tokenizers/regex_dialect.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

namespace hearth {
namespace {

constexpr std::string_view kBlanks =
    R"(\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr std::string_view kWord = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
constexpr std::string_view kHex = "0-9a-fA-F";
constexpr int kMaxDepth = 16;

// Names after \p that are not scripts.
constexpr std::string_view kProperties =
    " L Ll Lu Lt Lm Lo L& Lc M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf Cn Co Cs "
    "Any Alphabetic Emoji Extended_Pictographic White_Space Lowercase Uppercase Ideographic ";

// Symbols of Unicode 15, emoji among them; PCRE2 10.42 knows Unicode 14.
constexpr std::string_view kNewSymbols =
    R"(\x{1F6DC}\x{1F774}-\x{1F776}\x{1F77B}-\x{1F77F}\x{1F7D9}\x{1FA75}-\x{1FA77}\x{1FA87}\x{1FA88})"
    R"(\x{1FAAD}-\x{1FAAF}\x{1FABB}-\x{1FABD}\x{1FABF}\x{1FACE}\x{1FACF}\x{1FADA}\x{1FADB}\x{1FAE8}\x{1FAF7}\x{1FAF8})";

constexpr std::string_view kCategories[] = {"Ll", "Lu", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl",
                                            "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc",
                                            "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cn", "Co", "Cs"};

// All general categories but those that `members` names; nothing when it holds anything else.
std::optional<std::string> other_categories(std::string_view members) {
  std::set<std::string_view> others(std::begin(kCategories), std::end(kCategories));
  while (!members.empty()) {
    size_t end = members.find('}');
    if (!members.starts_with("\\p{") || end == std::string_view::npos) return std::nullopt;
    std::string_view name = members.substr(3, end - 3);
    if (std::erase_if(others, [&](std::string_view category) { return category.starts_with(name); }) == 0)
      return std::nullopt;
    members.remove_prefix(end + 1);
  }
  std::string out;
  for (std::string_view category : others) out += fmt::format("\\p{{{}}}", category);
  return out;
}

// Where a linear pattern does the same. "\s+$" tries the rest of a run of blanks at every place in it.
struct Same {
  std::string_view slow, fast;
};
constexpr Same kSame[] = {{R"(\s+$)", R"((?<!\s)\s+$)"}};

class Translator {
 public:
  explicit Translator(std::string_view pattern) : in_(pattern) {}

  Result<std::string> translate() {
    while (at_ < in_.size()) TRY(one());
    return std::move(out_);
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0'; }

  Result<void> one() {
    char c = peek();
    if (c == '(') {
      groups_.push_back(out_.size());
      out_ += c;
      ++at_;
    } else if (c == ')') {
      atom_ = groups_.empty() ? out_.size() : groups_.back();
      if (!groups_.empty()) groups_.pop_back();
      out_ += c;
      ++at_;
    } else if (c == '{') {
      repeat();
    } else if (c == '[') {
      atom_ = out_.size();
      out_ += TRY(char_class(0));
    } else if (c == '\\') {
      atom_ = out_.size();
      out_ += TRY(escape(/*in_class=*/false));
    } else {
      if (c != '*' && c != '+' && c != '?' && (c & 0xC0) != 0x80) atom_ = out_.size();
      out_ += c;
      ++at_;
    }
    return {};
  }

  // "{1,3}", and "{1,3}+" as a repetition of it.
  void repeat() {
    size_t end = in_.find('}', at_);
    std::string_view inside = end == std::string_view::npos ? "" : in_.substr(at_ + 1, end - at_ - 1);
    bool is_count = !inside.empty() && std::all_of(inside.begin(), inside.end(),
                                                   [](char c) { return (c >= '0' && c <= '9') || c == ','; });
    if (!is_count) {
      out_ += in_[at_++];
      return;
    }
    out_ += in_.substr(at_, end + 1 - at_);
    at_ = end + 1;
    if (peek() != '+') return;
    out_.insert(atom_, "(?:");
    out_ += ")+";
    ++at_;
  }

  Result<std::string> escape(bool in_class) {
    char c = peek(1);
    auto set = [&](std::string_view members, bool negative) -> Result<std::string> {
      at_ += 2;
      if (in_class && negative)
        return error(Code::unimplemented, "patterns with \\{} in a class are not supported yet: {}", c,
                     in_.substr(0, 200));
      if (in_class) return std::string(members);
      return fmt::format("[{}{}]", negative ? "^" : "", members);
    };
    if (c == 's') return set(kBlanks, false);
    if (c == 'w') return set(kWord, false);
    if (c == 'h') return set(kHex, false);
    if (c == 'S' && !in_class) return set(kBlanks, true);
    if (c == 'W' && !in_class) return set(kWord, true);
    if (c == 'H' && !in_class) return set(kHex, true);
    if ((c == 'p' || c == 'P') && peek(2) == '{') return property(in_class);
    std::string out(in_.substr(at_, 2));
    at_ = std::min(in_.size(), at_ + 2);
    return out;
  }

  Result<std::string> property(bool in_class) {
    size_t end = in_.find('}', at_);
    if (end == std::string_view::npos)
      return error(Code::invalid_argument, "the pattern has \\p{{ without an end: {}", in_.substr(0, 200));
    std::string_view name = in_.substr(at_ + 3, end - at_ - 3);
    std::string out(in_.substr(at_, 3));
    at_ = end + 1;
    if (name.starts_with('^')) {
      out += '^';
      name.remove_prefix(1);
    }
    bool is_known = kProperties.find(fmt::format(" {} ", name)) != std::string_view::npos ||
                    name.find('=') != std::string_view::npos || name.find(':') != std::string_view::npos;
    out += (is_known ? "" : "sc:") + std::string(name) + "}";
    if (out != "\\p{S}") return out;
    return in_class ? out + std::string(kNewSymbols) : fmt::format("[{}{}]", out, kNewSymbols);
  }

  // From '[' to its ']'. What classes inside hold is taken in; an intersection becomes a look-ahead before the class.
  Result<std::string> char_class(int depth) {
    if (depth > kMaxDepth) return error(Code::invalid_argument, "the pattern's classes are nested too deep");
    std::string members;
    std::vector<std::string> conditions;
    ++at_;
    bool negative = peek() == '^';
    if (negative) ++at_;
    for (bool first = true; peek() != ']' || first; first = false) {
      if (at_ >= in_.size())
        return error(Code::invalid_argument, "the pattern has a [ without ]: {}", in_.substr(0, 200));
      if (in_.substr(at_).starts_with("&&[")) {
        at_ += 2;
        conditions.push_back(TRY(char_class(depth + 1)));
      } else if (in_.substr(at_).starts_with("[:")) {
        size_t end = std::min(in_.find(":]", at_), in_.size() - 2);
        members += in_.substr(at_, end + 2 - at_);
        at_ = end + 2;
      } else if (peek() == '[') {
        const std::string inner = TRY(char_class(depth + 1));
        if (!inner.starts_with('[') || inner.starts_with("[^"))
          return error(Code::unimplemented, "patterns with such classes in classes are not supported yet: {}",
                       in_.substr(0, 200));
        members += inner.substr(1, inner.size() - 2);
      } else if (peek() == '\\') {
        members += TRY(escape(/*in_class=*/true));
      } else {
        members += in_[at_++];
      }
    }
    ++at_;
    if (conditions.empty()) return std::string(negative ? "[^" : "[") + members + "]";
    return intersection(negative, members, conditions);
  }

  // [a&&[^b]] is [^(not a)b] where "not a" can be written down; else a look-ahead before the class, which takes a step
  // of its own for every character.
  Result<std::string> intersection(bool negative, const std::string& members,
                                   const std::vector<std::string>& conditions) {
    if (negative)
      return error(Code::unimplemented, "patterns with negated intersections are not supported yet: {}",
                   in_.substr(0, 200));
    auto others = other_categories(members);
    if (others && conditions.size() == 1 && conditions[0].starts_with("[^"))
      return "[^" + *others + conditions[0].substr(2);
    std::string ahead;
    for (const auto& condition : conditions) ahead += "(?=" + condition + ")";
    return "(?:" + ahead + "[" + members + "])";
  }

  std::string_view in_;
  size_t at_ = 0, atom_ = 0;  // atom_: where in out_ the thing begins that a following count repeats
  std::string out_;
  std::vector<size_t> groups_;
};

}  // namespace

Result<std::string> pcre_pattern(std::string_view pattern) {
  for (const auto& [slow, fast] : kSame)
    if (pattern == slow) pattern = fast;
  return Translator(pattern).translate();
}

}  // namespace hearth
