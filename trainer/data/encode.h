// Examples to tokens, in the model's own chat template, and which of them are learned.
//
// A conversation is rendered as serving would render it. What the model has to say itself (the answers, with the stop
// token that ends each) is found by rendering prefixes: the prompt of answer i is render(turns before i, generation
// prompt on), exactly the text that serving tokenizes, so prompt and answer are tokenized apart, as they are there.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model_store/formats/load.h"
#include "trainer/dataset.h"

namespace hearth::train {

struct Document {
  std::vector<int32_t> ids;
  std::vector<uint8_t> learned;  // as long as ids; 1: predicting this token counts
  bool may_split = false;        // plain text may go on in another row
};

// One document, or one per answer where the template renders earlier turns differently later on (it drops reasoning,
// for example). Plain text: every token is learned, and the end of text follows.
Result<std::vector<Document>> encode_example(const LoadedModel& model, const Example& example);

struct Corpus {
  std::vector<Document> documents;
  int64_t n_tokens = 0, n_learned = 0;
  uint64_t fingerprint = 0;  // of all ids and flags, in order
};
// Errors name the example's line. `stop_after_tokens`: 0 reads all (estimates read a part).
Result<Corpus> encode_all(const LoadedModel& model, std::span<const Example> examples, int64_t stop_after_tokens = 0);

// A held-out part by a hash of each example's content: equal examples stay together on one side, and an example's side
// does not depend on its place in the file. At least one of two or more examples when fraction > 0.
struct Split {
  std::vector<Example> train, held_out;
};
Split split_examples(std::vector<Example> examples, double fraction, uint64_t seed);

// The prompt of the example's last answer, as text that serving would see, and that answer.
struct Question {
  std::vector<ChatTurn> prompt;  // empty: plain text
  std::string shown, expected;
};
Question question_of(const Example& example);
std::string messages_json(std::span<const ChatTurn> turns);

}  // namespace hearth::train
