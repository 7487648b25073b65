// A verb's options, declared without the option parser's heavy header. Values are written when the line was parsed.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "appliance/cli/cli.h"

namespace CLI {
class App;
}

namespace hearth::cli {

using Action = std::function<Result<void>(const Cli&)>;

class Command {
 public:
  Command(CLI::App& app, Action& chosen) : app_(&app), chosen_(&chosen) {}

  // T: std::string, int, uint64_t, double, std::optional of these, std::vector<std::string>.
  template <class T>
  Command& option(const char* names, T& value, const char* help);  // "-n,--count"
  template <class T>
  Command& positional(const char* name, T& value, const char* help, bool required = true);
  Command& hidden_option(const char* names, std::string& value);  // still understood, not in the help
  Command& device(std::string& value, const char* usual);         // --device, and what it is else
  Command& flag(const char* names, bool& value, const char* help);
  Command subcommand(const char* name, const char* help);
  CLI::App& app() { return *app_; }  // for what is declared elsewhere

  // Called when this command was the one on the line.
  void on_run(Action action);

 private:
  CLI::App* app_;
  Action* chosen_;
};

}  // namespace hearth::cli
