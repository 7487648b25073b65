// Word<kWords>: one of a fixed list of words, such as the state of a job. An enum whose values are written as the words
// that stand in JSON: what is compared is a small number, and a word that is not in the list does not compile.
//
//   inline constexpr std::array kJobStates{"queued", "running", "done"};
//   using JobState = Word<kJobStates>;
//
//   JobState state = "queued";
//   if (state == "done") ...          // "doen" is a compile error
#pragma once

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace hearth {

template <const auto& kWords>
class Word {
 public:
  constexpr Word() = default;  // the first of the list
  consteval Word(const char* word) : index_(find(word)) {
    if (index_ < 0) throw "this word is not in the list";  // not a constant expression: the compiler refuses it
  }
  // What a file or another program says. A word that is not in the list, a newer program's, is "unknown": equal to
  // none.
  static constexpr Word read(std::string_view word) {
    Word out;
    out.index_ = find(word);
    return out;
  }
  constexpr const char* text() const { return index_ < 0 ? "unknown" : kWords[static_cast<size_t>(index_)]; }
  friend constexpr bool operator==(Word, Word) = default;

 private:
  static constexpr int find(std::string_view word) {
    for (size_t i = 0; i < kWords.size(); ++i)
      if (word == kWords[i]) return static_cast<int>(i);
    return -1;
  }
  int index_ = 0;
};

template <class T>
struct IsWord : std::false_type {};
template <const auto& kWords>
struct IsWord<Word<kWords>> : std::true_type {
  static constexpr const auto& words = kWords;
};

}  // namespace hearth

template <const auto& kWords>
struct fmt::formatter<hearth::Word<kWords>> : fmt::formatter<std::string_view> {
  auto format(hearth::Word<kWords> word, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(word.text(), context);
  }
};
