// Word by word: brackets and punctuation around it go aside, and what is left is an address or is not.
#include "model_store/templates/links.h"

#include <algorithm>

#include "base/utf8.h"
#include "model_store/templates/text.h"
#include "model_store/tokenizers/regex.h"

namespace hearth::jinja {
namespace {

// Of a word in lower case.
constexpr std::string_view kHttp =
    R"(\A(?:(?:https?://|www\.)(?:(?:[\w%-]+\.)+)?(?:[a-z]{2,63}|xn--[\w%]{2,59})|)"
    R"((?:[\w%-]{2,63}\.)+(?:com|net|int|edu|gov|org|info|mil)|)"
    R"(https?://(?:\d{1,3}(?:\.\d{1,3}){3}|\[(?:[\da-f]{0,4}:){2}(?:[\da-f]{0,4}:?){1,6}\]))(?::\d{1,5})?(?:[/?#]\S*)?\z)";
constexpr std::string_view kMail = R"(\A\S+@\w[\w.-]*\.\w+\z)";
constexpr std::string_view kScheme = R"(\A[\w.+-]{2,}:/{0,2}\z)";

Result<bool> fits(const Result<Regex>& pattern, std::string_view text) {
  if (!pattern) return pattern.error();
  std::vector<Regex::Match> found;
  TRY(pattern->find_all(text, found));
  return !found.empty();
}

std::string_view one_of_at_start(std::string_view text, std::initializer_list<std::string_view> marks) {
  for (std::string_view mark : marks)
    if (text.starts_with(mark)) return mark;
  return {};
}
std::string_view one_of_at_end(std::string_view text, std::initializer_list<std::string_view> marks) {
  for (std::string_view mark : marks)
    if (text.ends_with(mark)) return mark;
  return {};
}

size_t count_of(std::string_view text, std::string_view what) {
  size_t n = 0;
  for (size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; at += what.size()) ++n;
  return n;
}

struct Word {
  std::string_view head;
  std::string middle, tail;

  explicit Word(std::string_view word) {
    std::string_view rest = word;
    while (true) {
      const std::string_view mark = one_of_at_start(rest, {"(", "<", "&lt;"});
      if (mark.empty()) break;
      rest.remove_prefix(mark.size());
    }
    head = word.substr(0, word.size() - rest.size());
    size_t end = rest.size();
    while (true) {
      const std::string_view mark = one_of_at_end(rest.substr(0, end), {")", ">", ".", ",", "\n", "&gt;"});
      if (mark.empty()) break;
      end -= mark.size();
    }
    middle = rest.substr(0, end);
    tail = rest.substr(end);
    for (const auto& [open, close] : {std::pair{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}}) balance(open, close);
  }

  // Brackets that belong to the address come back from the tail.
  void balance(std::string_view open, std::string_view close) {
    const size_t n_open = count_of(middle, open);
    if (n_open <= count_of(middle, close)) return;
    for (size_t n = std::min(n_open, count_of(tail, close)); n > 0; --n) {
      const size_t end = tail.find(close) + close.size();
      middle += tail.substr(0, end);
      tail.erase(0, end);
    }
  }
};

class Linker {
 public:
  explicit Linker(const LinkOptions& options) : options_(options) {
    if (!options.rel.empty()) attributes_ += fmt::format(" rel=\"{}\"", escape_html(Text(options.rel)).bytes());
    if (!options.target.empty())
      attributes_ += fmt::format(" target=\"{}\"", escape_html(Text(options.target)).bytes());
  }

  Result<std::string> linked(const std::string& word) const {
    static const Result<Regex> kHttpPattern = Regex::compile(kHttp), kMailPattern = Regex::compile(kMail);
    if (TRY(fits(kHttpPattern, to_lower(word)))) {
      const bool has_scheme = word.starts_with("https://") || word.starts_with("http://");
      return fmt::format("<a href=\"{}{}\"{}>{}</a>", has_scheme ? "" : "https://", word, attributes_, shown(word));
    }
    if (word.starts_with("mailto:") && TRY(fits(kMailPattern, std::string_view(word).substr(7))))
      return fmt::format("<a href=\"{}\">{}</a>", word, word.substr(7));
    const bool may_be_mail = word.find('@') != std::string::npos && !word.starts_with("www.") &&
                             !word.starts_with('@') && word.find(':') == std::string::npos;
    if (may_be_mail && TRY(fits(kMailPattern, word))) return fmt::format("<a href=\"mailto:{0}\">{0}</a>", word);
    std::string out = word;
    for (const std::string& scheme : options_.schemes)
      if (out != scheme && out.starts_with(scheme)) out = fmt::format("<a href=\"{0}\"{1}>{0}</a>", out, attributes_);
    return out;
  }

 private:
  std::string shown(const std::string& address) const {
    if (!options_.shown_characters || count_characters(address) <= *options_.shown_characters) return address;
    return std::string(characters(address, 0, *options_.shown_characters)) + "...";
  }

  const LinkOptions& options_;
  std::string attributes_;
};

}  // namespace

Result<std::string> with_links(std::string_view text, const LinkOptions& options) {
  static const Result<Regex> kSchemePattern = Regex::compile(kScheme);
  for (const std::string& scheme : options.schemes)
    if (!TRY(fits(kSchemePattern, scheme)))
      return error(Code::invalid_argument, "\"{}\" is not the beginning of an address", scheme.substr(0, 60));
  const Linker linker(options);
  std::string out;
  while (!text.empty()) {
    size_t end = 0;
    while (end < text.size() && !is_space(decode_utf8(text.substr(end)).code_point))
      end += static_cast<size_t>(std::max(1, decode_utf8(text.substr(end)).n_bytes));
    if (end > 0) {
      const Word word(text.substr(0, end));
      out.append(word.head).append(TRY(linker.linked(word.middle))).append(word.tail);
      text.remove_prefix(end);
    }
    const size_t n_blanks = text.size() - strip_left(text).size();
    out += text.substr(0, n_blanks);
    text.remove_prefix(n_blanks);
  }
  return out;
}

}  // namespace hearth::jinja
