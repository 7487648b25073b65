// What may be used now, on made-up boxes: no control group, version 2, version 1, both, limits at any level.
#include "hwdetect/memory.h"

#include <gtest/gtest.h>

#include "hwdetect/fake_tree.h"

namespace hearth::memory_test {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

FakeTree box() {
  FakeTree tree;
  tree.file("proc/meminfo", "MemTotal:       1048576 kB\nMemFree: 1 kB\nMemAvailable:   524288 kB\n");
  return tree;
}
FakeTree& group(FakeTree& tree, const std::string& folder, uint64_t limit, uint64_t used,
                const std::string& stat = "") {
  tree.file("sys/fs/cgroup/" + folder + "/memory.max", std::to_string(limit) + "\n")
      .file("sys/fs/cgroup/" + folder + "/memory.current", std::to_string(used) + "\n");
  if (!stat.empty()) tree.file("sys/fs/cgroup/" + folder + "/memory.stat", stat);
  return tree;
}
FakeTree& group_v1(FakeTree& tree, const std::string& folder, uint64_t limit, uint64_t used, const std::string& stat) {
  return tree.file("sys/fs/cgroup/memory/" + folder + "/memory.limit_in_bytes", std::to_string(limit) + "\n")
      .file("sys/fs/cgroup/memory/" + folder + "/memory.usage_in_bytes", std::to_string(used) + "\n")
      .file("sys/fs/cgroup/memory/" + folder + "/memory.stat", stat);
}
uint64_t available(const FakeTree& tree) {
  return memory_now(tree.options()).available_bytes.value.value_or(0) / kMiB;
}
uint64_t total(const FakeTree& tree) {
  return memory_now(tree.options()).total_bytes.value.value_or(0) / kMiB;
}

TEST(Memory, WithoutGroupsIsTheMachines) {
  EXPECT_EQ(total(box()), 1024u);
  EXPECT_EQ(available(box()), 512u);
}

TEST(Memory, OfAVersion2GroupCountsItsCacheAsAvailable) {
  FakeTree tree = box();
  tree.file("proc/self/cgroup", "0::/a.slice/b.service\n");
  group(tree, "a.slice/b.service", 400 * kMiB, 300 * kMiB, "anon 1\ninactive_file 52428800\nactive_file 104857600\n");
  EXPECT_EQ(total(tree), 400u);
  EXPECT_EQ(available(tree), 250u);
}

TEST(Memory, TheTightestOfAllLevelsCounts) {
  FakeTree tree = box();
  tree.file("proc/self/cgroup", "0::/a/b/c\n").file("sys/fs/cgroup/a/b/c/memory.max", "max\n");
  group(tree, "a/b", 300 * kMiB, 250 * kMiB);
  group(tree, "a", 350 * kMiB, 340 * kMiB);
  EXPECT_EQ(total(tree), 300u);
  EXPECT_EQ(available(tree), 10u);
}

TEST(Memory, InAContainerTheLimitIsAtTheRoot) {
  FakeTree tree = box();
  tree.file("proc/self/cgroup", "0::/\n");
  group(tree, "", 128 * kMiB, 28 * kMiB);
  EXPECT_EQ(total(tree), 128u);
  EXPECT_EQ(available(tree), 100u);
}

TEST(Memory, OfAVersion1GroupIsRead) {
  FakeTree tree = box();
  tree.file("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/1\n1:name=systemd:/x\n");
  group_v1(tree, "docker/1", 200 * kMiB, 150 * kMiB, "inactive_file 1\ntotal_inactive_file 52428800\n");
  group_v1(tree, "docker", 9223372036854771712u, 900 * kMiB, "");
  EXPECT_EQ(total(tree), 200u);
  EXPECT_EQ(available(tree), 100u);
}

TEST(Memory, BothVersionsAtOnceCount) {
  FakeTree tree = box();
  tree.file("proc/self/cgroup", "4:hugetlb,memory:/x\n0::/y\n");
  group_v1(tree, "x", 200 * kMiB, 150 * kMiB, "");
  group(tree, "y", 220 * kMiB, 200 * kMiB);
  EXPECT_EQ(total(tree), 200u);
  EXPECT_EQ(available(tree), 20u);
}

TEST(Memory, AGroupThatIsFullHasNothingLeft) {
  FakeTree tree = box();
  tree.file("proc/self/cgroup", "0::/a\n");
  group(tree, "a", 100 * kMiB, 120 * kMiB);
  EXPECT_EQ(available(tree), 0u);
}

TEST(Memory, NonsenseInGroupsIsNoLimit) {
  FakeTree tree = box();
  tree.file("proc/self/cgroup", "0::/a\nx\n:\n::\n7:memory\n").file("sys/fs/cgroup/a/memory.max", "much\n");
  EXPECT_EQ(total(tree), 1024u);
  EXPECT_EQ(available(tree), 512u);
}

TEST(Memory, WithoutMeminfoIsMissingWithAReason) {
  FakeTree tree;
  EXPECT_FALSE(memory_now(tree.options()).available_bytes);
  EXPECT_FALSE(memory_now(tree.options()).available_bytes.reason.empty());
}

TEST(Memory, OfThisMachine) {
  EXPECT_GT(total_memory_bytes(), 0u);
  EXPECT_LE(available_memory_bytes(), total_memory_bytes());
}

}  // namespace
}  // namespace hearth::memory_test
