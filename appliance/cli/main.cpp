// hearth: the command line.
#include <CLI/CLI.hpp>

#include "appliance/cli/verbs.h"
#include "base/log.h"

namespace {

using namespace hearth;

int report(const cli::Cli& cli, const Error& failed) {
  std::string text = failed.to_string();
  if (cli.json) {
    Json document = {{"error", {{"message", text}, {"code", code_name(failed.code)}}}};
    fmt::print("{}\n", dump_json(document, 2));
  }
  fmt::print(stderr, "hearth: {}\n", text);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  init_logging("hearth");
  cli::Cli cli;
  cli::Action chosen;
  std::string state_dir;
  CLI::App app("hearth: models on this box. N is a model's name in the store, or a path.");
  app.add_option("--state-dir", state_dir, "Which box: where its state lives");
  app.add_flag("--json", cli.json, "One JSON document on stdout");
  app.set_version_flag("--version", HEARTH_VERSION);
  app.require_subcommand(1);
  for (const cli::Verb& verb : cli::all_verbs()) {
    CLI::App* sub = app.add_subcommand(verb.name, verb.summary);
    sub->fallthrough();  // --json and --state-dir may follow the verb
    cli::Command command(*sub, chosen);
    verb.declare(command);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  cli.state = state_dir_from(state_dir);
  Result<void> result = chosen(cli);
  return result ? 0 : report(cli, result.error());
}
