// hearth: the command line.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "appliance/cli/verbs.h"
#include "base/log.h"
#include "base/nearest.h"

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

// A word where a verb should be, and what was probably meant. Nothing when the line begins as it should.
std::optional<std::string> unknown_verb(int argc, char** argv) {
  std::vector<std::string> verbs;
  for (const cli::Verb& verb : cli::all_verbs()) verbs.emplace_back(verb.name);
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    if (word == "--state-dir") ++i;  // its value is no verb
    if (word.starts_with('-')) continue;
    if (std::find(verbs.begin(), verbs.end(), word) != verbs.end()) return std::nullopt;
    auto meant = nearest(word, verbs);
    return fmt::format("unknown verb {}; {}", word,
                       meant ? "did you mean " + *meant + "?" : "`hearth --help` lists the verbs");
  }
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  init_logging("hearth");
  cli::Cli cli;
  cli::Action chosen;
  std::string state_dir;
  CLI::App app(
      "hearth: models on this box. N is a model in the store, by its name or by what people call it, or a path.");
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
  if (auto problem = unknown_verb(argc, argv)) {
    fmt::print(stderr, "hearth: {}\n", *problem);
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  cli.state = state_dir_from(state_dir);
  cli::ProgressBar::as_events = cli.json;
  Result<void> result = chosen(cli);
  return result ? 0 : report(cli, result.error());
}
