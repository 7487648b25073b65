// The whole profile: of a made-up box with known values, of one that says nothing, and of this machine.
#include "hwdetect/profile.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "hwdetect/fake_tree.h"
#include "hwdetect/nvme_health.h"

namespace hearth::profile_test {
namespace {

FakeTree full_box() {
  FakeTree tree;
  tree.file("proc/cpuinfo", "processor\t: 0\nmodel name\t: Testor 5000\nflags\t\t: fpu sse4_2 avx2 fma nonsense\n")
      .file("proc/meminfo", "MemTotal:       65536 kB\nMemFree: 1 kB\nMemAvailable:   32768 kB\n")
      .file("proc/self/cgroup", "0::/a.slice/b.service\n")
      .file("sys/fs/cgroup/a.slice/memory.max", "16777216\n")
      .file("sys/fs/cgroup/a.slice/b.service/memory.max", "max\n")
      .file("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n")
      .file("sys/devices/system/cpu/online", "0-3,8,10-11\n")
      .file("sys/block/nvme0n1/size", "2000\n")
      .file("sys/block/nvme0n1/removable", "0\n")
      .file("sys/block/nvme0n1/device/model", "Fast Drive   \n")
      .file("sys/block/nvme0n1/device/device/numa_node", "1\n")
      .file("sys/block/sda/size", "4000\n")
      .file("sys/block/sda/queue/rotational", "1\n")
      .file("sys/block/sda/removable", "1\n")
      .file("sys/block/vda/size", "4000\n")
      .file("sys/block/vda/queue/rotational", "1\n")
      .file("sys/block/loop0/size", "8\n")
      .file("sys/block/sdb/size", "0\n")
      .file("sys/bus/pci/devices/0000:01:00.0/class", "0x030200\n")
      .file("sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n")
      .file("sys/bus/pci/devices/0000:01:00.0/max_link_speed", "32.0 GT/s PCIe\n")
      .file("sys/bus/pci/devices/0000:01:00.0/max_link_width", "16\n")
      .file("sys/bus/pci/devices/0000:01:00.0/numa_node", "-1\n")
      .file("sys/bus/pci/devices/0000:03:00.0/class", "0x030000\n")
      .file("sys/bus/pci/devices/0000:03:00.0/vendor", "0x1002\n")
      .file("sys/bus/pci/devices/0000:03:00.0/mem_info_vram_total", "17163091968\n")
      .link("sys/bus/pci/devices/0000:03:00.0/driver", "../../drivers/amdgpu")
      .file("sys/bus/pci/devices/0000:05:00.0/class", "0x030000\n")
      .file("sys/bus/pci/devices/0000:05:00.0/vendor", "0x1234\n")
      .file("sys/bus/pci/devices/0000:06:00.0/class", "0x020000\n")
      .file("sys/bus/pci/devices/0000:06:00.0/vendor", "0x8086\n");
  return tree;
}

TEST(HardwareProfile, ReadsTheCpu) {
  FakeTree tree = full_box();
  auto profile = detect(tree.options());
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->cpu.model.value, "Testor 5000");
  EXPECT_EQ(profile->cpu.isa, (std::vector<std::string>{"sse4_2", "avx2", "fma"}));
  EXPECT_EQ(profile->cpu.n_threads.value, 7);
}

TEST(HardwareProfile, ReadsMemoryAndItsTightestLimit) {
  FakeTree tree = full_box();
  auto profile = detect(tree.options());
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->memory.total_bytes.value, 65536u * 1024);
  EXPECT_EQ(profile->memory.available_bytes.value, 16777216u) << "never more than the tightest limit leaves";
  EXPECT_EQ(profile->memory.limit_bytes.value, 16777216u);
  EXPECT_EQ(profile->memory.transparent_huge_pages.value, "madvise");
}

TEST(HardwareProfile, ListsDisksThatHoldData) {
  FakeTree tree = full_box();
  auto profile = detect(tree.options());
  ASSERT_TRUE(profile);
  ASSERT_EQ(profile->disks.size(), 3u);
  const DiskProfile &nvme = profile->disks[0], &hdd = profile->disks[1];
  EXPECT_EQ(nvme.kind, "nvme");
  EXPECT_EQ(nvme.model.value, "Fast Drive");
  EXPECT_EQ(nvme.size_bytes.value, 2000u * 512);
  EXPECT_EQ(nvme.numa_node.value, 1);
  EXPECT_FALSE(nvme.health);
  EXPECT_NE(nvme.health.reason.find("dev/nvme0"), std::string::npos) << nvme.health.reason;
  EXPECT_EQ(hdd.kind, "hdd");
  EXPECT_EQ(hdd.removable.value, true);
  EXPECT_FALSE(hdd.model);
  EXPECT_FALSE(hdd.model.reason.empty());
  EXPECT_EQ(profile->disks[2].kind, "virtual");
}

