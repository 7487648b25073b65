// See memory_budget.h.
#include "trainer/memory_budget.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string>

#include "base/files.h"

namespace hearth::train {
namespace {

std::optional<uint64_t> number_at(std::string_view text) {
  const size_t begin = text.find_first_of("0123456789");
  uint64_t value = 0;
  if (begin == std::string_view::npos || std::from_chars(text.data() + begin, text.data() + text.size(), value).ec != std::errc()) return std::nullopt;
  return value;
}

uint64_t machine_available_bytes() {
  const auto text = read_file("/proc/meminfo");
  if (!text) return 0;
  const size_t at = text->find("MemAvailable:");
  return at == std::string::npos ? 0 : number_at(std::string_view(*text).substr(at)).value_or(0) * 1024;
}

// Limits may be set at any level of the control group's path; "max" means none.
uint64_t group_available_bytes() {
  uint64_t least = UINT64_MAX;
  const auto own = read_file("/proc/self/cgroup");
  const size_t at = own ? own->find("0::/") : std::string::npos;
  if (at == std::string::npos) return least;
  std::string path = own->substr(at + 3, own->find('\n', at) - at - 3);
  for (;;) {
    const std::filesystem::path folder = "/sys/fs/cgroup" + path;
    const auto max = read_file(folder / "memory.max"), current = read_file(folder / "memory.current");
    const auto limit = max ? number_at(*max) : std::nullopt, used = current ? number_at(*current) : std::nullopt;
    if (limit && used) least = std::min(least, *limit > *used ? *limit - *used : 0);
    if (path.size() <= 1) return least;
    path = path.substr(0, path.rfind('/'));
  }
}

}  // namespace

uint64_t available_memory_bytes() {
  const uint64_t machine = machine_available_bytes();
  return machine == 0 ? 0 : std::min(machine, group_available_bytes());
}

Result<void> check_memory(uint64_t needed_bytes, std::string_view what) {
  const uint64_t available = available_memory_bytes();
  if (available == 0 || needed_bytes <= available) return {};
  constexpr double kMiB = 1024.0 * 1024.0;
  return error(Code::resource_exhausted,
               "{} needs {:.0f} MiB of memory, {:.0f} MiB are available; lower batch.rows or data.max_seq_len, set batch.recompute = true, "
               "or use method.type = \"lora\"",
               what, static_cast<double>(needed_bytes) / kMiB, static_cast<double>(available) / kMiB);
}

}  // namespace hearth::train
