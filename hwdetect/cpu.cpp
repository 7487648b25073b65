// The processor, from /proc/cpuinfo; its caches and memory nodes come from topology_*.cpp.
#include <algorithm>
#include <array>
#include <sstream>

#include "hwdetect/detect.h"
#include "hwdetect/sysfs.h"

namespace hearth::detail {
namespace {

// What kernels here or soon may use; the kernel's names, x86 and Arm.
constexpr std::array kExtensions = {"sse4_2",   "avx",      "f16c",     "fma",         "avx2",        "avx_vnni",
                                    "avx512f",  "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16",
                                    "amx_tile", "amx_int8", "amx_bf16", "asimd",       "asimddp",     "sve",
                                    "sve2",     "i8mm",     "bf16"};

std::vector<std::string> read_isa(const std::filesystem::path& cpuinfo) {
  auto flags = read_keyed_line(cpuinfo, "flags");
  if (!flags) flags = read_keyed_line(cpuinfo, "Features");
  if (!flags) return {};
  std::istringstream words(*flags.value);
  std::vector<std::string> found;
  for (std::string word; words >> word;)
    if (std::find(kExtensions.begin(), kExtensions.end(), word) != kExtensions.end()) found.push_back(word);
  return found;
}

Reading<int> count_online_cpus(const std::filesystem::path& sys_root) {
  const auto file = sys_root / "devices/system/cpu/online";
  auto text = read_sysfs_text(file);
  if (!text) return Reading<int>::missing(text.reason);
  int n = 0;
  std::istringstream ranges(*text.value);
  for (std::string range; std::getline(ranges, range, ',');) {
    const size_t dash = range.find('-');
    auto first = parse_number(range.substr(0, dash));
    auto last = dash == std::string::npos ? first : parse_number(range.substr(dash + 1));
    if (!first || !last || *last < *first || *last > 1 << 20)
      return Reading<int>::missing(
          fmt::format("{} holds \"{}\", expected ranges such as 0-3", file.string(), *text.value));
    n += static_cast<int>(*last - *first + 1);
  }
  return Reading<int>::of(n);
}

}  // namespace

CpuProfile detect_cpu(const DetectOptions& options) {
  CpuProfile cpu;
  const auto cpuinfo = options.proc_root / "cpuinfo";
  cpu.model = read_keyed_line(cpuinfo, "model name");
  cpu.isa = read_isa(cpuinfo);
  cpu.n_threads = count_online_cpus(options.sys_root);
  if (options.live_topology) {
    read_topology(cpu);
  } else {
    cpu.topology_reason = "topology was not asked for";
    cpu.n_packages = cpu.n_cores = Reading<int>::missing(cpu.topology_reason);
  }
  return cpu;
}

Reading<int> read_numa_node(const std::filesystem::path& device) {
  auto text = read_sysfs_text(device / "numa_node");
  if (!text) return Reading<int>::missing(text.reason);
  if (*text.value == "-1")
    return Reading<int>::missing("the platform does not say which memory node the slot belongs to");
  auto number = parse_number(*text.value);
  if (!number || *number > 4096)
    return Reading<int>::missing((device / "numa_node").string() + " is not a node number");
  return Reading<int>::of(static_cast<int>(*number));
}

}  // namespace hearth::detail