TEST(HardwareProfile, ListsGpusOfTheBusWithoutADriver) {
  FakeTree tree = full_box();
  auto profile = detect(tree.options());
  ASSERT_TRUE(profile);
  EXPECT_NE(profile->gpu_reason.find("no NVIDIA driver"), std::string::npos) << profile->gpu_reason;
  ASSERT_EQ(profile->gpus.size(), 2u);  // neither the virtual display nor the network card
  const GpuProfile &nvidia = profile->gpus[0], &amd = profile->gpus[1];
  EXPECT_EQ(nvidia.vendor, "NVIDIA");
  EXPECT_EQ(nvidia.pcie_generation.value, 5);
  EXPECT_EQ(nvidia.pcie_width.value, 16);
  EXPECT_FALSE(nvidia.numa_node);
  EXPECT_FALSE(nvidia.memory_bytes);
  EXPECT_EQ(amd.memory_bytes.value, 17163091968u);
  EXPECT_EQ(amd.driver.value, "amdgpu");
}

TEST(HardwareProfile, NvmlIsPreferredAndWhatItLacksHasAReason) {
  FakeTree tree = full_box();
  DetectOptions options = tree.options();
  options.nvml_library = HEARTH_FAKE_NVML;
  auto profile = detect(options);
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->gpu_reason, "");
  ASSERT_EQ(profile->gpus.size(), 2u);  // NVML's one, and AMD's from the bus
  const GpuProfile& gpu = profile->gpus[0];
  EXPECT_EQ(gpu.source, "nvml");
  EXPECT_EQ(gpu.name.value, "Pretend 9000");
  EXPECT_EQ(gpu.driver.value, "nvidia 999.1");
  EXPECT_EQ(gpu.compute_capability.value, "9.0");
  EXPECT_EQ(gpu.memory_bytes.value, 24ull << 30);
  EXPECT_EQ(gpu.pci_address, "0000:65:00.0");
  EXPECT_NE(gpu.pcie_generation.reason.find("not supported"), std::string::npos);
  EXPECT_NE(gpu.pcie_width.reason.find("has no nvmlDeviceGetMaxPcieLinkWidth"), std::string::npos);
}

TEST(HardwareProfile, ASilentBoxIsAllNullsWithReasons) {
  FakeTree tree;
  auto profile = detect(tree.options());
  ASSERT_TRUE(profile);
  EXPECT_FALSE(profile->cpu.model);
  EXPECT_FALSE(profile->cpu.model.reason.empty());
  EXPECT_FALSE(profile->memory.total_bytes);
  EXPECT_FALSE(profile->memory.total_bytes.reason.empty());
  EXPECT_FALSE(profile->memory.limit_bytes);
  EXPECT_TRUE(profile->gpus.empty());
  EXPECT_TRUE(profile->disks.empty());
}

TEST(HardwareProfile, NonsenseIsNotGuessedAt) {
  FakeTree tree;
  tree.file("proc/meminfo", "MemTotal: lots kB\nMemAvailable: 12 pages\n")
      .file("sys/devices/system/cpu/online", "7-3\n");
  auto profile = detect(tree.options());
  ASSERT_TRUE(profile);
  EXPECT_FALSE(profile->memory.total_bytes);
  EXPECT_FALSE(profile->memory.available_bytes);
  EXPECT_FALSE(profile->cpu.n_threads);
}

TEST(HardwareProfile, NeedsProcAndSys) {
  FakeTree tree;
  DetectOptions options = tree.options();
  options.sys_root = tree.path() / "absent";
  auto profile = detect(options);
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().code, Code::failed_precondition);
}

TEST(HardwareProfile, TravelsAsJson) {
  FakeTree tree = full_box();
  auto profile = detect(tree.options());
  ASSERT_TRUE(profile);
  const Json json = to_json_value(*profile);
  EXPECT_EQ(json["cpu"]["model"]["value"], "Testor 5000");
  EXPECT_TRUE(json["gpus"][0]["name"]["value"].is_null());
  auto back = from_json<HardwareProfile>(json);
  ASSERT_TRUE(back) << back.error().to_string();
  EXPECT_EQ(to_json_value(*back), json);
}

TEST(HardwareProfile, OfThisMachine) {
  auto profile = detect({});
  ASSERT_TRUE(profile) << profile.error().to_string();
  ASSERT_TRUE(profile->memory.total_bytes) << profile->memory.total_bytes.reason;
  EXPECT_LE(*profile->memory.available_bytes.value, *profile->memory.total_bytes.value);
  ASSERT_TRUE(profile->cpu.n_threads) << profile->cpu.n_threads.reason;
  EXPECT_EQ(*profile->cpu.n_threads.value, ::sysconf(_SC_NPROCESSORS_ONLN));
  for (const CacheLevel& cache : profile->cpu.caches) EXPECT_GE(cache.n_instances, 1);
}

TEST(NvmeHealth, IsReadFromTheLog) {
  std::array<uint8_t, detail::kNvmeHealthBytes> log{};
  log[0] = 1;
  log[1] = 0x39, log[2] = 0x01;  // 313 K
  log[3] = 97;
  log[5] = 12;
  log[48] = 2;
  log[160] = 5;
  const DiskHealth health = detail::parse_nvme_health(log);
  EXPECT_TRUE(health.critical_warning);
  EXPECT_EQ(health.temperature_celsius, 40);
  EXPECT_EQ(health.available_spare_percent, 97);
  EXPECT_EQ(health.percentage_used, 12);
  EXPECT_EQ(health.written_bytes, 1024000u);
  EXPECT_EQ(health.media_errors, 5u);
}

}  // namespace
}  // namespace hearth::profile_test
