#include "base/files.h"

#include <gtest/gtest.h>

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

TEST(Files, SecondLockIsRefused) {
  auto folder = TempFolder::create("files_test");
  auto first = LockFile::acquire(folder->path() / "lock");
  ASSERT_TRUE(first);
  EXPECT_EQ(LockFile::acquire(folder->path() / "lock").error().code, Code::failed_precondition);
}

}  // namespace
}  // namespace hearth
