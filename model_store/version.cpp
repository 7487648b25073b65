// A version is read into its scheme, numbers, and ending; then numbers are compared, and endings where those are equal.
#include "model_store/version.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

namespace hearth::store {
namespace {

constexpr size_t kMaxVersion = 256, kShown = 60;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}
size_t count_digits(std::string_view text) {
  return static_cast<size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
}
size_t count_letters(std::string_view text) {
  return static_cast<size_t>(std::find_if_not(text.begin(), text.end(), is_letter) - text.begin());
}

std::string without_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return out;
}

// Digits of any length, as numbers.
std::weak_ordering compare_numbers(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

// What follows the numbers.
enum class Ending {
  none,
  prerelease,  // of SemVer, or "rc1": before the version without it
  tag,         // of a calendar version, "-2", "b": ordered among its own kind only
  time         // of day
};

struct Version {
  bool is_calendar = false;
  std::vector<std::string_view> numbers;
  Ending ending = Ending::none;
  std::string_view text;  // of the ending
};

Error unreadable(std::string_view version, std::string_view why) {
  return error(Code::invalid_argument, "the version \"{}\" {}", version.substr(0, kShown), why);
}

constexpr std::string_view kUnknownEnding =
    "ends in something that different schemes read differently; write it as SemVer does, for example 1.2.0-rc.1";

// A year that somebody would date a model with: four digits.
bool is_year(std::string_view digits) {
  return digits.size() == 4 && digits >= "1990" && digits <= "2099";
}

int small_number(std::string_view digits) {  // at most four digits
  int out = 0;
  for (char c : digits) out = out * 10 + (c - '0');
  return out;
}

bool is_month_and_day(std::string_view year, std::string_view month, std::string_view day) {
  constexpr std::array<int, 12> kDays{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int y = small_number(year), m = small_number(month), d = small_number(day);
  if (m < 1 || m > 12 || d < 1 || d > kDays[static_cast<size_t>(m - 1)]) return false;
  const bool is_leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
  return m != 2 || d < 29 || is_leap;
}

// "1-2-2025", "01.02.2025": day first or month first, who knows.
bool is_ambiguous_date(std::string_view text) {
  const size_t first = count_digits(text);
  if (first < 1 || first > 2 || first >= text.size()) return false;
  const char separator = text[first];
  if (separator != '-' && separator != '/' && separator != '.') return false;
  std::string_view rest = text.substr(first + 1);
  const size_t second = count_digits(rest);
  if (second < 1 || second > 2 || second >= rest.size() || rest[second] != separator) return false;
  std::string_view year = rest.substr(second + 1);
  if (!is_year(year.substr(0, count_digits(year)))) return false;
  return separator != '.' || text[0] == '0' || rest[0] == '0';  // SemVer numbers have no leading zeros
}

// The date at the beginning of `text`, which is cut off. False: there is none. An Error: it only looks like one.
Result<bool> take_date(std::string_view whole, std::string_view& text, Version& out) {
  const size_t n = count_digits(text);
  if (n == 8 && is_year(text.substr(0, 4)) &&
      is_month_and_day(text.substr(0, 4), text.substr(4, 2), text.substr(6, 2))) {
    out.numbers = {text.substr(0, 4), text.substr(4, 2), text.substr(6, 2)};
    text.remove_prefix(n);
    return true;
  }
  if (n != 4 || !is_year(text.substr(0, 4)) || text.size() < 6) return false;
  const char separator = text[4];
  if ((separator != '-' && separator != '/') || !is_digit(text[5])) return false;
  std::string_view rest = text.substr(5);
  const std::string_view month = rest.substr(0, count_digits(rest));
  rest.remove_prefix(month.size());
  std::string_view day;
  if (rest.size() > 1 && rest[0] == separator && is_digit(rest[1])) {
    rest.remove_prefix(1);
    day = rest.substr(0, count_digits(rest));
    rest.remove_prefix(day.size());
  }
  const bool is_date = month.size() <= 2 && day.size() <= 2 &&
                       is_month_and_day(text.substr(0, 4), month, day.empty() ? std::string_view("1") : day);
  if (!is_date) return unreadable(whole, "looks like a date, but there is no such day");
  out.numbers = {text.substr(0, 4), month};
  if (!day.empty()) out.numbers.push_back(day);
  text = rest;
  return true;
}

// "1.10.2" at the beginning of `text`, which is cut off.
void take_numbers(std::string_view& text, Version& out) {
  while (!text.empty() && is_digit(text[0])) {
    const size_t n = count_digits(text);
    out.numbers.push_back(text.substr(0, n));
    text.remove_prefix(n);
    if (text.size() > 1 && text[0] == '.' && is_digit(text[1])) text.remove_prefix(1);
  }
}

// Dot-separated, none of them empty, of [0-9A-Za-z-].
bool are_identifiers(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.' || text.find("..") != std::string_view::npos)
    return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_digit(c) || is_letter(c) || c == '.' || c == '-'; });
}

