// hearth datasets [ID] [--remove]: what the service was given to train on.
#include "appliance/cli/verbs.h"
#include "trainer/dataset.h"

namespace hearth::cli {
namespace {

std::string describe(const api::Dataset& d) {
  std::string out = fmt::format(
      "{}\nformat    {}\nexamples  {}, {} different ones\nlengths   half have at most {} characters, the longest "
      "{}\nstate     {}\n",
      d.name, d.format, d.n_examples, d.n_distinct, d.characters.median, d.characters.longest,
      d.valid ? "ready" : "has problems");
  if (!d.unused_keys.empty()) out += fmt::format("keys      {}\n", train::unused_keys_in_words(d.unused_keys));
  for (const api::DatasetProblem& p : d.problems)
    out += fmt::format("line {:<5}{}{}{}\n", p.line, p.field_name, p.field_name.empty() ? "" : " ", p.message);
  return out;
}

Result<void> list_all(const Cli& cli, const ApiClient& service) {
  Json document = TRY(service.get("/hearth/v1/datasets"));
  std::vector<api::Dataset> all;
  TRY(read_json_value(TRY(json_get<Json>(document, "datasets")), all, "datasets"));
  std::vector<std::vector<std::string>> rows{{"ID", "FORMAT", "EXAMPLES", "SIZE", "ADDED", "NAME"}};
  for (const api::Dataset& d : all)
    rows.push_back(
        {d.id, d.format, std::to_string(d.n_examples), human_bytes(d.size_bytes), human_time(d.added_at), d.name});
  cli.print(document, [&] { return all.empty() ? "no datasets" : table(rows); });
  return {};
}

}  // namespace

void declare_datasets(Command& command) {
  auto id = std::make_shared<std::string>();
  auto remove = std::make_shared<bool>(false);
  command.positional("ID", *id, "Dataset; left out: all of them", false);
  command.flag("--remove", *remove, "Remove it, and the copies of its texts in trainings that are over");
  command.on_run([=](const Cli& cli) -> Result<void> {
    if (*remove && id->empty())
      return error(Code::invalid_argument, "say which dataset to remove; `hearth datasets` lists them");
    ApiClient service = TRY(cli.service());
    if (id->empty()) return list_all(cli, service);
    std::string path = "/hearth/v1/datasets/" + http::percent_encode(*id);
    if (*remove) {
      TRY(service.remove(path));
      cli.print({{"removed", *id}}, [&] { return fmt::format("removed dataset {}", *id); });
      return {};
    }
    api::Dataset dataset = TRY(service.get_as<api::DatasetPreview>(path + "/preview")).dataset;
    cli.print(to_json_value(dataset), [&] { return describe(dataset); });
    return {};
  });
}

}  // namespace hearth::cli
