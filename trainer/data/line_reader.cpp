// See line_reader.h.
#include "trainer/data/line_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace hearth::train {

constexpr size_t kReadBytes = size_t{1} << 18;

Result<LineReader> LineReader::open(const std::filesystem::path& path, uint64_t max_line_bytes) {
  return LineReader(TRY(open_file(path, O_RDONLY)), path, max_line_bytes);
}

// Reads more into the buffer; false at the end of the file.
Result<bool> LineReader::fill() {
  buffer_.resize(kReadBytes);
  at_ = 0;
  for (;;) {
    const ssize_t n = ::read(fd_.get(), buffer_.data(), buffer_.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read", path_, errno);
    buffer_.resize(static_cast<size_t>(n));
    return n > 0;
  }
}

Result<bool> LineReader::next(std::string& line) {
  line.clear();
  too_long_ = false;
  bool any = false;
  for (;;) {
    if (at_ == buffer_.size() && !TRY(fill())) break;
    any = true;
    const char* begin = buffer_.data() + at_;
    const auto* end = static_cast<const char*>(std::memchr(begin, '\n', buffer_.size() - at_));
    const size_t n = end ? static_cast<size_t>(end - begin) : buffer_.size() - at_;
    if (line.size() + n > max_line_bytes_) too_long_ = true;
    if (too_long_)
      line.clear();
    else
      line.append(begin, n);
    at_ += n + (end ? 1 : 0);
    if (end) break;
  }
  if (!any) return false;
  ++line_number_;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line_number_ == 1 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
  return true;
}

bool is_utf8(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  for (size_t i = 0; i < text.size();) {
    const unsigned char first = byte(i);
    if (first < 0x80) {
      ++i;
      continue;
    }
    const int n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || i + n > text.size()) return false;
    for (int k = 1; k < n; ++k)
      if ((byte(i + k) & 0xc0) != 0x80) return false;
    const unsigned char second = byte(i + 1);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
        (first == 0xf4 && second > 0x8f))
      return false;
    i += n;
  }
  return true;
}

}  // namespace hearth::train
