// A file written into a folder that strangers may have prepared, such as a stick: everything goes through the folder's
// descriptor and a random name that must not exist, so no link that lies there is ever followed.
#pragma once

#include "base/files.h"

namespace hearth::store {

// `folder` must stay open; `shown` is its path, for errors. A file that is not published removes itself.
class NewFile {
 public:
  static Result<NewFile> create(int folder, std::filesystem::path shown);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();
  const Fd& fd() const { return fd_; }
  // Durable, then visible under its name; what had the name before (a link too) is replaced.
  Result<void> publish(const std::string& name);

 private:
  NewFile(int folder, std::filesystem::path shown, std::string temporary, Fd fd);
  int folder_;
  std::filesystem::path shown_;
  std::string temporary_;  // empty: nothing to remove
  Fd fd_;
};

Result<void> write_new_file(int folder, const std::filesystem::path& shown, const std::string& name,
                            std::string_view bytes);

}  // namespace hearth::store
