// /proc/meminfo, and memory.max of the cgroup that we are in (version 2).
#include "appliance/box/memory.h"

#include <algorithm>
#include <cstdlib>

#include "base/files.h"

namespace hearth {
namespace {

uint64_t meminfo(std::string_view name) {
  auto text = read_file("/proc/meminfo");
  size_t at = text ? text->find(std::string(name) + ":") : std::string::npos;
  if (at == std::string::npos) return 0;
  return std::strtoull(text->c_str() + at + name.size() + 1, nullptr, 10) * 1024;
}

// UINT64_MAX where there is no limit.
uint64_t cgroup_value(const std::filesystem::path& group, const char* name) {
  auto text = read_file(group / name);
  if (!text || text->empty() || text->starts_with("max")) return UINT64_MAX;
  return std::strtoull(text->c_str(), nullptr, 10);
}

std::filesystem::path own_cgroup() {
  auto text = read_file("/proc/self/cgroup");
  if (!text || !text->starts_with("0::/")) return {};
  return std::filesystem::path("/sys/fs/cgroup") / text->substr(4, text->find('\n') - 4);
}

}  // namespace

uint64_t total_memory_bytes() {
  return std::min(meminfo("MemTotal"), cgroup_value(own_cgroup(), "memory.max"));
}

uint64_t available_memory_bytes() {
  uint64_t machine = meminfo("MemAvailable");
  std::filesystem::path group = own_cgroup();
  uint64_t limit = cgroup_value(group, "memory.max"), used = cgroup_value(group, "memory.current");
  if (limit == UINT64_MAX || used == UINT64_MAX) return machine;
  return std::min(machine, limit > used ? limit - used : 0);
}

}  // namespace hearth
