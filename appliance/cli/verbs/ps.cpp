// hearth ps: what is deployed.
#include "appliance/cli/verbs.h"

namespace hearth::cli {

void declare_ps(Command& command) {
  command.on_run([](const Cli& cli) -> Result<void> {
    Json document = TRY(TRY(cli.service()).get("/hearth/v1/deployments"));
    std::vector<api::Deployment> all;
    TRY(read_json_value(TRY(json_get<Json>(document, "deployments")), all, "deployments"));
    std::vector<std::vector<std::string>> rows{{"MODEL", "STATE", "PID", "MEMORY", "RESTARTS", "WHAT"}};
    for (const api::Deployment& d : all)
      rows.push_back({d.model, d.state.text(), d.pid ? std::to_string(d.pid) : "-", human_bytes(d.memory_bytes),
                      std::to_string(d.n_restarts), d.reason.empty() ? d.step : d.step + " (" + d.reason + ")"});
    cli.print(document, [&] { return all.empty() ? "nothing is deployed; `hearth deploy N` does" : table(rows); });
    return {};
  });
}

}  // namespace hearth::cli
