// hearth perplexity N FILE [--ctx C]: exp of the mean loss over the file, in windows of C tokens that do not overlap.
#include <cmath>

#include "appliance/cli/text_loss.h"
#include "appliance/cli/typed_text.h"
#include "appliance/cli/verbs.h"

namespace hearth::cli {
namespace {

struct PerplexityArguments {
  std::string n, file;
  int context = 512, n_threads = 0;
  std::string device = "auto";
};

Result<TextLoss> measure(SequenceLogits& model, std::span<const int32_t> ids, const PerplexityArguments& a) {
  ProgressBar bar;
  TextLoss loss;
  auto window = static_cast<size_t>(a.context);
  for (size_t at = 0; at < ids.size(); at += window) {
    bar.show(static_cast<double>(at) / static_cast<double>(ids.size()),
             fmt::format("perplexity so far {:.3f}", std::exp(loss.mean())));
    TRY(add_text_loss(model, ids.subspan(at, std::min(window, ids.size() - at)), {}, loss));
  }
  return loss;
}

}  // namespace

void declare_perplexity(Command& command) {
  auto a = std::make_shared<PerplexityArguments>();
  command.positional("N", a->n, "Model");
  command.positional("FILE", a->file, "Text");
  command.option("--ctx", a->context, "Tokens of one window; default 512");
  command.option("--threads", a->n_threads, "Threads; 0: all cores");
  command.device(a->device, "auto");
  command.on_run([=](const Cli& cli) -> Result<void> {
    LoadedModel model = TRY(load_model(TRY(cli.model_path(a->n))));
    if (!model.tokenizer) return error(Code::failed_precondition, "{} has no tokenizer", a->n);
    int longest = std::min(model.config.max_seq_len, kMaxLogitTokens);
    if (a->context < 2 || a->context > longest)
      return error(Code::invalid_argument, "--ctx must be from 2 to {}, got {}", longest, a->context);
    std::vector<int32_t> ids =
        TRY(model.tokenizer->encode(TRY(text_of_file(a->file)), {.add_special = true, .parse_special = false}));
    if (ids.size() < 2) return error(Code::invalid_argument, "{} holds fewer than two tokens", a->file);
    SequenceLogits logits = TRY(open_logits(model, {a->n_threads, a->device}));
    TextLoss loss = TRY(measure(logits, ids, *a));
    cli.print({{"perplexity", std::exp(loss.mean())},
               {"loss", loss.mean()},
               {"n_tokens", loss.n_tokens},
               {"context", a->context},
               {"device", logits.device().name}},
              [&] {
                return fmt::format("perplexity {:.4f} over {} tokens (loss {:.4f}, windows of {})",
                                   std::exp(loss.mean()), loss.n_tokens, loss.mean(), a->context);
              });
    return {};
  });
}

}  // namespace hearth::cli
