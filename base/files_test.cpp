#include "base/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "base/disk_full.h"
#include "base/disk_space.h"

namespace hearth::files_test {
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

TEST(Files, AFullDiskIsNamedByAFolderOnIt) {
  auto cause_at = [](const char* folder) { return Phrase{"disk_full_at", {{"path", folder}}}; };
  const Error stick = errno_error("write", "/media/stick/m.gguf", ENOSPC),
              state = errno_error("write", "/var/x", EDQUOT);
  EXPECT_EQ(disk_full_cause(stick), cause_at("/media/stick"));
  EXPECT_EQ(disk_full_cause(state), cause_at("/var"));
  EXPECT_EQ(disk_full_cause(stick), cause_at("/media/stick"));
  auto folder = TempFolder::create("files_test");
  EXPECT_EQ(disk_full_cause(check_disk_space(folder->path(), uint64_t{1} << 60).error()),
            cause_at(folder->path().c_str()));
  EXPECT_EQ(disk_full_cause(as_disk_full(error(Code::resource_exhausted, "database"))), Phrase{"disk_full"});
  EXPECT_EQ(words(cause_at("/var")), "the disk that holds /var is full; free some space there and start it again");
  for (int i = 0; i < 1000; ++i) {  // there is an end to what is remembered
    const std::string code = disk_full_cause(errno_error("write", fmt::format("/{}/x", i), ENOSPC)).code;
    EXPECT_EQ(code, i < 200 ? "disk_full_at" : i < 256 ? code : "disk_full") << i;
  }
  EXPECT_EQ(disk_full_cause(stick), cause_at("/media/stick"));
}

TEST(Files, SecondLockIsRefused) {
  auto folder = TempFolder::create("files_test");
  auto first = LockFile::acquire(folder->path() / "lock");
  ASSERT_TRUE(first);
  EXPECT_EQ(LockFile::acquire(folder->path() / "lock").error().code, Code::failed_precondition);
}

}  // namespace
}  // namespace hearth::files_test
