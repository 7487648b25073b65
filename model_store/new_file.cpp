// openat with O_EXCL and O_NOFOLLOW, fsync, renameat, fsync of the folder.
#include "model_store/new_file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>

namespace hearth::store {
namespace fs = std::filesystem;

NewFile::NewFile(int folder, fs::path shown, std::string temporary, Fd fd)
    : folder_(folder), shown_(std::move(shown)), temporary_(std::move(temporary)), fd_(std::move(fd)) {}

NewFile::NewFile(NewFile&& other) noexcept
    : folder_(other.folder_),
      shown_(std::move(other.shown_)),
      temporary_(std::exchange(other.temporary_, {})),
      fd_(std::move(other.fd_)) {}

NewFile::~NewFile() {
  if (!temporary_.empty()) ::unlinkat(folder_, temporary_.c_str(), 0);
}

Result<NewFile> NewFile::create(int folder, fs::path shown) {
  uint64_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random) return errno_error("name a file in", shown, errno);
  std::string name = fmt::format(".hearth-{:016x}", random);
  Fd fd(::openat(folder, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd.valid()) return errno_error("create", shown / name, errno);
  return NewFile(folder, std::move(shown), std::move(name), std::move(fd));
}

Result<void> NewFile::publish(const std::string& name) {
  if (::fsync(fd_.get()) != 0) return errno_error("flush", shown_ / name, errno);
  if (::renameat(folder_, temporary_.c_str(), folder_, name.c_str()) != 0)
    return errno_error("rename to", shown_ / name, errno);
  temporary_.clear();
  if (::fsync(folder_) != 0) return errno_error("flush folder", shown_, errno);
  return {};
}

Result<void> write_new_file(int folder, const fs::path& shown, const std::string& name, std::string_view bytes) {
  NewFile file = TRY(NewFile::create(folder, shown));
  TRY(write_all(file.fd().get(), std::as_bytes(std::span(bytes)), shown / name));
  return file.publish(name);
}

}  // namespace hearth::store
