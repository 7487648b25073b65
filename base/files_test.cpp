#include "base/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "base/disk_full.h"
#include "base/disk_space.h"

namespace hearth {
namespace {

TEST(Files, WriteIsAtomicAndLeavesNoTemporary) {
  auto folder = TempFolder::create("files_test");
  ASSERT_TRUE(folder);
  auto path = folder->path() / "a.txt";
  ASSERT_TRUE(write_file(path, "one"));
  ASSERT_TRUE(write_file(path, "two"));
  EXPECT_EQ(*read_file(path), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder->path()), {}), 1);
}

TEST(Files, LimitAndMissingFileAreErrors) {
  auto folder = TempFolder::create("files_test");
  auto path = folder->path() / "a.txt";
  ASSERT_TRUE(write_file(path, "12345"));
  EXPECT_EQ(read_file(path, 4).error().code, Code::resource_exhausted);
  EXPECT_EQ(read_file(folder->path() / "none").error().code, Code::not_found);
  EXPECT_EQ(read_file(folder->path()).error().code, Code::invalid_argument);
}

TEST(Files, AFullDiskIsKnownWithoutReadingWords) {
  for (int full : {ENOSPC, EDQUOT}) EXPECT_TRUE(is_disk_full(errno_error("write", "/x", full)));
  for (int other : {EMFILE, ENOMEM, ENOENT, EIO, EACCES}) EXPECT_FALSE(is_disk_full(errno_error("write", "/x", other)));
  auto folder = TempFolder::create("files_test");
  const auto path = folder->path() / "a.txt";
  ASSERT_TRUE(write_file(path, "12345"));
  EXPECT_FALSE(is_disk_full(read_file(path, 4).error()));  // exhausted, but not the disk
  const auto none = check_disk_space(folder->path(), uint64_t{1} << 60);
  ASSERT_FALSE(none);
  EXPECT_TRUE(is_disk_full(none.error()));
  const auto in_context = [&]() -> Result<void> {
    TRY_WITH(check_disk_space(folder->path(), uint64_t{1} << 60), "while importing");
    return {};
  }();
  EXPECT_TRUE(is_disk_full(in_context.error()));
  Fd full = *open_file("/dev/full", O_WRONLY);
  EXPECT_TRUE(is_disk_full(write_all(full.get(), std::as_bytes(std::span("x")), "/dev/full").error()));
}

TEST(Files, SecondLockIsRefused) {
  auto folder = TempFolder::create("files_test");
  auto first = LockFile::acquire(folder->path() / "lock");
  ASSERT_TRUE(first);
  EXPECT_EQ(LockFile::acquire(folder->path() / "lock").error().code, Code::failed_precondition);
}

}  // namespace
}  // namespace hearth
