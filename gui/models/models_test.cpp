// Models on the fake box: deploy, stop, remove, add, and what is said of memory.
#include <gtest/gtest.h>

#include "gui/client/fake_client.h"
#include "gui/home/home.h"
#include "gui/models/model_library.h"
#include "gui/tests/support.h"

namespace hearth::gui {
namespace {

struct ModelsFixture {
  FakeClient client;
  BoxState box{client};
  ModelLibrary library{box};
  Home home{box};
  ModelsFixture() {
    client.start();
    EXPECT_TRUE(waitFor([&] { return library.models()->rowCount() == 3 && !of("qwen-4b", "fitText").isEmpty() && home.isKnown(); }));
  }
  QString of(const char* model, const char* role) {
    int row = library.models()->indexOf(model);
    return library.models()->data(library.models()->index(row), library.models()->roleNames().key(role)).toString();
  }
};

TEST(Models, SayWhetherTheyFit) {
  ModelsFixture f;
  ASSERT_TRUE(waitFor([&] { return f.of("llama-70b", "fitVerdict") == "too_large"; }));
  EXPECT_EQ(f.of("llama-70b", "canDeploy"), "false");
  EXPECT_EQ(f.of("qwen-4b", "fitVerdict"), "fits");
  EXPECT_TRUE(f.of("qwen-4b", "fitDetail").contains("tokens/s"));
}

TEST(Models, DeployAndStop) {
  ModelsFixture f;
  f.library.deploy("qwen-4b");
  ASSERT_TRUE(waitFor([&] { return f.of("qwen-4b", "stateText") == "Starting"; }));
  EXPECT_EQ(f.of("qwen-4b", "canRemove"), "false");
  ASSERT_TRUE(waitFor([&] { return f.of("qwen-4b", "stateText") == "Running"; }));
  EXPECT_TRUE(f.home.headline().startsWith("2 models"));
  f.library.undeploy("qwen-4b");
  EXPECT_TRUE(waitFor([&] { return f.of("qwen-4b", "stateText") == "Installed"; }));
}

TEST(Models, AreRemovedOnlyWhenStopped) {
  ModelsFixture f;
  f.library.remove("hearth-small");
  ASSERT_TRUE(waitFor([&] { return f.library.problem().contains("stop it first"); }));
  f.library.remove("qwen-4b");
  EXPECT_TRUE(waitFor([&] { return f.library.models()->rowCount() == 2; }));
  EXPECT_TRUE(f.library.removalText("llama-70b").contains("74.9"));
}

TEST(Models, AFolderIsInstalledOrImported) {
  ModelsFixture f;
  f.library.add("file:///data/my-model", "");
  ASSERT_TRUE(waitFor([&] { return f.library.models()->indexOf("my-model") >= 0; }));
  f.library.add("/media/HEARTH-2026-11", "");  // four packs: to be chosen in Updates
  ASSERT_TRUE(waitFor([&] { return f.library.problem().contains("Updates"); }));
  f.library.add("   ", "");
  EXPECT_TRUE(f.library.problem().startsWith("Choose"));
}

TEST(Home, SuggestsTheBundledModel) {
  ModelsFixture f;
  EXPECT_EQ(f.home.suggestedModel(), "hearth-small");
  EXPECT_TRUE(f.home.canChat());
  EXPECT_NEAR(f.home.memoryUsed(), 0.239, 0.01);
  f.library.undeploy("hearth-small");
  EXPECT_TRUE(waitFor([&] { return !f.home.canChat(); }));
}

}  // namespace
}  // namespace hearth::gui
