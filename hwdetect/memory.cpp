// Main memory, from /proc/meminfo, and the limits that control groups put on it.
#include "hwdetect/memory.h"

#include <algorithm>
#include <vector>

#include "base/files.h"
#include "hwdetect/detect.h"
#include "hwdetect/sysfs.h"

namespace hearth {
namespace fs = std::filesystem;
namespace {

Reading<uint64_t> read_meminfo(const fs::path& proc_root, std::string_view key) {
  auto text = read_keyed_line(proc_root / "meminfo", key);
  if (!text) return Reading<uint64_t>::missing(text.reason);
  std::string_view number = *text.value;
  if (!number.ends_with(" kB"))
    return Reading<uint64_t>::missing(fmt::format("{} in meminfo is \"{}\", expected kB", key, number));
  auto kib = parse_number(trim(number.substr(0, number.size() - 3)));
  if (!kib || *kib > (uint64_t{1} << 50))
    return Reading<uint64_t>::missing(fmt::format("{} in meminfo is not a number", key));
  return Reading<uint64_t>::of(*kib * 1024);
}

// How the two versions name the same things.
struct Names {
  const char *folder, *limit, *used, *inactive_cache, *active_cache;
};
constexpr Names kVersion2 = {"fs/cgroup", "memory.max", "memory.current", "inactive_file", "active_file"};
constexpr Names kVersion1 = {"fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                             "total_inactive_file", "total_active_file"};
// "No limit" in version 1 is the largest number of whole pages.
constexpr uint64_t kNoLimit = uint64_t{1} << 60;

struct Group {
  const Names* names;
  fs::path path;  // below the version's folder
};

// The groups that count memory for this process: lines "0::/path" and "4:memory:/path" of /proc/self/cgroup.
std::vector<Group> own_groups(const fs::path& proc_root) {
  std::vector<Group> out;
  const std::string text = read_sysfs_text(proc_root / "self/cgroup").value.value_or("");
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    const size_t first = line.find(':'), second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos || !line.substr(second + 1).starts_with('/')) continue;
    const std::string controllers = fmt::format(",{},", line.substr(first + 1, second - first - 1));
    const fs::path path = line.substr(second + 2);
    if (line.starts_with("0::")) out.push_back({&kVersion2, path});
    if (controllers.find(",memory,") != controllers.npos) out.push_back({&kVersion1, path});
  }
  return out;
}

// A number of memory.stat, "name 123" a line.
uint64_t read_stat(const fs::path& group, std::string_view name) {
  const std::string text = "\n" + read_sysfs_text(group / "memory.stat").value.value_or("");
  const std::string key = fmt::format("\n{} ", name);
  const size_t at = text.find(key);
  if (at == std::string::npos) return 0;
  const size_t begin = at + key.size();
  return parse_number(trim(std::string_view(text).substr(begin, text.find('\n', begin) - begin))).value_or(0);
}

struct GroupMemory {
  uint64_t limit = kNoLimit, left = kNoLimit;  // the least of all groups
};

// From the own group up to the root: each may have a limit, and every one counts.
void look_at(const Group& group, const fs::path& sys_root, GroupMemory& out) {
  const fs::path root = sys_root / group.names->folder;
  for (fs::path at = group.path;; at = at.parent_path()) {
    const fs::path folder = root / at;
    const auto limit = read_sysfs_number(folder / group.names->limit);  // "max" is no number
    const auto used = read_sysfs_number(folder / group.names->used);
    if (limit && *limit.value < kNoLimit) {
      out.limit = std::min(out.limit, *limit.value);
      const uint64_t cache =
          read_stat(folder, group.names->inactive_cache) + read_stat(folder, group.names->active_cache);
      const uint64_t held = used && *used.value > cache ? *used.value - cache : 0;
      out.left = std::min(out.left, *limit.value > held ? *limit.value - held : 0);
    }
    if (at.empty()) return;
  }
}

GroupMemory group_memory(const DetectOptions& options) {
  GroupMemory out;
  for (const Group& group : own_groups(options.proc_root)) look_at(group, options.sys_root, out);
  return out;
}

Reading<uint64_t> at_most(Reading<uint64_t> reading, uint64_t limit) {
  if (reading) reading.value = std::min(*reading.value, limit);
  return reading;
}

// "always [madvise] never" → madvise
Reading<std::string> read_huge_page_mode(const fs::path& sys_root) {
  auto text = read_sysfs_text(sys_root / "kernel/mm/transparent_hugepage/enabled");
  if (!text) return text;
  const size_t open = text.value->find('['), close = text.value->find(']');
  if (open == std::string::npos || close == std::string::npos || close < open)
    return Reading<std::string>::missing(fmt::format("expected a choice in brackets, got \"{}\"", *text.value));
  return Reading<std::string>::of(text.value->substr(open + 1, close - open - 1));
}

}  // namespace

MemoryNow memory_now(const DetectOptions& options) {
  const GroupMemory group = group_memory(options);
  return {at_most(read_meminfo(options.proc_root, "MemTotal"), group.limit),
          at_most(read_meminfo(options.proc_root, "MemAvailable"), group.left)};
}

uint64_t total_memory_bytes() {
  return memory_now().total_bytes.value.value_or(0);
}
uint64_t available_memory_bytes() {
  return memory_now().available_bytes.value.value_or(0);
}

MemoryProfile detail::detect_memory(const DetectOptions& options) {
  const GroupMemory group = group_memory(options);
  auto limit = group.limit < kNoLimit
                   ? Reading<uint64_t>::of(group.limit)
                   : Reading<uint64_t>::missing("no control group limits the memory of this process");
  return {read_meminfo(options.proc_root, "MemTotal"), memory_now(options).available_bytes, std::move(limit),
          read_huge_page_mode(options.sys_root)};
}

}  // namespace hearth
