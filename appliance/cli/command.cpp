// Options by CLI11.
#include "appliance/cli/command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "runtime/exec/devices.h"

namespace hearth::cli {

template <class T>
Command& Command::option(const char* names, T& value, const char* help) {
  app_->add_option(names, value, help);
  return *this;
}

template <class T>
Command& Command::positional(const char* name, T& value, const char* help, bool required) {
  app_->add_option(name, value, help)->required(required);
  return *this;
}

Command& Command::hidden_option(const char* names, std::string& value) {
  app_->add_option(names, value)->group("");
  return *this;
}

Command& Command::device(std::string& value, const char* usual) {
  app_->add_option("--device", value, fmt::format("{}; default {}", kDeviceHelp, usual));
  return *this;
}

Command& Command::flag(const char* names, bool& value, const char* help) {
  app_->add_flag(names, value, help);
  return *this;
}

Command Command::subcommand(const char* name, const char* help) {
  CLI::App* sub = app_->add_subcommand(name, help);
  sub->fallthrough();
  app_->require_subcommand(1);
  return {*sub, *chosen_};
}

void Command::on_run(Action action) {
  app_->callback([chosen = chosen_, action = std::move(action)] { *chosen = action; });
}

#define HEARTH_OPTION_TYPE(T)                                         \
  template Command& Command::option<T>(const char*, T&, const char*); \
  template Command& Command::positional<T>(const char*, T&, const char*, bool);
HEARTH_OPTION_TYPE(std::string)
HEARTH_OPTION_TYPE(int)
HEARTH_OPTION_TYPE(uint64_t)
HEARTH_OPTION_TYPE(double)
HEARTH_OPTION_TYPE(std::optional<std::string>)
HEARTH_OPTION_TYPE(std::optional<int>)
HEARTH_OPTION_TYPE(std::optional<double>)
HEARTH_OPTION_TYPE(std::vector<std::string>)
#undef HEARTH_OPTION_TYPE

}  // namespace hearth::cli
