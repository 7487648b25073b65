// hearth show N: one model of the store, or what a model file says about itself.
#include "appliance/cli/records.h"
#include "appliance/cli/verbs.h"
#include "model_store/formats/inspect.h"

namespace hearth::cli {
namespace {

Json facts_json(const ModelFacts& f) {
  return {{"format", f.format},
          {"family", f.family},
          {"name", f.name},
          {"n_params", f.n_params},
          {"dtype", f.dtype},
          {"max_seq_len", f.max_seq_len},
          {"vocab_size", f.vocab_size},
          {"has_chat_template", f.has_chat_template},
          {"has_tokenizer", f.has_tokenizer},
          {"is_supported", f.is_supported},
          {"why_not", f.why_not},
          {"size_bytes", f.size_bytes}};
}

std::string describe(const Json& document) {
  std::string out;
  for (const auto& [key, value] : document.items()) {
    if (value.is_null() || value.is_array() || value == "") continue;
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (key == "size_bytes") text = human_bytes(value.get<uint64_t>());
    if (key == "installed_at") text = human_time(value.get<double>());
    out += fmt::format("{:<18} {}\n", key, text);
  }
  if (document.contains("files"))
    for (const Json& file : document["files"])
      out += fmt::format("{:<18} {} ({})\n", "file", file["name"].get<std::string>(),
                         human_bytes(file["size_bytes"].get<uint64_t>()));
  return out;
}

}  // namespace

void declare_show(Command& command) {
  auto n = std::make_shared<std::string>();
  command.positional("N", *n, "Model");
  command.on_run([=](const Cli& cli) -> Result<void> {
    store::Store store = TRY(cli.open_store(store::Mode::read_only));
    Json document;
    if (auto record = Cli::record(store, *n)) {
      document = record_json(*record);
    } else {
      document = facts_json(TRY(inspect_model(TRY(cli.model_path(*n)))));
    }
    cli.print(document, [&] { return describe(document); });
    return {};
  });
}

}  // namespace hearth::cli
