// hearth models: what is in the store.
#include "appliance/cli/records.h"
#include "appliance/cli/verbs.h"

namespace hearth::cli {

void declare_models(Command& command) {
  command.on_run([](const Cli& cli) -> Result<void> {
    store::Store store = TRY(cli.open_store(store::Mode::read_only));
    std::vector<store::ModelRecord> models = TRY(store.list());
    Json list = Json::array();
    std::vector<std::vector<std::string>> rows{{"NAME", "FAMILY", "PARAMETERS", "DTYPE", "SIZE", "CONTEXT", "SOURCE"}};
    for (const store::ModelRecord& m : models) {
      list.push_back(record_json(m));
      rows.push_back({m.name, m.family, m.n_params ? human_count(m.n_params) : "-", m.dtype, human_bytes(m.size_bytes),
                      m.max_seq_len ? std::to_string(m.max_seq_len) : "-", m.source});
    }
    cli.print({{"models", list}}, [&] { return models.empty() ? "no models yet; `hearth packs list` looks for packs on sticks" : table(rows); });
    return {};
  });
}

}  // namespace hearth::cli
