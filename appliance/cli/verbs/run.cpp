// hearth run N [PROMPT]: generates in this process, without a service. Chats where the model has a template, else
// continues the text. Without a prompt: a conversation on a terminal, else the whole of stdin.
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <random>

#include "appliance/cli/answer_view.h"
#include "appliance/cli/interrupt.h"
#include "appliance/cli/typed_text.h"
#include "appliance/cli/verbs.h"
#include "base/text_encoding.h"
#include "inference/answers/answer_parser.h"
#include "inference/chat_tokens.h"
#include "inference/generator.h"

namespace hearth::cli {
namespace {

struct RunArguments {
  std::string n, prompt, system;
  int max_tokens = 512, n_threads = 0;
  std::optional<double> temperature;
  std::optional<int> seed;
  std::string device = "auto";
  bool raw = false, exact = false;
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

struct Prompt {
  std::vector<int32_t> tokens;
  int n_lasting = 0;                              // of them, in the next turn too
  std::unique_ptr<answers::AnswerParser> parser;  // of a chat: parts what it thinks from what it says
  std::vector<int32_t> shown_special;             // the marks that it parts by
};

Result<Prompt> prompt_of(const LoadedModel& model, const Json& messages, const RunArguments& a) {
  Prompt out;
  if (a.raw || !model.chat_template) {
    out.tokens = TRY(model.tokenizer->encode(a.prompt, {.add_special = true, .parse_special = false}));
    return out;
  }
  // What is typed stays text, also where it spells a control token.
  const std::string text = dump_json(messages);
  ChatTokens chat = TRY(chat_tokens(model, {.messages_json = text}));
  out.tokens = std::move(chat.tokens);
  out.n_lasting = chat.n_lasting;
  const answers::AnswerFormat format = answers::find_format(model.chat_template->source());
  for (const std::string& mark : format.marks())
    if (auto id = model.tokenizer->token_id(mark); id && model.tokenizer->is_special(*id))
      out.shown_special.push_back(*id);
  std::sort(out.shown_special.begin(), out.shown_special.end());
  out.parser = answers::make_answer_parser(format, {.prompt = std::move(chat.text)});
  return out;
}

struct RunAnswer {
  GenerationSummary summary;
  std::string text, reasoning;
};

Result<RunAnswer> answer(Generator& generator, const Json& messages, const RunArguments& a, bool show) {
  Prompt prompt = TRY(prompt_of(generator.model(), messages, a));
  GenerationRequest request{.prompt = std::move(prompt.tokens),
                            .n_lasting = prompt.n_lasting,
                            .max_tokens = a.max_tokens,
                            .sampling = sampling_of(a, generator.model().generation),
                            .shown_special = std::move(prompt.shown_special)};
  RunAnswer out;
  AnswerView view(show);
  auto take = [&](const answers::AnswerDelta& delta) {
    out.reasoning += delta.reasoning;
    out.text += delta.content;
    if (!delta.reasoning.empty()) view.thought(delta.reasoning);
    view.text(delta.content);
  };
  Interruptible under_way;
  auto on_text = [&](std::string_view text) {
    take(prompt.parser ? prompt.parser->push(text) : answers::AnswerDelta{.content = std::string(text)});
    return true;
  };
  out.summary = TRY(generator.generate(request, on_text, under_way.token()));
  if (prompt.parser) take(prompt.parser->finish());
  view.finish();
  return out;
}

Json first_messages(const RunArguments& a) {
  Json messages = Json::array();
  if (!a.system.empty()) messages.push_back({{"role", "system"}, {"content", a.system}});
  return messages;
}

Result<void> answer_once(const Cli& cli, Generator& generator, const RunArguments& a) {
  Json messages = first_messages(a);
  messages.push_back({{"role", "user"}, {"content", a.prompt}});
  const RunAnswer said = TRY(answer(generator, messages, a, !cli.json));
  const GenerationSummary& s = said.summary;
  Json document = {{"text", said.text},
                   {"finish_reason", finish_reason_name(s.finish)},
                   {"n_prompt_tokens", s.n_prompt_tokens},
                   {"n_completion_tokens", s.n_completion_tokens},
                   {"prefill_s", s.prefill_s},
                   {"decode_s", s.decode_s},
                   {"decode_tokens_per_s", s.decode_tokens_per_s()}};
  if (!said.reasoning.empty()) document["reasoning"] = said.reasoning;
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
    RunAnswer said = TRY(answer(generator, messages, a, true));
    messages.push_back({{"role", "assistant"}, {"content", said.text}});
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
  command.device(a->device, "auto");
  command.flag("--exact", a->exact, "Keep activations in full precision beside quantised weights: slower");
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
    std::unique_ptr<Generator> generator = TRY(
        Generator::create(model, {.step = {.device = a->device,
                                           .n_threads = a->n_threads,
                                           .n_slots = 1,
                                           .exact = a->exact,
                                           .on_laid_out = [model](const std::string& role) { model->let_go(role); }}}));
    if (const std::string& reason = generator->device().reason; !reason.empty())
      fmt::print(stderr, "no GPU is used: {}\n", reason);
    if (const std::string& note = generator->device().note; !note.empty()) fmt::print(stderr, "{}\n", note);
    if (a->prompt.empty() && ::isatty(STDIN_FILENO) && !cli.json) return talk(*generator, *a);
    if (a->prompt.empty()) a->prompt = TRY(text_of_stdin());
    if (a->prompt.empty()) return error(Code::invalid_argument, "there is no prompt: give one, or write it to stdin");
    return answer_once(cli, *generator, *a);
  });
}

}  // namespace hearth::cli
