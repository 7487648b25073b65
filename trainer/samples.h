// Held-out questions, answered by the model before and after training, through the serving code.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "trainer/data/encode.h"
#include "trainer/run.h"

namespace hearth::train {

// At most n, spread over the examples, no prompt twice. The same ones for the same examples.
std::vector<Question> choose_questions(std::span<const Example> held_out, int n);
std::vector<BeforeAfter> blank_samples(std::span<const Question> questions);

struct AnswerOptions {
  int max_tokens = 128;
  int n_threads = 0;
  std::string device = "cpu";  // as open_device() takes it; the host where it has not the room
};
// Greedy answers. `model_path`: a Hugging Face folder or a .gguf.
Result<std::vector<std::string>> answer_questions(const std::filesystem::path& model_path,
                                                  std::span<const Question> questions, const AnswerOptions& options);

// The tokens that serving would be given for the question.
Result<std::vector<int32_t>> prompt_ids(const LoadedModel& model, const Question& question);

}  // namespace hearth::train
