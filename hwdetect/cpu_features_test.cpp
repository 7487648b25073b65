// The flags must agree with what the kernel tells about the same CPU.
#include "hwdetect/cpu_features.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "hwdetect/isa_limit.h"

namespace hearth::cpu_features_test {
namespace {

std::set<std::string> kernel_flags() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string line;
  while (std::getline(cpuinfo, line)) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    return {std::istream_iterator<std::string>(words), {}};
  }
  return {};
}

TEST(CpuFeatures, AgreeWithTheKernel) {
  const auto flags = kernel_flags();
  if (flags.empty()) GTEST_SKIP() << "/proc/cpuinfo has no flags line here";
  const CpuFeatures& f = cpu_features();
  EXPECT_EQ(f.avx2, flags.contains("avx2"));
  EXPECT_EQ(f.fma, flags.contains("fma"));
  EXPECT_EQ(f.f16c, flags.contains("f16c"));
  EXPECT_EQ(f.avx512f, flags.contains("avx512f"));
  EXPECT_EQ(f.avx512bw, flags.contains("avx512bw"));
  EXPECT_EQ(f.avx512vl, flags.contains("avx512vl"));
  EXPECT_EQ(f.avx512vnni, flags.contains("avx512_vnni"));
  EXPECT_EQ(f.avx512bf16, flags.contains("avx512_bf16"));
  EXPECT_EQ(f.avx_vnni, flags.contains("avx_vnni"));
}

TEST(CpuFeatures, CoresAreCounted) {
  const CpuFeatures& f = cpu_features();
  EXPECT_GE(f.n_physical_cores, 1);
  EXPECT_GE(f.n_logical_cpus, f.n_physical_cores);
  EXPECT_LE(f.n_logical_cpus, ::sysconf(_SC_NPROCESSORS_CONF));
}

TEST(CpuFeatures, SameObjectEveryTime) {
  EXPECT_EQ(&cpu_features(), &cpu_features());
}

TEST(IsaLimit, HidesWhatIsAboveTheLevelAndComesBack) {
  const CpuFeatures before = cpu_features();
  const std::vector<std::string> levels = isa_levels();
  ASSERT_EQ(levels.front(), "portable");
  ASSERT_TRUE(limit_isa("portable"));
  EXPECT_FALSE(cpu_features().avx2 || cpu_features().fma || cpu_features().avx512f);
  EXPECT_EQ(isa_levels(), levels);
  EXPECT_EQ(cpu_features().n_physical_cores, before.n_physical_cores);
  for (const std::string& level : levels) {
    ASSERT_TRUE(limit_isa(level));
    EXPECT_EQ(cpu_features().avx2, level != "portable");
    EXPECT_EQ(cpu_features().avx512f && cpu_features().avx512bw, level == "avx512");
  }
  EXPECT_EQ(cpu_features().avx512vnni, before.avx512vnni);
}

TEST(IsaLimit, RefusesWhatThisCpuHasNot) {
  const CpuFeatures before = cpu_features();
  for (const char* level : {"", "AVX2", "sse2", "avx1024"}) {
    const Result<void> result = limit_isa(level);
    ASSERT_FALSE(result) << level;
    EXPECT_EQ(result.error().code, Code::invalid_argument);
    EXPECT_NE(result.error().to_string().find("portable"), std::string::npos) << result.error().to_string();
  }
  EXPECT_EQ(cpu_features().avx2, before.avx2);
}

}  // namespace
}  // namespace hearth::cpu_features_test
