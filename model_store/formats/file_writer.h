// A large file written piece by piece: complete and durable under its name, or not there at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "base/check.h"
#include "base/files.h"
#include "base/result.h"

namespace hearth {

class FileWriter {
 public:
  static Result<FileWriter> create(const std::filesystem::path& path);  // the folder must exist
  FileWriter(FileWriter&& other) noexcept
      : path_(std::move(other.path_)),
        temporary_(std::exchange(other.temporary_, {})),
        fd_(std::move(other.fd_)),
        size_(other.size_) {}
  FileWriter& operator=(FileWriter&&) = delete;
  ~FileWriter();  // without finish(): the temporary is removed

  Result<void> write(std::span<const std::byte> bytes);
  Result<void> write(std::string_view text) { return write(std::as_bytes(std::span(text))); }
  Result<void> pad_to(uint64_t alignment);  // zeros
  uint64_t size() const { return size_; }
  Result<void> finish();  // flush, rename, flush the folder

 private:
  FileWriter(std::filesystem::path path, std::string temporary, Fd fd)
      : path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd)) {}
  std::filesystem::path path_;
  std::string temporary_;
  Fd fd_;
  uint64_t size_ = 0;
};

// A tensor that has `stream` or `bytes`, which must amount to n_bytes.
template <class T>
Result<void> write_tensor(FileWriter& file, const T& tensor, uint64_t n_bytes) {
  const uint64_t begin = file.size();
  if (tensor.stream) {
    TRY(tensor.stream([&file](std::span<const std::byte> piece) { return file.write(piece); }));
  } else {
    TRY(file.write(TRY(tensor.bytes())));
  }
  CHECK(file.size() - begin == n_bytes);
  return {};
}

}  // namespace hearth
