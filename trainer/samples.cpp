// See samples.h.
#include "trainer/samples.h"

#include <set>

#include "base/log.h"
#include "inference/generator.h"

namespace hearth::train {

std::vector<Question> choose_questions(std::span<const Example> held_out, int n) {
  std::vector<Question> all;
  std::set<std::string> seen;
  for (const Example& example : held_out) {
    Question q = question_of(example);
    if (!q.shown.empty() && seen.insert(q.shown).second) all.push_back(std::move(q));
  }
  const auto wanted = std::min(all.size(), static_cast<size_t>(n));
  std::vector<Question> out;
  for (size_t i = 0; i < wanted; ++i) out.push_back(all[i * all.size() / wanted]);
  return out;
}

std::vector<BeforeAfter> blank_samples(std::span<const Question> questions) {
  std::vector<BeforeAfter> out;
  for (const Question& q : questions) out.push_back({q.shown, "", "", q.expected});
  return out;
}

Result<std::vector<int32_t>> prompt_ids(const LoadedModel& model, const Question& question) {
  return Encoder(model).prompt(question.prompt, question.prompt.messages);
}

Result<std::vector<std::string>> answer_questions(const std::filesystem::path& model_path,
                                                  std::span<const Question> questions, const AnswerOptions& options) {
  auto model = std::make_shared<LoadedModel>(TRY(load_model(model_path)));
  GeneratorOptions generator_options;
  generator_options.step.n_threads = options.n_threads;
  generator_options.step.n_slots = 1;
  generator_options.step.device = options.device;
  auto opened = Generator::create(model, generator_options);
  if (!opened && !is_host_device(options.device)) {
    spdlog::warn("questions are answered on the CPU: {}", opened.error().to_string());
    generator_options.step.device = kHostDevice;
    opened = Generator::create(model, generator_options);
  }
  const std::unique_ptr<Generator> generator = TRY(std::move(opened));
  std::vector<std::string> out;
  for (const Question& question : questions) {
    GenerationRequest request;
    request.prompt = TRY(prompt_ids(*model, question));
    request.max_tokens = options.max_tokens;
    const int room = generator->max_seq_len() - static_cast<int>(request.prompt.size());
    if (room < 1) {
      out.push_back("");  // the question alone fills the context
      continue;
    }
    request.max_tokens = std::min(request.max_tokens, room);
    out.push_back(TRY(generator->generate(request, [](std::string_view) { return true; }, {})).text);
  }
  return out;
}

}  // namespace hearth::train
