// What Hearth is doing, said as a code with values: programs compare the code, and whoever shows it words it in the
// reader's language. The English words are here, once; the desktop has the others.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "base/describe.h"

namespace hearth {

struct Phrase {
  std::string code;                           // of phrases(); empty: nothing is said
  std::map<std::string, std::string> values;  // what stands in the braces of the words
  static constexpr auto kFields = std::tuple{
      field("code", &Phrase::code, "what is happening, for programs"),
      field("values", &Phrase::values, "numbers and names that belong to it"),
  };
  friend bool operator==(const Phrase&, const Phrase&) = default;
};

struct PhraseWords {
  const char *code, *english;  // values in braces: "training: step {step} of {of}"
};
std::span<const PhraseWords> phrases();

// The words of a code, nullptr for one that is not known.
const char* english_of(std::string_view code);
// In English. A code that is not known is shown as it is: it is a newer program's.
std::string words(const Phrase& phrase);

// Sets `step`, for people, and `phrase`, of a status that has both.
template <class Status>
void say(Status& status, const Phrase& phrase) {
  status.step = words(phrase);
  status.phrase = phrase;
}

}  // namespace hearth
