// A made-up /sys, /proc and /dev in a temporary folder, for tests.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/files.h"
#include "hwdetect/profile.h"

namespace hearth {

class FakeTree {
 public:
  FakeTree() : folder_(*TempFolder::create("hwdetect")) {
    for (const char* name : {"sys", "proc", "dev"}) EXPECT_TRUE(make_folders(folder_.path() / name));
  }
  FakeTree& file(const std::string& path, const std::string& text) {
    const auto at = folder_.path() / path;
    EXPECT_TRUE(make_folders(at.parent_path()));
    std::ofstream(at) << text;
    return *this;
  }
  FakeTree& link(const std::string& path, const std::string& target) {
    const auto at = folder_.path() / path;
    EXPECT_TRUE(make_folders(at.parent_path()));
    std::filesystem::create_symlink(target, at);
    return *this;
  }
  DetectOptions options() const {
    const auto& root = folder_.path();
    return {root / "sys", root / "proc", root / "dev", "libhearth-no-such-driver.so", false};
  }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  TempFolder folder_;
};

}  // namespace hearth
