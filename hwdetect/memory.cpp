// Main memory, from /proc/meminfo, and the limit that this process's control group puts on it.
#include "hwdetect/detect.h"
#include "hwdetect/sysfs.h"

namespace hearth::detail {
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

// The path after "0::" in /proc/self/cgroup (control groups version 2).
Reading<std::string> read_own_group(const fs::path& proc_root) {
  auto text = read_sysfs_text(proc_root / "self/cgroup");
  if (!text) return text;
  const size_t at = text.value->find("0::/");
  if (at == std::string::npos) return Reading<std::string>::missing("this process is in no version 2 control group");
  return Reading<std::string>::of(text.value->substr(at + 4, text.value->find('\n', at) - at - 4));
}

// The tightest memory.max from the own group up to the root.
Reading<uint64_t> read_group_limit(const DetectOptions& options) {
  auto group = read_own_group(options.proc_root);
  if (!group) return Reading<uint64_t>::missing(group.reason);
  auto limit = Reading<uint64_t>::missing("no control group limits the memory of this process");
  const fs::path root = options.sys_root / "fs/cgroup";
  for (fs::path at = *group.value; !at.empty(); at = at.parent_path()) {
    auto own = read_sysfs_number(root / at / "memory.max");  // "max" means no limit, and is no number
    if (own && (!limit || *own.value < *limit.value)) limit = own;
  }
  return limit;
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

MemoryProfile detect_memory(const DetectOptions& options) {
  return {read_meminfo(options.proc_root, "MemTotal"), read_meminfo(options.proc_root, "MemAvailable"),
          read_group_limit(options), read_huge_page_mode(options.sys_root)};
}

}  // namespace hearth::detail
