// Reading what a worker appends to its job folder while it appends.
#pragma once

#include "base/describe.h"
#include "base/files.h"

namespace hearth {

constexpr uint64_t kMaxJobFileBytes = uint64_t{64} << 20;

// One described object a line. A file that is not there yet is empty; a last line without its end is not there yet either.
template <class T>
Result<std::vector<T>> read_job_lines(const std::filesystem::path& file) {
  std::vector<T> out;
  Result<std::string> text = read_file(file, kMaxJobFileBytes);
  if (!text && text.error().code == Code::not_found) return out;
  if (!text) return std::move(text).error();
  std::string_view rest = *text;
  for (size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (line.empty()) continue;
    auto json = parse_json(line);
    if (!json) continue;  // cut by a crash of its writer
    if (auto item = from_json<T>(*json)) out.push_back(std::move(*item));
  }
  return out;
}

}  // namespace hearth
