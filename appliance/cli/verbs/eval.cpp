// hearth eval N --data FILE: mean loss per answer token on data of any training format, by the serving graph.
#include <cmath>

#include "appliance/cli/text_loss.h"
#include "appliance/cli/verbs.h"
#include "trainer/data/encode.h"
#include "trainer/dataset.h"

namespace hearth::cli {
namespace {

struct EvalArguments {
  std::string n, data, format = "auto", device = "auto";
  int n_threads = 0;
};

Result<TextLoss> measure(SequenceLogits& logits, const LoadedModel& model, const train::Corpus& corpus,
                         int64_t& n_cut) {
  ProgressBar bar;
  TextLoss loss;
  auto longest = static_cast<size_t>(std::min(model.config.max_seq_len, kMaxLogitTokens));
  for (size_t i = 0; i < corpus.documents.size(); ++i) {
    const train::Document& document = corpus.documents[i];
    size_t n = std::min(longest, document.ids.size());
    n_cut += n < document.ids.size();
    TRY(add_text_loss(logits, std::span(document.ids).first(n), std::span(document.learned).first(n), loss));
    bar.show(static_cast<double>(i) / static_cast<double>(corpus.documents.size()),
             fmt::format("loss so far {:.4f}", loss.mean()));
  }
  return loss;
}

}  // namespace

void declare_eval(Command& command) {
  auto a = std::make_shared<EvalArguments>();
  command.positional("N", a->n, "Model");
  command.option("--data", a->data, "JSON, CSV or text");
  command.option("--format", a->format, "auto | messages | alpaca | sharegpt | pairs | text");
  command.option("--threads", a->n_threads, "Threads; 0: all cores");
  command.device(a->device, "auto");
  command.on_run([=](const Cli& cli) -> Result<void> {
    if (a->data.empty()) return error(Code::invalid_argument, "say on what: --data FILE");
    train::Dataset data = TRY(train::read_dataset(a->data, a->format));
    if (data.examples.empty()) return error(Code::invalid_argument, "{} holds no usable example", a->data);
    if (data.report.is_cut)
      return error(Code::invalid_argument, "{} is damaged: {}", a->data, data.report.problems.back().message);
    LoadedModel model = TRY(load_model(TRY(cli.model_path(a->n))));
    train::Corpus corpus = TRY_WITH(train::encode_all(model, data.examples), "in {}", a->data);
    int64_t n_cut = 0;
    SequenceLogits logits = TRY(open_logits(model, {a->n_threads, a->device}));
    TextLoss loss = TRY(measure(logits, model, corpus, n_cut));
    Json document = {{"loss", loss.mean()},
                     {"perplexity", std::exp(loss.mean())},
                     {"n_tokens", loss.n_tokens},
                     {"n_examples", data.examples.size()},
                     {"n_problems", data.report.n_problems},
                     {"n_cut", n_cut},
                     {"device", logits.device().name}};
    cli.print(document, [&] {
      std::string out = fmt::format("loss {:.4f} (perplexity {:.3f}) over {} answer tokens of {} examples", loss.mean(),
                                    std::exp(loss.mean()), loss.n_tokens, data.examples.size());
      if (n_cut > 0) out += fmt::format("; {} were cut to the model's context", n_cut);
      if (data.report.n_problems > 0)
        out += fmt::format("; {} rows with problems were left out, the first in line {}: {}", data.report.n_problems,
                           data.report.problems.front().line, data.report.problems.front().message);
      return out;
    });
    return {};
  });
}

}  // namespace hearth::cli
