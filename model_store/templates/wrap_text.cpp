// textwrap.wrap: a text is cut into chunks that may end a line, which are then laid into lines one after the other.
#include <algorithm>

#include "model_store/templates/layout.h"
#include "model_store/templates/text.h"
#include "model_store/tokenizers/regex.h"

namespace hearth::jinja {
namespace {

// Blanks; a dash between words; a word, up to where it may be broken: after a hyphen between letters, at a dash, at its
// end.
constexpr std::string_view kChunk =
    R"([\t\n\x0b\x0c\r ]+)"
    R"(|(?<=[\w!"'&.,?])-{2,}(?=\w))"
    R"(|[^\t\n\x0b\x0c\r ]+?(?:-(?:(?<=[^\d\W]{2}-)|(?<=[^\d\W]-[\w!"'&.,?]-))(?=[^\d\W]-?[^\d\W]))"
    R"(|(?=[\t\n\x0b\x0c\r ]|\z)|(?<=[\w!"'&.,?])(?=-{2,}\w)))";
constexpr std::string_view kBlank = "\t\n\x0b\x0c\r ";

// Where each regular expression's match lies, and what lies between.
Result<std::vector<std::string>> split_at_hyphens(std::string_view text) {
  static const Result<Regex> kPattern = Regex::compile(kChunk);
  if (!kPattern) return kPattern.error();
  std::vector<Regex::Match> matches;
  TRY(kPattern->find_all(text, matches));
  std::vector<std::string> out;
  size_t at = 0;
  for (const Regex::Match& m : matches) {
    if (m.begin > at) out.emplace_back(text.substr(at, m.begin - at));
    if (m.end > m.begin) out.emplace_back(text.substr(m.begin, m.end - m.begin));
    at = m.end;
  }
  if (at < text.size()) out.emplace_back(text.substr(at));
  return out;
}

std::vector<std::string> split_at_blanks(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const bool is_blank = kBlank.find(text[0]) != std::string_view::npos;
    const size_t end = std::min(is_blank ? text.find_first_not_of(kBlank) : text.find_first_of(kBlank), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return out;
}

bool is_blank(std::string_view text) {
  return strip_left(text).empty();
}

class Lines {
 public:
  Lines(std::vector<std::string> chunks, const WrapOptions& options) : chunks_(std::move(chunks)), options_(options) {
    std::reverse(chunks_.begin(), chunks_.end());
  }

  std::vector<std::string> run() {
    while (!chunks_.empty()) {
      if (is_blank(chunks_.back()) && !lines_.empty()) chunks_.pop_back();
      one_line();
    }
    return std::move(lines_);
  }

 private:
  void one_line() {
    std::vector<std::string> line;
    int64_t length = 0;
    while (!chunks_.empty() && length + count_characters(chunks_.back()) <= options_.width) {
      length += count_characters(chunks_.back());
      line.push_back(std::move(chunks_.back()));
      chunks_.pop_back();
    }
    if (!chunks_.empty() && count_characters(chunks_.back()) > options_.width) part_of_long_word(line, length);
    if (!line.empty() && is_blank(line.back())) line.pop_back();
    if (!line.empty()) lines_.push_back(fmt::format("{}", fmt::join(line, "")));
  }

  // A chunk longer than a line: as much of it as fits, or all of it on a line of its own.
  void part_of_long_word(std::vector<std::string>& line, int64_t length) {
    std::string& chunk = chunks_.back();
    if (!options_.break_long_words) {
      if (!line.empty()) return;
      line.push_back(std::move(chunk));
      chunks_.pop_back();
      return;
    }
    int64_t end = options_.width - length;
    if (options_.break_on_hyphens && count_characters(chunk) > end) {
      const std::string_view head = characters(chunk, 0, end);
      const size_t hyphen = head.rfind('-');
      if (hyphen != std::string_view::npos && hyphen > 0 &&
          head.substr(0, hyphen).find_first_not_of('-') != std::string_view::npos)
        end = count_characters(head.substr(0, hyphen)) + 1;
    }
    const std::string head(characters(chunk, 0, end));
    chunk.erase(0, head.size());
    line.push_back(head);
  }

  std::vector<std::string> chunks_;  // the next one last
  std::vector<std::string> lines_;
  const WrapOptions& options_;
};

}  // namespace

Result<std::vector<std::string>> wrap_text(std::string_view text, const WrapOptions& options) {
  if (options.width <= 0) return error(Code::invalid_argument, "a width of {} is not possible", options.width);
  std::vector<std::string> chunks = options.break_on_hyphens ? TRY(split_at_hyphens(text)) : split_at_blanks(text);
  return Lines(std::move(chunks), options).run();
}

}  // namespace hearth::jinja
