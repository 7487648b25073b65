#include "hwdetect/sysfs.h"

#include <algorithm>
#include <charconv>

#include "base/files.h"

namespace hearth {
namespace fs = std::filesystem;
namespace {
constexpr uint64_t kMaxBytes = uint64_t{4} << 20;  // /proc/cpuinfo of a box with a thousand threads is about 1.5 MB
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

Result<uint64_t> parse_number(std::string_view text) {
  const bool is_hex = text.starts_with("0x");
  const std::string_view digits = is_hex ? text.substr(2) : text;
  uint64_t number = 0;
  auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), number, is_hex ? 16 : 10);
  if (status != std::errc() || end != digits.data() + digits.size())
    return error(Code::invalid_argument, "expected a number, got \"{}\"", text.substr(0, 80));
  return number;
}

Reading<std::string> read_sysfs_text(const fs::path& file) {
  auto text = read_file(file, kMaxBytes);
  if (!text) return Reading<std::string>::missing(text.error().to_string());
  const std::string_view value = trim(*text);
  if (value.empty()) return Reading<std::string>::missing(file.string() + " is empty");
  return Reading<std::string>::of(std::string(value));
}

Reading<uint64_t> read_sysfs_number(const fs::path& file) {
  auto text = read_sysfs_text(file);
  if (!text) return Reading<uint64_t>::missing(text.reason);
  auto number = parse_number(*text.value);
  if (!number) return Reading<uint64_t>::missing(file.string() + ": " + number.error().to_string());
  return Reading<uint64_t>::of(*number);
}

Reading<std::string> read_keyed_line(const fs::path& file, std::string_view key) {
  auto text = read_file(file, kMaxBytes);
  if (!text) return Reading<std::string>::missing(text.error().to_string());
  std::string_view rest = *text;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || trim(line.substr(0, colon)) != key) continue;
    return Reading<std::string>::of(std::string(trim(line.substr(colon + 1))));
  }
  return Reading<std::string>::missing(fmt::format("{} has no line \"{}\"", file.string(), key));
}

std::vector<std::string> list_folder(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ec;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec))
    names.push_back(it->path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

Reading<std::string> read_link_name(const fs::path& link) {
  std::error_code ec;
  const fs::path target = fs::read_symlink(link, ec);
  if (ec) return Reading<std::string>::missing(link.string() + ": " + ec.message());
  return Reading<std::string>::of(target.filename());
}

}  // namespace hearth