bool is_prerelease_word(std::string_view word) {
  constexpr std::string_view kWords[] = {"alpha", "beta", "rc", "pre", "preview", "dev"};
  return std::find(std::begin(kWords), std::end(kWords), without_case(word)) != std::end(kWords);
}

// "T12:30", "T123000Z"; not one with another zone, which would have to be converted.
bool is_time(std::string_view text) {
  if (text.size() < 5 || (text[0] != 'T' && text[0] != 't')) return false;
  text.remove_prefix(1);
  if (text.back() == 'Z' || text.back() == 'z') text.remove_suffix(1);
  return std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == ':'; });
}

// What follows the numbers and stands before the build metadata.
Result<void> read_ending(std::string_view whole, std::string_view text, bool is_date, Version& out) {
  if (text.empty()) return {};
  out.text = text;
  if (is_date && is_time(text)) {
    out.ending = Ending::time;
    return {};
  }
  const bool has_dash = text[0] == '-';
  if (has_dash || text[0] == '.') out.text.remove_prefix(1);
  if (!are_identifiers(out.text)) return unreadable(whole, kUnknownEnding);
  const bool is_word = is_prerelease_word(out.text.substr(0, count_letters(out.text)));
  if (is_word || (has_dash && !is_date))
    out.ending = Ending::prerelease;
  else if (is_date && text[0] != '.')
    out.ending = Ending::tag;
  else
    return unreadable(whole, kUnknownEnding);
  return {};
}

Result<Version> parse_version(std::string_view whole) {
  std::string_view text = whole;
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  if (text.empty()) return error(Code::invalid_argument, "one of the two has no version");
  if (text.size() > kMaxVersion) return unreadable(whole, "is longer than 256 characters");
  if (text.size() > 1 && (text[0] == 'v' || text[0] == 'V') && is_digit(text[1])) text.remove_prefix(1);
  if (!is_digit(text[0])) return unreadable(whole, "does not begin with a number");
  if (is_ambiguous_date(text)) return unreadable(whole, "may have its day or its month first; write YYYY-MM-DD");
  Version out;
  const bool is_date = TRY(take_date(whole, text, out));
  if (is_date && text.size() > 1 && text[0] == '.' && is_digit(text[1])) text.remove_prefix(1);
  take_numbers(text, out);
  out.is_calendar = is_date || is_year(out.numbers[0]);
  if (const size_t plus = text.find('+'); plus != std::string_view::npos) {
    if (!are_identifiers(text.substr(plus + 1)))
      return unreadable(whole, "has build metadata that SemVer does not know");
    text = text.substr(0, plus);
  }
  TRY(read_ending(whole, text, is_date, out));
  return out;
}

std::weak_ordering compare_cores(const Version& a, const Version& b) {
  for (size_t i = 0; i < std::max(a.numbers.size(), b.numbers.size()); ++i) {
    auto at = [&](const Version& v) { return i < v.numbers.size() ? v.numbers[i] : std::string_view("0"); };
    if (auto order = compare_numbers(at(a), at(b)); order != 0) return order;
  }
  return std::weak_ordering::equivalent;
}

// Runs of digits as numbers, the rest as letters whatever their case: "rc2" before "RC10".
std::weak_ordering compare_naturally(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const size_t n = count_digits(a), m = count_digits(b);
    if ((n > 0) != (m > 0)) return n > 0 ? std::weak_ordering::less : std::weak_ordering::greater;
    std::weak_ordering order = std::weak_ordering::equivalent;
    if (n > 0) {
      order = compare_numbers(a.substr(0, n), b.substr(0, m));
      a.remove_prefix(n), b.remove_prefix(m);
    } else {
      order = without_case(a.substr(0, 1)).compare(without_case(b.substr(0, 1))) <=> 0;
      a.remove_prefix(1), b.remove_prefix(1);
    }
    if (order != 0) return order;
  }
  return a.size() <=> b.size();
}

using CompareText = std::weak_ordering (*)(std::string_view, std::string_view);

