// Updates on the fake box: what is new, what may not be installed and why, and installing.
#include "gui/updates/updates.h"

#include <gtest/gtest.h>

#include "gui/client/fake_client.h"
#include "gui/tests/support.h"

namespace hearth::gui {
namespace {

struct UpdatesFixture {
  FakeClient client;
  BoxState box{client};
  Updates updates{box};
  UpdatesFixture() {
    client.start();
    EXPECT_TRUE(waitFor([&] { return updates.packs()->rowCount() == 4; }));
  }
  const PackRow* pack(const char* name) {
    for (const PackRow& row : updates.packs()->rows())
      if (row.pack.name == name) return &row;
    return nullptr;
  }
};

TEST(Updates, ShowWhatIsNewFirst) {
  UpdatesFixture f;
  EXPECT_EQ(f.updates.newCount(), 1);
  EXPECT_EQ(f.updates.packs()->rows()[0].pack.name, "mistral-7b");
  EXPECT_EQ(f.updates.packs()->rows().back().pack.name, "hearth-small");
}

TEST(Updates, Install) {
  UpdatesFixture f;
  f.updates.install(f.pack("mistral-7b")->key);
  ASSERT_TRUE(waitFor([&] { return f.pack("mistral-7b")->isInstalling; }));
  EXPECT_EQ(f.updates.newCount(), 0);
  ASSERT_TRUE(waitFor([&] { return f.updates.success().contains("mistral-7b"); }));
  ASSERT_TRUE(waitFor([&] { return f.pack("mistral-7b")->pack.installed; }));
  EXPECT_TRUE(f.box.model("mistral-7b"));
}

TEST(Updates, ADamagedPackIsRefusedWithItsReason) {
  UpdatesFixture f;
  f.updates.install(f.pack("coder-3b")->key);
  ASSERT_TRUE(waitFor([&] { return !f.updates.problem().isEmpty(); }));
  EXPECT_TRUE(f.updates.problem().contains("checksum"));
}

TEST(Updates, ScanningSaysWhenThereIsNothing) {
  UpdatesFixture f;
  f.updates.scan("/empty");
  EXPECT_TRUE(f.updates.isScanning());
  ASSERT_TRUE(waitFor([&] { return !f.updates.isScanning(); }));
  EXPECT_TRUE(f.updates.problem().contains("/empty"));
}

TEST(Updates, AStickThatIsPluggedInAppears) {
  UpdatesFixture f;
  f.client.plugIn({.path = "/media/other", .label = "other", .removable = true,
                   .packs = {{.name = "new", .version = "1", .digest = "sha256:1", .status = "trusted"}}});
  ASSERT_TRUE(waitFor([&] { return f.pack("new") != nullptr; }));
  EXPECT_EQ(f.updates.newCount(), 2);
}

}  // namespace
}  // namespace hearth::gui
