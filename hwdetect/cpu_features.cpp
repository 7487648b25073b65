// Reads the ISA flags by CPUID and counts the cores that this process may use.
#include "hwdetect/cpu_features.h"

#include <fmt/ranges.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <utility>

#include "hwdetect/isa_limit.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace hearth {
namespace {

#if defined(__x86_64__)
// XCR0 bits: which register files the operating system saves on a context switch.
constexpr unsigned kXmmYmm = 0x6;
constexpr unsigned kOpmaskZmm = 0xe0;

unsigned enabled_register_files() {
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

void read_isa(CpuFeatures& f) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return;
  const unsigned saved = enabled_register_files();
  const bool has_ymm = (saved & kXmmYmm) == kXmmYmm && (c & bit_AVX);
  if (!has_ymm) return;
  f.fma = c & bit_FMA;
  f.f16c = c & bit_F16C;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
  f.avx2 = b & bit_AVX2;
  const bool has_zmm = (saved & kOpmaskZmm) == kOpmaskZmm;
  if (has_zmm) {
    f.avx512f = b & bit_AVX512F;
    f.avx512bw = b & bit_AVX512BW;
    f.avx512vl = b & bit_AVX512VL;
    f.avx512vnni = c & bit_AVX512VNNI;
  }
  if (!__get_cpuid_count(7, 1, &a, &b, &c, &d)) return;
  f.avx_vnni = a & (1u << 4);
  if (has_zmm) f.avx512bf16 = a & (1u << 5);
}
#else
void read_isa(CpuFeatures&) {}
#endif

int read_topology_id(int cpu, const char* name, int otherwise) {
  std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/" + name);
  int id;
  return file >> id ? id : otherwise;
}

void count_cores(CpuFeatures& f) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) != 0) return;
  std::set<std::pair<int, int>> cores;  // (package, core); without sysfs every logical CPU is its own core
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &mask)) continue;
    cores.emplace(read_topology_id(cpu, "physical_package_id", -1), read_topology_id(cpu, "core_id", cpu));
  }
  if (cores.empty()) return;
  f.n_logical_cpus = CPU_COUNT(&mask);
  f.n_physical_cores = static_cast<int>(cores.size());
}

CpuFeatures read_features() {
  CpuFeatures f;
  read_isa(f);
  count_cores(f);
  return f;
}

const CpuFeatures& real_features() {
  static const CpuFeatures features = read_features();
  return features;
}
CpuFeatures& visible_features() {
  static CpuFeatures features = real_features();
  return features;
}

}  // namespace

const CpuFeatures& cpu_features() {
  return visible_features();
}

std::vector<std::string> isa_levels() {
  const CpuFeatures& f = real_features();
  std::vector<std::string> out = {"portable"};
  if (f.avx2 && f.fma && f.f16c) out.emplace_back("avx2");
  if (out.size() == 2 && f.avx512f && f.avx512bw && f.avx512vl) out.emplace_back("avx512");
  return out;
}

Result<void> limit_isa(std::string_view level) {
  const std::vector<std::string> levels = isa_levels();
  if (std::find(levels.begin(), levels.end(), level) == levels.end())
    return error(Code::invalid_argument, "the instruction set must be one that this CPU has ({}), got {}",
                 fmt::join(levels, ", "), level);
  CpuFeatures f = real_features();
  if (level != "avx512") f.avx512f = f.avx512bw = f.avx512vl = f.avx512vnni = f.avx512bf16 = false;
  if (level == "portable") f.avx2 = f.fma = f.f16c = f.avx_vnni = false;
  visible_features() = f;
  return {};
}

}  // namespace hearth
