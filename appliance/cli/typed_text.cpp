// One limit for all.
#include "appliance/cli/typed_text.h"

#include <unistd.h>

#include <array>

#include "base/files.h"
#include "base/text_encoding.h"

namespace hearth::cli {

constexpr uint64_t kMaxTextBytes = uint64_t{256} << 20;

Result<std::string> text_of_stdin() {
  Utf8Reader reader("stdin");
  std::string out;
  std::array<char, 1 << 16> piece{};
  for (;;) {
    const ssize_t n = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read", "stdin", errno);
    if (n == 0) break;
    TRY(reader.feed(std::string_view(piece.data(), static_cast<size_t>(n)), out));
    if (out.size() > kMaxTextBytes)
      return error(Code::resource_exhausted, "stdin has more than {} MiB", kMaxTextBytes >> 20);
  }
  TRY(reader.finish(out));
  return out;
}

Result<std::string> text_of_file(const std::filesystem::path& path) {
  return to_utf8(TRY(read_file(path, kMaxTextBytes)), path.string());
}

}  // namespace hearth::cli
