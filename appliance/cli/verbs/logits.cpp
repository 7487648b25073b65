// hearth logits N --ids 1,2,3: {"logits": [[...], ...]} for every position, float32.
#include <charconv>

#include "appliance/cli/verbs.h"
#include "inference/logits.h"

namespace hearth::cli {
namespace {

struct LogitsArguments {
  std::string n, ids;
  int n_threads = 0;
  std::string device = "cpu";
};

Result<std::vector<int32_t>> parse_ids(std::string_view text) {
  std::vector<int32_t> out;
  while (!text.empty()) {
    std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    int32_t id = 0;
    auto [end, failed] = std::from_chars(one.data(), one.data() + one.size(), id);
    if (failed == std::errc::result_out_of_range)
      return error(Code::invalid_argument, "--ids: token id {} is outside every vocabulary", one);
    if (failed != std::errc() || end != one.data() + one.size())
      return error(Code::invalid_argument, "--ids must be numbers separated by commas, got \"{}\"", one);
    out.push_back(id);
  }
  return out;
}

}  // namespace

void declare_logits(Command& command) {
  auto a = std::make_shared<LogitsArguments>();
  command.positional("N", a->n, "Model");
  command.option("--ids", a->ids, "Token ids, separated by commas");
  command.option("--threads", a->n_threads, "Threads; 0: all cores");
  command.device(a->device, "cpu");
  command.on_run([=](const Cli& cli) -> Result<void> {
    std::vector<int32_t> ids = TRY(parse_ids(a->ids));
    if (ids.empty()) return error(Code::invalid_argument, "give at least one id: --ids 1,2,3");
    LoadedModel model = TRY(load_model(TRY(cli.model_path(a->n))));
    SequenceLogits whole = TRY(SequenceLogits::create(model, {a->n_threads, a->device}));
    if (const std::string& reason = whole.device().reason; !reason.empty())
      fmt::print(stderr, "no GPU is used: {}\n", reason);
    Tensor logits = TRY(whole.of(ids));
    auto n_vocab = static_cast<size_t>(model.config.vocab_size);
    const auto* values = static_cast<const float*>(logits.view().data);
    Json rows = Json::array();
    for (size_t i = 0; i < ids.size(); ++i)
      rows.push_back(std::vector<float>(values + i * n_vocab, values + (i + 1) * n_vocab));
    Json document = {{"logits", std::move(rows)}};
    cli.print(document, [&] { return dump_json(document); });
    return {};
  });
}

}  // namespace hearth::cli
