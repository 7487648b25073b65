// Which state a command works on: the installed service's where it may be read, else one's own, else the service's
// socket.
#include "appliance/state/state_dir.h"

#include <gtest/gtest.h>

#include "base/files.h"

namespace hearth::state_dir_test {
namespace {

namespace fs = std::filesystem;

struct StateDirs : testing::Test {
  TempFolder folder = *TempFolder::create("state");
  const fs::path system = folder.path() / "system", own = folder.path() / "own";
};

TEST_F(StateDirs, OwnWithoutAnInstalledService) {
  EXPECT_EQ(choose_state_dir(system, own).root, own);
}

TEST_F(StateDirs, TheServicesWhereItMayBeRead) {
  ASSERT_TRUE(make_folders(system));
  ASSERT_TRUE(make_folders(own));
  ASSERT_TRUE(write_file(system / "hearth.db", "x"));
  ASSERT_TRUE(write_file(own / "hearth.db", "x"));
  EXPECT_EQ(choose_state_dir(system, own).root, system);
}

TEST_F(StateDirs, AnInstalledServiceThatHasNoDatabaseYetIsStillTheOne) {
  ASSERT_TRUE(make_folders(system));
  EXPECT_EQ(choose_state_dir(system, own).root, system) << "a second service would take the first one's port";
  ASSERT_TRUE(make_folders(own));
  ASSERT_TRUE(write_file(own / "hearth.db", "x"));
  EXPECT_EQ(choose_state_dir(system, own).root, own) << "what somebody made for himself stays his";
}

}  // namespace
}  // namespace hearth::state_dir_test
