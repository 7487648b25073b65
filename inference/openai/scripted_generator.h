// A generator for tests that says what it is told to, in pieces of a few bytes, whatever it is asked.
#pragma once

#include "inference/generator.h"

namespace hearth {

class ScriptedGenerator : public Generator {
 public:
  explicit ScriptedGenerator(LoadedModel model) : model_(std::move(model)) {}

  std::string text;                          // the answer
  FinishReason finish = FinishReason::stop;  // how it ends
  std::string prompt;                        // the last one, decoded
  std::vector<int32_t> prompt_ids;

  Result<GenerationSummary> generate(const GenerationRequest& request, const OnText& on_text,
                                     std::stop_token) override {
    prompt_ids = request.prompt;
    prompt = model_.tokenizer->decode(request.prompt, /*skip_special=*/false);
    GenerationSummary out{.finish = finish, .n_prompt_tokens = static_cast<int>(request.prompt.size())};
    for (size_t at = 0; at < text.size(); at += 3) {
      out.text += text.substr(at, 3);
      ++out.n_completion_tokens;
      if (on_text && !on_text(std::string_view(text).substr(at, 3))) {
        out.finish = FinishReason::cancelled;
        break;
      }
    }
    return out;
  }
  Result<void> check(const GenerationRequest&) const override { return {}; }
  GeneratorStats stats() const override { return {}; }
  void forget_counts() override {}
  const Device& device() const override { return device_; }
  int max_seq_len() const override { return 4096; }
  const LoadedModel& model() const override { return model_; }

 private:
  LoadedModel model_;
  Device device_{std::string(kHostDevice), ""};
};

}  // namespace hearth
