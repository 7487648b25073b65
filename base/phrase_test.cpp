// Phrases: words with their values, codes that are unknown, and a table without doubles.
#include "base/phrase.h"

#include <gtest/gtest.h>

#include <set>

namespace hearth::phrase_test {
namespace {

TEST(Phrase, ValuesStandInTheWords) {
  EXPECT_EQ(words({"training", {{"step", "3"}, {"of", "40"}}}), "training: step 3 of 40");
  EXPECT_EQ(words({"waiting"}), "waiting");
  EXPECT_EQ(words({"trainer_died", {{"death", "killed: {of} memory"}}}),
            "killed: {of} memory; starting again from the last checkpoint");
}

TEST(Phrase, ACodeOfTomorrowIsShown) {
  EXPECT_EQ(words({"dancing", {{"with", "whom"}}}), "dancing");
}

TEST(Phrase, CodesAreOnce) {
  std::set<std::string_view> seen;
  for (const PhraseWords& p : phrases()) EXPECT_TRUE(seen.insert(p.code).second) << p.code;
  EXPECT_STREQ(english_of("waiting"), "waiting");
  EXPECT_EQ(english_of("dancing"), nullptr);
}

TEST(Phrase, AStatusSaysBoth) {
  struct Status {
    std::string step;
    Phrase phrase;
  } status;
  say(status, {"loading_model"});
  EXPECT_EQ(status.step, "loading the model");
  EXPECT_EQ(status.phrase.code, "loading_model");
}

}  // namespace
}  // namespace hearth::phrase_test
