// Writing to a stick that systemd mounted (systemd/hearth-media@.service): it is mounted for reading only, so that it
// can be pulled out at any time. Who writes to it says so in a file; hearth-media-write@.service mounts it for writing
// for as long as that file is there.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"

namespace hearth {

enum class MountState { none, read_only, writable };
MountState mount_state(const std::filesystem::path& folder);  // of what is mounted at this very folder

struct StickOptions {
  std::filesystem::path wishes;                    // where to say so: <state>/run/write
  std::filesystem::path mounts = "/media/hearth";  // systemd's sticks, by their kernel names
  std::chrono::milliseconds limit{20'000};         // until it has to be mounted for writing
  std::function<MountState(const std::filesystem::path&)> state_of = mount_state;
};

class StickForWriting {
 public:
  // `path` can be written to while the result lives. A path that is on no such stick needs nothing.
  // failed_precondition: its filesystem stays read-only; permission_denied: the stick is not ours to write to there.
  static Result<StickForWriting> ask(const std::filesystem::path& path, const StickOptions& options);
  StickForWriting(StickForWriting&& other) noexcept : wish_(std::exchange(other.wish_, {})) {}
  StickForWriting& operator=(StickForWriting&&) = delete;
  ~StickForWriting();  // takes the wish back

 private:
  explicit StickForWriting(std::filesystem::path wish) : wish_(std::move(wish)) {}
  std::filesystem::path wish_;  // empty: there was none
};

}  // namespace hearth