// SemVer 2.0.0, 11.4: numbers below words, fewer identifiers below more.
std::weak_ordering compare_identifiers(std::string_view a, std::string_view b, CompareText compare_words) {
  while (!a.empty() && !b.empty()) {
    const std::string_view x = a.substr(0, a.find('.')), y = b.substr(0, b.find('.'));
    std::weak_ordering order = std::weak_ordering::equivalent;
    if (all_digits(x) && all_digits(y))
      order = compare_numbers(x, y);
    else if (all_digits(x) != all_digits(y))
      order = all_digits(x) ? std::weak_ordering::less : std::weak_ordering::greater;
    else
      order = compare_words(x, y);
    if (order != 0) return order;
    a.remove_prefix(std::min(x.size() + 1, a.size()));
    b.remove_prefix(std::min(y.size() + 1, b.size()));
  }
  return static_cast<int>(!a.empty()) <=> static_cast<int>(!b.empty());
}

std::weak_ordering compare_ascii(std::string_view a, std::string_view b) {
  return a.compare(b) <=> 0;
}

// By SemVer's letter "rc10" comes before "rc2", which nobody means: where letter and meaning differ there is no order.
std::partial_ordering compare_prereleases(std::string_view a, std::string_view b) {
  const auto by_letter = compare_identifiers(a, b, compare_ascii),
             by_sense = compare_identifiers(a, b, compare_naturally);
  if (by_letter == by_sense || by_sense == 0) return by_letter;
  return by_letter == 0 ? std::partial_ordering(by_sense) : std::partial_ordering::unordered;
}

// "-1" and "-2", "a" and "b", "build7" and "build12"; not two hashes.
std::partial_ordering compare_tags(std::string_view a, std::string_view b) {
  if (a == b) return std::partial_ordering::equivalent;
  const size_t n = count_letters(a);
  if (n != count_letters(b) || without_case(a.substr(0, n)) != without_case(b.substr(0, n))) {
    const bool are_letters = a.size() == 1 && b.size() == 1 && n == 1 && count_letters(b) == 1;
    return are_letters ? std::partial_ordering(without_case(a).compare(without_case(b)) <=> 0)
                       : std::partial_ordering::unordered;
  }
  if (a.size() == n && b.size() == n) return std::partial_ordering::equivalent;
  if (!all_digits(a.substr(n)) || !all_digits(b.substr(n))) return std::partial_ordering::unordered;
  return compare_numbers(a.substr(n), b.substr(n));
}

std::partial_ordering compare_times(std::string_view a, std::string_view b) {
  auto shape = [](std::string_view text) {
    std::string out(text);
    for (char& c : out) c = is_digit(c) ? '0' : c;
    return without_case(out);
  };
  if (shape(a) != shape(b)) return std::partial_ordering::unordered;
  return without_case(a).compare(without_case(b)) <=> 0;
}

std::partial_ordering compare_endings(const Version& a, const Version& b) {
  if (a.ending != b.ending) {
    if (a.ending == Ending::prerelease && b.ending == Ending::none) return std::partial_ordering::less;
    if (a.ending == Ending::none && b.ending == Ending::prerelease) return std::partial_ordering::greater;
    return std::partial_ordering::unordered;
  }
  switch (a.ending) {
    case Ending::none:
      return std::partial_ordering::equivalent;
    case Ending::prerelease:
      return compare_prereleases(a.text, b.text);
    case Ending::tag:
      return compare_tags(a.text, b.text);
    case Ending::time:
      return compare_times(a.text, b.text);
  }
  return std::partial_ordering::unordered;
}

std::string_view scheme_of(const Version& version) {
  return version.is_calendar ? "a date" : "a number";
}

}  // namespace

Result<std::weak_ordering> compare_versions(std::string_view a, std::string_view b) {
  const Version x = TRY(parse_version(a)), y = TRY(parse_version(b));
  if (x.is_calendar != y.is_calendar)
    return error(Code::invalid_argument, "\"{}\" is {} and \"{}\" is {}", a.substr(0, kShown), scheme_of(x),
                 b.substr(0, kShown), scheme_of(y));
  if (const auto order = compare_cores(x, y); order != 0) return order;
  const std::partial_ordering order = compare_endings(x, y);
  if (order < 0) return std::weak_ordering::less;
  if (order > 0) return std::weak_ordering::greater;
  if (order == 0) return std::weak_ordering::equivalent;
  return error(Code::invalid_argument, "the endings of \"{}\" and \"{}\" have no order", a.substr(0, kShown),
               b.substr(0, kShown));
}

}  // namespace hearth::store
