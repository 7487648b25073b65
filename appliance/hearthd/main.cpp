// hearthd: the service. Supervises engines and trainers and answers the API; never computes.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "appliance/hearthd/command_line.h"
#include "base/log.h"

int main(int argc, char** argv) {
  using namespace hearth;
  init_logging("hearthd");
  CLI::App app("hearthd: Hearth's service");
  ServiceArguments arguments;
  add_service_options(app, arguments);
  app.set_version_flag("--version", HEARTH_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  ServiceOptions options = service_options(arguments);
  options.log_to_state = !std::getenv("JOURNAL_STREAM");
  Result<void> result = run_service(std::move(options));
  if (result) return 0;
  spdlog::error("{}", result.error().to_string());
  return 1;
}
