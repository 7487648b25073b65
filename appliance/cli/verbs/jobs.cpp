// hearth jobs: the service's jobs.
#include "appliance/cli/verbs.h"

namespace hearth::cli {

void declare_jobs(Command& command) {
  command.on_run([](const Cli& cli) -> Result<void> {
    Json document = TRY(TRY(cli.service()).get("/hearth/v1/jobs"));
    std::vector<api::Job> all;
    TRY(read_json_value(TRY(json_get<Json>(document, "jobs")), all, "jobs"));
    std::vector<std::vector<std::string>> rows{{"ID", "KIND", "STATE", "DONE", "CREATED", "TITLE"}};
    for (const api::Job& j : all)
      rows.push_back({j.id, j.kind.text(), j.state.text(), fmt::format("{:.0f} %", j.progress * 100),
                      human_time(j.created_at), j.title});
    cli.print(document, [&] { return all.empty() ? "no jobs yet" : table(rows); });
    return {};
  });
}

}  // namespace hearth::cli
