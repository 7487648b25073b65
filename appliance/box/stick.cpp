#include "appliance/box/stick.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>

#include "base/files.h"

namespace hearth {
namespace fs = std::filesystem;
namespace {

using StickClock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLookAgain{200};

// "sdb1" of /media/hearth/sdb1/folder; "" of other paths.
std::string stick_of(const fs::path& path, const fs::path& mounts) {
  const fs::path whole = path.lexically_normal();
  const auto [rest, end] = std::mismatch(mounts.begin(), mounts.end(), whole.begin(), whole.end());
  return rest == mounts.end() && end != whole.end() ? end->string() : "";
}

fs::path nearest_that_exists(fs::path path) {
  std::error_code failed;
  while (!fs::exists(path, failed) && path.has_parent_path() && path != path.parent_path()) path = path.parent_path();
  return path;
}

Result<void> check_writable_filesystem(const fs::path& path) {
  struct statvfs info {};
  if (::statvfs(nearest_that_exists(path).c_str(), &info) != 0 || (info.f_flag & ST_RDONLY) == 0) return {};
  return error(
      Code::failed_precondition,
      "{} is on a filesystem that is mounted for reading only; mount it for writing (for example with `sudo mount "
      "-o remount,rw`), or choose another folder",
      path.string());
}

Result<void> check_ours(const fs::path& path, const fs::path& mount) {
  if (::access(nearest_that_exists(path).c_str(), W_OK | X_OK) == 0) return {};
  return error(
      Code::permission_denied,
      "{} may not be written to: this stick's filesystem knows owners; choose a folder below {}, which belongs to "
      "the service",
      path.string(), (mount / "hearth").string());
}

// The kernel tells of every mount; where it cannot be asked, we look.
void wait_for_a_mount() {
  const Fd mounts(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  pollfd changed{mounts.get(), POLLPRI, 0};
  ::poll(&changed, 1, static_cast<int>(kLookAgain.count()));
}

}  // namespace

MountState mount_state(const fs::path& folder) {
  struct stat here {
  }, above{};
  struct statvfs info {};
  if (::lstat(folder.c_str(), &here) != 0 || ::stat(folder.parent_path().c_str(), &above) != 0 ||
      here.st_dev == above.st_dev || ::statvfs(folder.c_str(), &info) != 0)
    return MountState::none;
  return (info.f_flag & ST_RDONLY) != 0 ? MountState::read_only : MountState::writable;
}

Result<StickForWriting> StickForWriting::ask(const fs::path& path, const StickOptions& options) {
  const std::string stick = stick_of(path, options.mounts);
  if (stick.empty()) {
    TRY(check_writable_filesystem(path));
    return StickForWriting(fs::path());
  }
  const fs::path mount = options.mounts / stick;
  if (options.state_of(mount) == MountState::none)
    return error(Code::not_found, "no stick is mounted at {}; plug it in again", mount.string());
  TRY(make_folders(options.wishes));
  TRY_WITH(write_file(options.wishes / stick, ""), "while asking for {} to be mounted for writing", mount.string());
  StickForWriting out(options.wishes / stick);
  const auto deadline = StickClock::now() + options.limit;
  while (options.state_of(mount) != MountState::writable) {
    if (StickClock::now() >= deadline)
      return error(Code::failed_precondition,
                   "{} is mounted for reading only and was not mounted for writing within {} s; `systemctl status "
                   "hearth-media-write@{}` says why",
                   mount.string(), options.limit.count() / 1000, stick);
    wait_for_a_mount();
  }
  TRY(check_ours(path, mount));
  return out;
}

StickForWriting::~StickForWriting() {
  std::error_code ignored;
  if (!wish_.empty()) fs::remove(wish_, ignored);
}

}  // namespace hearth
