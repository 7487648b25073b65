// Examples to tokens, in the model's own chat template, and which of them are learned.
//
// A conversation is rendered as serving would render it. What the model has to say itself (the answers, with the stop
// token that ends each) is found in one of three ways: the prompt of answer i, render(turns before i, generation prompt
// on), is the beginning of what follows, so prompt and answer are tokenized apart, as they are in serving; else the
// template marks its answers ({% generation %}); else by difference: what changes when the answer is another one.
//
// All of an example reaches the model, or the example is refused: a template that shows no tools, no reasoning or no
// messages of some role would drop them in silence.
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
  uint64_t group = 0;            // the same for documents of equal examples
  int line = 0;                  // of the example
  int64_t n_learned() const;     // targets that are learned
};

class Encoder {
 public:
  explicit Encoder(const LoadedModel& model);  // which must outlive it

  // One document, or one per answer where the template renders earlier turns differently later on (it drops reasoning,
  // for example). Plain text: every token is learned, and the end of text follows.
  Result<std::vector<Document>> encode(const Example& example) const;

  // What serving would be given to answer after these turns.
  Result<std::vector<int32_t>> prompt(const Example& example, std::span<const ChatTurn> turns) const;

 private:
  struct Answer;
  struct Piece;
  struct Part;  // of an example: what is rendered

  Result<std::vector<Document>> encode_text(std::string_view text) const;
  Result<std::vector<Document>> encode_conversation(const Example& example) const;
  Result<std::vector<Document>> encode_marked(const Part& all) const;
  Result<std::vector<Document>> encode_by_prefix(std::span<const Answer> answers,
                                                 const ChatTemplate::Rendered& full) const;
  Result<void> encode_after_prompt(const Answer& answer, Document& out) const;
  Result<Document> encode_by_difference(const Part& all, const Answer& answer) const;
  // Both say whether a stop token had to be added: the template writes none.
  Result<bool> encode_pieces(std::span<const Piece> pieces, Document& out) const;
  Result<bool> add_answer(const Piece& piece, Document& out) const;
  Result<void> check_all_is_shown(const Part& all, std::string_view full) const;
  Result<ChatTemplate::Rendered> render(const Part& part, bool generation_prompt) const;
  std::string messages_json(std::span<const ChatTurn> turns) const;
  Result<std::vector<int32_t>> tokens(const Piece& piece) const;
  bool is_stop(int32_t id) const;
  std::optional<int32_t> end_of_text() const;

  const LoadedModel& model_;
};

// All examples; an error names the example's line. `stop_after_tokens`: 0 reads all.
struct Corpus {
  std::vector<Document> documents;
  int64_t n_tokens = 0, n_learned = 0;
};
Result<Corpus> encode_all(const LoadedModel& model, std::span<const Example> examples, int64_t stop_after_tokens = 0);

// The prompt of the example's last answer, as text that serving would see, and that answer.
struct Question {
  Example prompt;  // the turns before the answer, with tools; no messages: plain text
  std::string shown, expected;
};
Question question_of(const Example& example);

}  // namespace hearth::train
