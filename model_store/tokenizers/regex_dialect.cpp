// Oniguruma → PCRE2: the pattern is read as Oniguruma reads it, and written anew.
#include "model_store/tokenizers/regex_dialect.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "base/utf8.h"
#include "model_store/tokenizers/regex_class.h"

namespace hearth {
namespace {

constexpr int kMaxPatternDepth = 100;
constexpr int kMaxRepeat = 65'535;  // PCRE2's own limit
constexpr std::string_view kAny = "[\\x{0}-\\x{10ffff}]";

constexpr std::string_view kCategories[] = {"Ll", "Lu", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl",
                                            "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc",
                                            "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cn", "Co", "Cs"};

// All general categories but those that `members` begins with, as "\p{..}" each; what else there is, in `rest`.
std::optional<std::string> other_categories(std::string_view members, std::string& rest) {
  std::set<std::string_view> others(std::begin(kCategories), std::end(kCategories));
  while (!members.empty()) {
    const size_t end = members.find('}');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view item = members.substr(0, end + 1);
    members.remove_prefix(end + 1);
    if (item.starts_with("\\p{")) {
      const std::string_view name = item.substr(3, item.size() - 4);
      if (std::erase_if(others, [&](std::string_view category) { return category.starts_with(name); }) == 0)
        return std::nullopt;
    } else if (item.starts_with("\\x{") || item.starts_with("-\\x{")) {
      rest += item;
    } else {
      return std::nullopt;
    }
  }
  std::string out;
  for (std::string_view category : others) out += fmt::format("\\p{{{}}}", category);
  return out;
}

// [a&&b] as a class: a look-ahead that takes a step of its own for every character. Where "not a" can be written down,
// [^(not a)b] does it for the characters that PCRE2's Unicode has, and the look-ahead for the few others.
CharClass intersection(const CharClass& a, const CharClass& b) {
  const auto ahead = [](const CharClass& left, const CharClass& right) {
    return CharClass{.atoms = {fmt::format("(?:(?={}){})", right.pattern(), left.pattern())}};
  };
  std::string newer;
  const auto others = a.is_plain() && !a.negative ? other_categories(a.members, newer) : std::nullopt;
  const bool is_complement = b.members.empty() && b.atoms.size() == 1 && b.atoms[0].starts_with("[^");
  if (!others || !is_complement) return ahead(a, b);
  CharClass out{.atoms = {"[^" + *others + b.atoms[0].substr(2)}};
  if (!newer.empty()) out.add(ahead({.members = newer}, b));
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
    if (valid_utf8_prefix(in_) < in_.size()) return wrong("is not valid UTF-8");
    std::string out = TRY(alternatives());
    if (at_ < in_.size()) return wrong("has a ) without (");
    return out;
  }

 private:
  // What (?imx) switch.
  struct Options {
    bool any_case = false, dot_is_all = false, extended = false;
  };
  // One thing that a count may follow.
  struct Atom {
    std::string text;
    bool takes_count = true;
    std::u32string letters = {};  // of (?i), for what stands beside them
    bool is_group = false;        // what is in it has been looked at
  };

  // ---- reading

