// hearth run N [PROMPT]: generates in this process, without a service. Chats where the model has a template, else
// continues the text. Without a prompt: a conversation on a terminal, else the whole of stdin.
#include <unistd.h>

#include <iostream>
#include <random>

#include "appliance/cli/interrupt.h"
#include "appliance/cli/typed_text.h"
#include "appliance/cli/verbs.h"
#include "base/text_encoding.h"
#include "inference/generator.h"

namespace hearth::cli {
namespace {

struct RunArguments {
  std::string n, prompt, system;
  int max_tokens = 512, n_threads = 0;
  std::optional<double> temperature;
  std::optional<int> seed;
  bool raw = false;
};

SamplingParams sampling_of(const RunArguments& a, const GenerationDefaults& defaults) {
  SamplingParams out;
  out.temperature = static_cast<float>(a.temperature.value_or(defaults.temperature.value_or(0)));
  out.top_k = defaults.top_k.value_or(out.top_k);
  out.top_p = static_cast<float>(defaults.top_p.value_or(out.top_p));
  out.min_p = static_cast<float>(defaults.min_p.value_or(out.min_p));
  out.repetition_penalty = static_cast<float>(defaults.repetition_penalty.value_or(out.repetition_penalty));
  out.seed = a.seed ? static_cast<uint64_t>(*a.seed) : std::random_device()();
  return out;
}

Result<std::vector<int32_t>> prompt_tokens(const LoadedModel& model, const Json& messages, const RunArguments& a) {
  if (a.raw || !model.chat_template)
    return model.tokenizer->encode(a.prompt, {.add_special = true, .parse_special = false});
  // What is typed stays text, also where it spells a control token.
  const std::string text = dump_json(messages);
  const auto rendered = TRY(render_chat(model, {.messages_json = text}));
  return model.tokenizer->encode(rendered.text, {.add_special = false, .typed = rendered.typed});
}

Result<GenerationSummary> answer(Generator& generator, const Json& messages, const RunArguments& a, bool show) {
  std::vector<int32_t> prompt = TRY(prompt_tokens(generator.model(), messages, a));
  GenerationRequest request{.prompt = std::move(prompt),
                            .max_tokens = a.max_tokens,
                            .sampling = sampling_of(a, generator.model().generation)};
  Interruptible under_way;
  auto on_text = [&](std::string_view text) {
    if (show) std::cout << text << std::flush;
    return true;
  };
  return generator.generate(request, on_text, under_way.token());
}

Json first_messages(const RunArguments& a) {
  Json messages = Json::array();
  if (!a.system.empty()) messages.push_back({{"role", "system"}, {"content", a.system}});
  return messages;
}

Result<void> answer_once(const Cli& cli, Generator& generator, const RunArguments& a) {
  Json messages = first_messages(a);
  messages.push_back({{"role", "user"}, {"content", a.prompt}});
  GenerationSummary s = TRY(answer(generator, messages, a, !cli.json));
  double tokens_per_s = s.decode_s > 0 ? s.n_completion_tokens / s.decode_s : 0;
  Json document = {{"text", s.text},
                   {"finish_reason", finish_reason_name(s.finish)},
                   {"n_prompt_tokens", s.n_prompt_tokens},
                   {"n_completion_tokens", s.n_completion_tokens},
                   {"prefill_s", s.prefill_s},
                   {"decode_s", s.decode_s},
                   {"decode_tokens_per_s", tokens_per_s}};
  if (!cli.json) std::cout << std::endl;
  cli.print(document, [] { return std::string(); });
  return {};
}

Result<void> talk(Generator& generator, RunArguments a) {
  fmt::print(stderr, "Talking to {}. Ctrl-C stops an answer, /new forgets, /quit or Ctrl-D leaves.\n", a.n);
  Json messages = first_messages(a);
  while (std::cout << "\n> " << std::flush, std::getline(std::cin, a.prompt)) {
    if (a.prompt == "/quit") break;
    if (a.prompt == "/new") messages = first_messages(a);
    if (a.prompt.empty() || a.prompt.front() == '/') continue;
    if (auto text = to_utf8(a.prompt, "this line"); !text) {
      fmt::print(stderr, "{}\n", text.error().to_string());
      continue;
    }
    messages.push_back({{"role", "user"}, {"content", a.prompt}});
    GenerationSummary s = TRY(answer(generator, messages, a, true));
    messages.push_back({{"role", "assistant"}, {"content", s.text}});
    std::cout << std::endl;
  }
  return {};
}

}  // namespace

void declare_run(Command& command) {
  auto a = std::make_shared<RunArguments>();
  command.positional("N", a->n, "Model");
  command.positional("PROMPT", a->prompt, "Prompt; default: a conversation, or the whole of stdin", false);
  command.option("--max-tokens", a->max_tokens, "Longest answer; default 512");
  command.option("--temp", a->temperature, "Temperature; default: the model's own, else 0");
  command.option("--seed", a->seed, "Same seed, same answer");
  command.option("--system", a->system, "System message");
  command.option("--threads", a->n_threads, "Threads; 0: all cores");
  command.flag("--raw", a->raw, "Continue the prompt as it is, without the chat template");
  command.on_run([=](const Cli& cli) -> Result<void> {
    take_interrupts();
    a->prompt = TRY(to_utf8(a->prompt, "the prompt"));
    a->system = TRY(to_utf8(a->system, "the system message"));
    auto model = std::make_shared<LoadedModel>(TRY(load_model(TRY(cli.model_path(a->n)))));
    for (const std::string& sentence : model->generation.ignored)
      fmt::print(stderr, "in generation_config.json of {}, {}\n", a->n, sentence);
    if (!model->tokenizer)
      return model->tokenizer_problem ? *model->tokenizer_problem
                                      : error(Code::failed_precondition, "{} has no tokenizer", a->n);
    std::unique_ptr<Generator> generator =
        TRY(Generator::create(model, {.step = {.n_threads = a->n_threads, .n_slots = 1}}));
    if (a->prompt.empty() && ::isatty(STDIN_FILENO) && !cli.json) return talk(*generator, *a);
    if (a->prompt.empty()) a->prompt = TRY(text_of_stdin());
    if (a->prompt.empty()) return error(Code::invalid_argument, "there is no prompt: give one, or write it to stdin");
    return answer_once(cli, *generator, *a);
  });
}

}  // namespace hearth::cli
