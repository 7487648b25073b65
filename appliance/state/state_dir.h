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
  std::filesystem::path uploads() const { return run() / "uploads"; }
  std::filesystem::path logs() const { return root / "log"; }
  std::filesystem::path jobs() const { return root / "jobs"; }
  std::filesystem::path job(std::string_view id) const { return jobs() / id; }
  std::filesystem::path datasets() const { return root / "datasets"; }
  // Of a model's engine; a short stand-in where the plain name would not fit into a socket address.
  std::filesystem::path engine_socket(std::string_view model) const;

  Result<void> make_folders() const;  // mode 0750
};

// $HEARTH_STATE_DIR; else /var/lib/hearth where a service keeps its state there and we may read it; else
// $XDG_STATE_HOME/hearth or ~/.local/state/hearth.
StateDir default_state_dir();

// `given` made absolute, or the default when empty.
StateDir state_dir_from(std::string_view given);

}  // namespace hearth
