// hearth models: what is in the store.
#include <algorithm>

#include "appliance/api/model_order.h"
#include "appliance/cli/records.h"
#include "appliance/cli/verbs.h"

namespace hearth::cli {

namespace {

std::string source_of(const store::ModelRecord& m) {
  return in_words(m.origin);
}
std::string source_of(const api::Model& m) {
  return m.source;
}

template <class Model>
std::vector<std::string> model_row(const Model& m) {
  const bool is_adapter = m.kind == "adapter";
  return {is_adapter ? "  + " + m.name : m.name,
          is_adapter ? "adapter" : m.family,
          m.n_params ? human_count(m.n_params) : "-",
          m.dtype,
          human_bytes(m.size_bytes),
          m.max_seq_len ? std::to_string(m.max_seq_len) : "-",
          source_of(m)};
}

// A row for each; Model: store::ModelRecord or api::Model, which name these facts alike.
template <class Model>
std::string describe(const std::vector<Model>& models) {
  if (models.empty()) return "no models yet; `hearth packs list` looks for packs on sticks";
  std::vector<std::vector<std::string>> rows{{"NAME", "FAMILY", "PARAMETERS", "DTYPE", "SIZE", "CONTEXT", "SOURCE"}};
  const std::vector<Model> rows_of = api::by_base(models);
  for (const Model& m : rows_of) rows.push_back(model_row(m));
  auto is_called_otherwise = [](const Model& m) { return !m.display_name.empty() && m.display_name != m.name; };
  if (std::any_of(models.begin(), models.end(), is_called_otherwise)) {
    rows[0].emplace_back("CALLED");
    for (size_t i = 0; i < models.size(); ++i) rows[i + 1].push_back(rows_of[i].display_name);
  }
  return table(rows);
}

Json list_of_records(const std::vector<store::ModelRecord>& models) {
  Json list = Json::array();
  for (const store::ModelRecord& m : models) list.push_back(record_json(m));
  return list;
}

// Whoever may not read the store asks the service.
Result<void> ask_service(const Cli& cli) {
  ApiClient service = TRY(cli.service());
  auto models = TRY(service.list<api::Model>("/hearth/v1/models", "models"));
  cli.print({{"models", to_json_value(models)}}, [&] { return describe(models); });
  return {};
}

}  // namespace

void declare_models(Command& command) {
  command.on_run([](const Cli& cli) -> Result<void> {
    Result<store::Store> store = cli.open_store(store::Mode::read_only);
    if (!store && store.error().code == Code::permission_denied) return ask_service(cli);
    std::vector<store::ModelRecord> models = TRY(TRY(std::move(store)).list());
    cli.print({{"models", list_of_records(models)}}, [&] { return describe(models); });
    return {};
  });
}

}  // namespace hearth::cli
