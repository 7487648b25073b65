// Where a box keeps its state, and the names below it. Shared by hearthd and the command line.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth {

struct StateDir {
  std::filesystem::path root;

  std::filesystem::path database() const { return root / "hearth.db"; }
  std::filesystem::path run() const { return root / "run"; }
  std::filesystem::path socket() const { return run() / "hearthd.sock"; }
  std::filesystem::path lock() const { return run() / "hearthd.lock"; }
  std::filesystem::path wishes() const { return run() / "write"; }  // for sticks to be mounted for writing (box/stick.h)
  std::filesystem::path uploads() const { return run() / "uploads"; }
  std::filesystem::path logs() const { return root / "log"; }
  std::filesystem::path jobs() const { return root / "jobs"; }
  std::filesystem::path job(std::string_view id) const { return jobs() / id; }
  std::filesystem::path datasets() const { return root / "datasets"; }
  // Of a model's engine; a short stand-in where the plain name would not fit into a socket address.
  std::filesystem::path engine_socket(std::string_view model) const;

  Result<void> make_folders() const;  // mode 0750
};

inline constexpr const char* kSystemStateDir = "/var/lib/hearth";  // of the installed service

// $HEARTH_STATE_DIR; else the choice between the installed service's and $XDG_STATE_HOME/hearth or
// ~/.local/state/hearth.
StateDir default_state_dir();

// The service's state where we may read it; else our own where there is one; else the service's where it is installed:
// its models cannot be read then, but it answers on its socket.
StateDir choose_state_dir(const std::filesystem::path& system, const std::filesystem::path& own);

// `given` made absolute, or the default when empty.
StateDir state_dir_from(std::string_view given);

}  // namespace hearth
