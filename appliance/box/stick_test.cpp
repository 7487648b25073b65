// Asking for a stick to be writable, with a stand-in for the kernel's mounts.
#include "appliance/box/stick.h"

#include <gtest/gtest.h>

#include "base/files.h"

namespace hearth::stick_test {
namespace {
namespace fs = std::filesystem;

struct Sticks : testing::Test {
  TempFolder folder = std::move(*TempFolder::create("stick"));
  fs::path mounts = folder.path() / "media", wish = folder.path() / "write" / "sdb1";
  int n_looks = 0;

  // As systemd does: writable a while after the wish, read-only without it.
  StickOptions options(int after_looks = 3) {
    (void)make_folders(mounts / "sdb1");
    return {.wishes = folder.path() / "write",
            .mounts = mounts,
            .limit = std::chrono::milliseconds(2000),
            .state_of = [this, after_looks](const fs::path& at) {
              if (at != mounts / "sdb1") return MountState::none;
              return fs::exists(wish) && ++n_looks > after_looks ? MountState::writable : MountState::read_only;
            }};
  }
};

TEST_F(Sticks, IsWritableForAsLongAsItIsAskedFor) {
  const StickOptions with = options();
  {
    auto stick = StickForWriting::ask(mounts / "sdb1" / "packs" / "new", with);
    ASSERT_TRUE(stick) << stick.error().to_string();
    EXPECT_TRUE(fs::exists(wish));
    const StickForWriting moved = std::move(*stick);
    EXPECT_TRUE(fs::exists(wish));
  }
  EXPECT_FALSE(fs::exists(wish));
}

TEST_F(Sticks, ThatStaysReadOnlyIsToldWithTheNextStep) {
  StickOptions with = options(1'000'000);
  with.limit = std::chrono::milliseconds(10);
  auto stick = StickForWriting::ask(mounts / "sdb1" / "x", with);
  ASSERT_FALSE(stick);
  EXPECT_EQ(stick.error().code, Code::failed_precondition);
  EXPECT_NE(stick.error().message.find("hearth-media-write@sdb1"), std::string::npos) << stick.error().message;
  EXPECT_FALSE(fs::exists(wish));
}

TEST_F(Sticks, WhatIsNotPluggedInIsSaid) {
  EXPECT_EQ(StickForWriting::ask(mounts / "sdc1" / "x", options()).error().code, Code::not_found);
}

TEST_F(Sticks, OtherFoldersNeedNoWish) {
  const StickOptions with = options();
  ASSERT_TRUE(StickForWriting::ask(folder.path() / "elsewhere" / "new", with));
  ASSERT_TRUE(StickForWriting::ask(mounts / "sdb1" / ".." / ".." / "elsewhere", with));
  EXPECT_FALSE(fs::exists(folder.path() / "write"));
  EXPECT_EQ(mount_state(folder.path()), MountState::none);
  EXPECT_NE(mount_state("/proc"), MountState::none);
}

}  // namespace
}  // namespace hearth::stick_test
