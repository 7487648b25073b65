// A real filesystem as the USB stick: an ext4 image behind a loop device, mounted, filled, pulled out half-way. Skipped
// with a line that says so where mounting is not allowed.
#include <sys/mount.h>
#include <sys/stat.h>

#include <cstdlib>

#include "model_store/store_test_support.h"

namespace hearth::store::stick_test {
namespace {
namespace fs = std::filesystem;
using namespace test;

bool run(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

// An ext4 image that can be mounted, unmounted and damaged while it is mounted.
class Stick {
 public:
  Stick(const fs::path& folder, uint64_t bytes) : image_(folder / "stick.img"), mount_(folder / "media") {
    must(make_folders(mount_));
    must(write_file(image_, ""));
    fs::resize_file(image_, bytes);
    works_ = run("mkfs.ext4 -q -F -m 0 " + image_.string()) && mount("rw");
  }
  ~Stick() { unmount(); }
  bool works() const { return works_; }
  const fs::path& path() const { return mount_; }
  bool mount(const std::string& how) {
    return run("mount -o loop," + how + " " + image_.string() + " " + mount_.string());
  }
  void unmount() { run("umount -l " + mount_.string()); }
  // What the kernel sees when a stick is pulled out: reads beyond the first bytes fail.
  void pull_out() { fs::resize_file(image_, 64 << 10); }

 private:
  fs::path image_, mount_;
  bool works_ = false;
};

struct StickTest : ::testing::Test {
  Bench bench;
  TempFolder disk = must(TempFolder::create("stick_test"));
};

#define NEED(stick)     \
  if (!(stick).works()) \
  GTEST_SKIP() << "making and mounting an ext4 image is not possible here (needs root and loop devices)"

TEST_F(StickTest, APackTravelsOnAStick) {
  Stick stick(disk.path(), 32 << 20);
  NEED(stick);
  std::string digest = bench.make_pack("m", 1, 4 << 20);
  Store maker = must(Store::open(bench.folder.path() / "maker", Mode::read_write));
  must(maker.export_pack("m", stick.path() / "packs", {.signing_key = bench.key}));
  stick.unmount();
  ASSERT_TRUE(stick.mount("ro"));
  Store store = bench.open();
  std::vector<PackSummary> packs = must(store.scan(stick.path()));
  ASSERT_EQ(packs.size(), 1u);
  EXPECT_EQ(packs[0].trust, Trust::trusted) << packs[0].problem;
  EXPECT_EQ(must(store.install(stick.path(), digest)).name, "m");
  ASSERT_OK(store.verify("m"));
}

TEST_F(StickTest, AFullStickIsRefusedAndKeepsWhatItHeld) {
  Stick stick(disk.path(), 16 << 20);
  NEED(stick);
  bench.make_pack("small", 1, 64 << 10);
  bench.make_pack("large", 2, 24 << 20);
  Store maker = must(Store::open(bench.folder.path() / "maker", Mode::read_write));
  must(maker.export_pack("small", stick.path(), {.signing_key = bench.key}));
  EXPECT_ERROR(maker.export_pack("large", stick.path(), {.signing_key = bench.key}), Code::resource_exhausted,
               "free some disk space");
  Store store = bench.open();
  std::vector<PackSummary> packs = must(store.scan(stick.path()));
  ASSERT_EQ(packs.size(), 1u);
  EXPECT_EQ(must(store.check_pack(stick.path(), packs[0].digest)).trust, Trust::trusted);
}

TEST_F(StickTest, AStickPulledOutHalfWayLeavesTheStoreAsItWas) {
  Stick stick(disk.path(), 64 << 20);
  NEED(stick);
  std::string digest = bench.make_pack("m", 1, 24 << 20, 2);
  Store maker = must(Store::open(bench.folder.path() / "maker", Mode::read_write));
  must(maker.export_pack("m", stick.path(), {.signing_key = bench.key}));
  stick.unmount();
  ASSERT_TRUE(stick.mount("ro"));
  Store store = bench.open();
  std::string before = fingerprint(bench.state);
  bool pulled = false;
  Control control{[&](uint64_t done, uint64_t) {
                    if (done == 0 || pulled) return;
                    pulled = true;
                    stick.pull_out();
                  },
                  {}};
  EXPECT_ERROR(store.install(stick.path(), digest, {}, control), Code::data_loss, "pulled out");
  EXPECT_TRUE(pulled);
  EXPECT_TRUE(fingerprint(bench.state) == before);
}

}  // namespace
}  // namespace hearth::store::stick_test