  bool at_end() const { return at_ >= in_.size(); }
  char peek(size_t ahead = 0) const { return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0'; }
  bool take(std::string_view text) {
    if (!in_.substr(at_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }
  uint32_t take_character() {
    const Utf8Char c = decode_utf8(in_.substr(at_));
    at_ += static_cast<size_t>(std::max(1, c.n_bytes));
    return c.code_point;
  }
  Result<std::string_view> take_until(char end) {
    const size_t found = in_.find(end, at_);
    if (found == std::string_view::npos) return wrong(fmt::format("lacks a {}", end));
    const std::string_view out = in_.substr(at_, found - at_);
    at_ = found + 1;
    return out;
  }
  void skip_extended() {
    while (options_.extended && !at_end()) {
      if (std::string_view(" \t\r\n\f\v").find(peek()) != std::string_view::npos)
        ++at_;
      else if (peek() == '#')
        at_ = std::min(in_.find('\n', at_), in_.size());
      else
        return;
    }
  }

  Error wrong(std::string_view what) const {
    return error(Code::invalid_argument, "the pattern {} at byte {}: {}", what, at_, in_.substr(0, 200));
  }
  Error unknown(std::string_view what) const {
    return error(Code::unimplemented, "patterns with {} are not supported yet: {}", what, in_.substr(0, 200));
  }

  // ---- structure

  // a|b|c up to the end of the group, which is left to be read.
  Result<std::string> alternatives() {
    if (++depth_ > kMaxPatternDepth) return wrong("is nested too deep");
    const Options outside = options_;
    std::string out = TRY(branch());
    while (take("|")) {
      letters_.clear();
      out += "|" + TRY(branch());
      letters_.clear();
    }
    options_ = outside;
    --depth_;
    return out;
  }

  Result<std::string> branch() {
    std::string out;
    for (skip_extended(); !at_end() && peek() != '|' && peek() != ')'; skip_extended()) {
      if (auto switched = TRY(option_switch())) {
        // It holds to the end of the group, over all alternatives that follow.
        options_ = *switched;
        return out + "(?:" + TRY(alternatives()) + ")";
      }
      out += TRY(counted(TRY(atom())));
    }
    return out;
  }

  // "(?i)" and its like, without a colon.
  Result<std::optional<Options>> option_switch() {
    const size_t begin = at_;
    if (!take("(?")) return std::optional<Options>();
    auto out = read_options();
    if (out && take(")")) return std::optional<Options>(*out);
    at_ = begin;
    return std::optional<Options>();
  }

  std::optional<Options> read_options() {
    Options out = options_;
    bool on = true;
    for (; std::string_view("imx-").find(peek()) != std::string_view::npos && !at_end(); ++at_) {
      if (peek() == '-') {
        if (!on) return std::nullopt;
        on = false;
      }
      if (peek() == 'i') out.any_case = on;
      if (peek() == 'm') out.dot_is_all = on;
      if (peek() == 'x') out.extended = on;
    }
    return out;
  }

  Result<Atom> atom() {
    switch (peek()) {
      case '(':
        return group();
      case '[':
        letters_.clear();
        return Atom{TRY(char_class(0)).pattern()};
      case '\\':
        return escape();
      case '.':
        ++at_;
        return Atom{options_.dot_is_all ? std::string(kAny) : "[^\\n]"};
      case '^':
        ++at_;
        return Atom{"^", false};
      case '$':
        ++at_;
        return Atom{"$", false};
      case '*':
      case '+':
      case '?':
        return wrong("has nothing to repeat");
      default:
        if (peek() == '{' && read_interval()) return wrong("has nothing to repeat");
        return literal(take_character());
    }
  }

  Result<Atom> literal(uint32_t c) {
    if (!options_.any_case) return Atom{class_member(c)};
    const std::string members = TRY(members_in_any_case(c, c));
    return Atom{members == class_member(c) ? members : "[" + members + "]", true, {static_cast<char32_t>(c)}};
  }

  // A thing and its count. Letters of (?i) that stand side by side must not be one letter elsewhere.
  Result<std::string> counted(const Atom& a) {
    skip_extended();
    std::string out = a.text;
    bool has_count = false, may_repeat = true;
    while (may_repeat && !at_end()) {
      auto count = TRY(read_count());
      if (!count) break;
      if (!a.takes_count) return wrong("repeats what has no length");
      if (has_count) out = "(?:" + out + ")";
      out = count->is_optional ? "(?:" + out + count->text + ")?" : out + count->text;
      may_repeat = count->may_repeat;
      has_count = true;
      skip_extended();
    }
    if (!may_repeat && TRY(read_count())) return unknown("a count of a count");
    if (has_count || (a.letters.empty() && !a.is_group)) letters_.clear();
    if (has_count) return out;
    letters_ += a.letters;
    if (!letters_.empty() && has_joined_letters(letters_))
      return unknown("letters that are one letter in (?i), such as ss");
    return out;
  }

  struct Count {
    std::string text;
    bool may_repeat = false;   // another count may follow
    bool is_optional = false;  // "{2}?"
  };

  Result<std::optional<Count>> read_count() {
    const char c = peek();
    if (c == '*' || c == '+' || c == '?') {
      ++at_;
      std::string text(1, c);
      if (peek() == '?' || peek() == '+') text += in_[at_++];
      return std::optional<Count>({.text = text});
    }
    auto interval = read_interval();
    if (!interval) return std::optional<Count>();
    auto [low, high, is_exact] = *interval;
    if (low > kMaxRepeat || high > kMaxRepeat) return unknown("counts over 65535");
    if (high >= 0 && low > high) return unknown("counts that go backwards");
    Count out{.text = is_exact ? fmt::format("{{{}}}", low)
                               : fmt::format("{{{},{}}}", low, high < 0 ? "" : std::to_string(high)),
              .may_repeat = true};
    if (take("?")) {
      out.may_repeat = false;
      (is_exact ? out.is_optional : lazy_) = true;
      if (std::exchange(lazy_, false)) out.text += "?";
    }
    return std::optional<Count>(out);
  }

  struct Interval {
    int low, high;  // high -1: no end
    bool is_exact;
  };
  // {2}, {2,}, {,3}, {2,3}; anything else in braces is text, and stays to be read.
  std::optional<Interval> read_interval() {
    if (peek() != '{') return std::nullopt;
    size_t at = at_ + 1;
    auto number = [&]() -> std::optional<int> {
      const size_t begin = at;
      int out = 0;
      for (; at < in_.size() && in_[at] >= '0' && in_[at] <= '9'; ++at)
        out = std::min(out * 10 + (in_[at] - '0'), 1'000'000);
      return at > begin ? std::optional(out) : std::nullopt;
    };
    const auto low = number();
    const bool has_comma = at < in_.size() && in_[at] == ',';
    if (has_comma) ++at;
    const auto high = has_comma ? number() : low;
    if (at >= in_.size() || in_[at] != '}' || (!low && !high)) return std::nullopt;
    at_ = at + 1;
    return Interval{low.value_or(0), high.value_or(-1), !has_comma};
  }

  // ---- groups

  Result<Atom> group() {
    ++at_;
    if (take("?#")) {
      TRY(take_until(')'));
      return Atom{"", false};
    }
    if (!take("?")) {
      if (peek() == '*') return unknown("calls in (*...)");
      return capture("(");
    }
    for (std::string_view kind : {"=", "!", "<=", "<!"})
      if (take(kind)) return Atom{TRY(body(fmt::format("(?{}", kind))), false};
    if (take(">")) return Atom{TRY(body("(?>")), true, {}, true};
    if (peek() == '<' || peek() == '\'') {
      const char end = in_[at_++] == '<' ? '>' : '\'';
      const std::string_view name = TRY(take_until(end));
      if (!std::all_of(name.begin(), name.end(),
                       [](char c) { return c == '_' || std::isalnum(static_cast<uint8_t>(c)); }))
        return unknown("such names of groups");
      has_names_ = true;
      return capture(fmt::format("(?<{}>", name));
    }
    const auto options = read_options();
    if (!options || !take(":")) return unknown("groups of this kind: (?" + std::string(in_.substr(at_, 1)));
    const Options outside = std::exchange(options_, *options);
    auto out = body("(?:");
    options_ = outside;
    return Atom{TRY(std::move(out)), true, {}, true};
  }

  Result<Atom> capture(std::string_view opening) {
    const size_t number = ++n_groups_;
    std::string out = TRY(body(opening));
    closed_.insert(number);
    return Atom{std::move(out), true, {}, true};
  }

  Result<std::string> body(std::string_view opening) {
    std::string out = std::string(opening) + TRY(alternatives());
    if (!take(")")) return wrong("has a ( without )");
    return out + ")";
  }

  // ---- escapes

  Result<Atom> escape() {
    if (at_ + 1 >= in_.size()) return wrong("ends in \\");
    const char c = peek(1);
    if (auto set = find_shorthand(c, /*in_class=*/false)) {
      at_ += 2;
      return Atom{set->pattern()};
    }
    if ((c == 'p' || c == 'P') && peek(2) == '{') return Atom{TRY(property()).pattern()};
    switch (c) {
      case 'A':
      case 'z':
      case 'Z':
        return at_ += 2, Atom{fmt::format("\\{}", c), false};
      case 'b':
      case 'B':
        return at_ += 2, Atom{word_border(c == 'b'), false};
      case 'R':
        return at_ += 2, Atom{"(?>\\r\\n|[\\n-\\r\\x{85}\\x{2028}\\x{2029}])"};
      case 'N':
        return at_ += 2, Atom{"[^\\n]"};
      case 'O':
        return at_ += 2, Atom{std::string(kAny)};
      case 'X':
      case 'K':
      case 'G':
      case 'g':
      case 'y':
      case 'Y':
        return unknown(fmt::format("\\{}", c));
      case 'k':
        return named_reference();
      default:
        break;
    }
    if (c >= '1' && c <= '9') return numbered_reference();
    return literal(TRY(escaped_character()));
  }

  static std::string word_border(bool is_border) {
    const std::string w = find_shorthand('w', false)->pattern();
    return is_border ? fmt::format("(?:(?<={0})(?!{0})|(?<!{0})(?={0}))", w)
                     : fmt::format("(?:(?<={0})(?={0})|(?<!{0})(?!{0}))", w);
  }

  Result<Atom> named_reference() {
    at_ += 2;
    const char end = peek() == '<' ? '>' : '\'';
    if (peek() != '<' && peek() != '\'') return unknown("such references");
    ++at_;
    const std::string_view name = TRY(take_until(end));
    if (name.empty() || !std::isalpha(static_cast<uint8_t>(name[0])) || options_.any_case)
      return unknown("such references");
    return Atom{fmt::format("\\k<{}>", name)};
  }

  Result<Atom> numbered_reference() {
    const size_t begin = ++at_;
    size_t number = 0;
    while (peek() >= '0' && peek() <= '9' && number < 1000)
      number = number * 10 + static_cast<size_t>(in_[at_++] - '0');
    if (number > 9 && !closed_.contains(number) && in_[begin] < '8') {  // then it is octal
      at_ = begin;
      return literal(TRY(numeric_escape()));
    }
    // With names, Oniguruma does not count the other groups.
    if (has_names_ || options_.any_case || number > 9 || !closed_.contains(number)) return unknown("such references");
    has_numbers_ = true;
    return Atom{fmt::format("(?:\\{})", number)};
  }

  // One character behind a backslash, in a class or outside.
  Result<uint32_t> escaped_character() {
    ++at_;
    const char c = peek();
    constexpr std::string_view kLetters = "tnrfvae", kMeaning = "\t\n\r\f\v\a\x1b";
    if (const size_t i = kLetters.find(c); i != std::string_view::npos)
      return ++at_, static_cast<uint32_t>(kMeaning[i]);
    if (c == 'x' || c == 'u' || c == 'o' || (c >= '0' && c <= '7')) return numeric_escape();
    if (c == 'c' || c == 'C' || c == 'M') return unknown(fmt::format("\\{}", c));
    return take_character();
  }

  Result<uint32_t> numeric_escape() {
    const char kind = peek();
    const bool in_braces = kind != 'u' && peek(1) == '{' && (kind == 'x' || kind == 'o');
    if (kind == 'o' && !in_braces) return take_character();
    const int base = kind == 'x' || kind == 'u' ? 16 : 8;
    const size_t most = in_braces ? 12 : kind == 'x' ? 2 : kind == 'u' ? 4 : 3;
    if (kind == 'x' || kind == 'u' || kind == 'o') ++at_;
    if (in_braces) ++at_;
    uint64_t code = 0;
    size_t n = 0;
    for (; n < most; ++n, ++at_) {
      const char d = peek();
      const int value = d >= '0' && d <= '9'   ? d - '0'
                        : d >= 'a' && d <= 'f' ? d - 'a' + 10
                        : d >= 'A' && d <= 'F' ? d - 'A' + 10
                                               : 99;
      if (value >= base) break;
      code = code * static_cast<uint64_t>(base) + static_cast<uint64_t>(value);
    }
    if (n == 0 || (kind == 'u' && n < 4) || (in_braces && !take("}"))) return unknown("such a number of a character");
    // \xE9 is a byte there, not a character.
    if ((!in_braces && kind != 'u' && code > 0x7F) || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
      return unknown("such a number of a character");
    return static_cast<uint32_t>(code);
  }

  Result<CharClass> property() {
    const bool negative = peek(1) == 'P';
    at_ += 3;
    const std::string_view written = TRY(take_until('}'));
    std::string name(written);
    if (negative) name = name.starts_with('^') ? name.substr(1) : "^" + name;
    if (auto out = find_property(name)) return *out;
    return unknown(fmt::format("the property \\p{{{}}}", written.substr(0, 60)));
  }

  // ---- classes

  // From '[' to its ']'.
  Result<CharClass> char_class(int depth) {
    if (depth > 16) return wrong("has classes nested too deep");
    ++at_;
    const bool negative = take("^");
    CharClass all;
    std::optional<CharClass> before;  // of &&
    for (bool first = true; first || peek() != ']'; first = false) {
      if (at_end()) return wrong("has a [ without ]");
      if (take("&&"))
        before = before ? intersection(*before, std::exchange(all, {})) : std::exchange(all, {});
      else
        TRY(class_item(depth, all));
    }
    ++at_;
    if (before) all = intersection(*before, all);
    all.negative = negative != all.negative;
    return all;
  }

  Result<void> class_item(int depth, CharClass& out) {
    if (peek() == '[' && peek(1) == ':') return posix_bracket(out);
    if (peek() == '[') {
      out.add(TRY(char_class(depth + 1)));
      return {};
    }
    if (peek() == '\\') {
      if (auto set = find_shorthand(peek(1), /*in_class=*/true)) {
        at_ += 2;
        return add_set(*set, out);
      }
      if ((peek(1) == 'p' || peek(1) == 'P') && peek(2) == '{') return add_set(TRY(property()), out);
    }
    return class_range(out);
  }

  Result<void> add_set(const CharClass& set, CharClass& out) {
    if (options_.any_case) return unknown("sets of characters in classes of (?i)");
    if (peek() == '-' && peek(1) != ']') return unknown("ranges that begin with a set");
    out.add(set);
    return {};
  }

  Result<void> posix_bracket(CharClass& out) {
    const size_t end = in_.find(":]", at_ + 2);
    const std::string_view name = end == std::string_view::npos ? "" : in_.substr(at_ + 2, end - at_ - 2);
    auto set = find_posix_bracket(name);
    if (!set) return unknown("the bracket [:" + std::string(name.substr(0, 20)) + ":]");
    at_ = end + 2;
    return add_set(*set, out);
  }

  Result<uint32_t> class_character() {
    if (peek() != '\\') return take_character();
    if (at_ + 1 >= in_.size()) return wrong("ends in \\");
    if (peek(1) == 'b') return at_ += 2, uint32_t{8};
    return escaped_character();
  }

  Result<void> class_range(CharClass& out) {
    const uint32_t first = TRY(class_character());
    uint32_t last = first;
    if (peek() == '-' && peek(1) != ']' && peek(1) != '\0' && !in_.substr(at_ + 1).starts_with("&&")) {
      ++at_;
      if (peek() == '[' || (peek() == '\\' && (find_shorthand(peek(1), true) || peek(1) == 'p' || peek(1) == 'P')))
        return unknown("ranges that end with a set");
      last = TRY(class_character());
      if (last < first) return wrong("has a range that goes backwards");
      if (peek() == '-' && peek(1) != ']') return unknown("ranges of ranges");
    }
    if (options_.any_case)
      out.members += TRY(members_in_any_case(first, last));
    else
      out.members += last > first ? class_member(first) + "-" + class_member(last) : class_member(first);
    return {};
  }

  std::string_view in_;
  size_t at_ = 0;
  int depth_ = 0;
  Options options_;
  std::u32string letters_;  // of (?i), up to here
  size_t n_groups_ = 0;
  std::set<size_t> closed_;
  bool has_names_ = false, has_numbers_ = false, lazy_ = false;

 public:
  bool mixes_references() const { return has_names_ && has_numbers_; }
};

}  // namespace

Result<std::string> pcre_pattern(std::string_view pattern) {
  for (const auto& [slow, fast] : kSame)
    if (pattern == slow) pattern = fast;
  Translator translator(pattern);
  std::string out = TRY(translator.translate());
  if (translator.mixes_references())
    return error(Code::unimplemented, "patterns with references by name and by number are not supported yet: {}",
                 pattern.substr(0, 200));
  return out;
}

}  // namespace hearth
