// BoxState on the fake box: asks on connecting, follows events, and says when the service is gone.
#include "gui/client/box_state.h"

#include <gtest/gtest.h>

#include "gui/client/fake_client.h"
#include "gui/tests/support.h"

namespace hearth::gui {
namespace {

struct BoxStateFixture {
  FakeClient client;
  BoxState box{client};
  BoxStateFixture() { client.start(); }
  bool ready() {
    return waitFor([&] { return !box.models().empty() && !box.packSources().empty() && !box.box().hostname.empty(); });
  }
};

TEST(BoxState, KnowsTheBoxOnceConnected) {
  BoxStateFixture f;
  EXPECT_EQ(f.box.connection(), BoxState::Connection::connecting);
  ASSERT_TRUE(f.ready());
  EXPECT_EQ(f.box.connection(), BoxState::Connection::connected);
  EXPECT_EQ(f.box.models().size(), 4u);
  EXPECT_STREQ(f.box.deployment("hearth-small")->state.text(), "ready");
}

TEST(BoxState, FollowsADeploymentByEvents) {
  BoxStateFixture f;
  ASSERT_TRUE(f.ready());
  f.client.deploy({.model = "qwen-4b"}, [](const Result<api::Deployment>&) {});
  ASSERT_TRUE(waitFor([&] { return f.box.deployment("qwen-4b") && f.box.deployment("qwen-4b")->state == "ready"; }));
  f.client.undeploy("qwen-4b", [](const Result<void>&) {});
  EXPECT_TRUE(waitFor([&] { return !f.box.deployment("qwen-4b"); }));
}

TEST(BoxState, AJobFinishesOnceAndBringsItsModel) {
  BoxStateFixture f;
  ASSERT_TRUE(f.ready());
  int nFinished = 0;
  QObject::connect(&f.box, &BoxState::jobFinished, [&](const api::Job& job) {
    ++nFinished;
    EXPECT_STREQ(job.state.text(), "done");
  });
  f.client.importModel({.path = "/data/new-one"}, [](const Result<api::Job>&) {});
  ASSERT_TRUE(waitFor([&] { return f.box.model("new-one") != nullptr; }));
  EXPECT_EQ(nFinished, 1);
}

TEST(BoxState, SaysThatTheServiceIsGoneAndComesBack) {
  BoxStateFixture f;
  ASSERT_TRUE(f.ready());
  f.client.setReachable(false);
  ASSERT_TRUE(waitFor([&] { return f.box.connection() == BoxState::Connection::unreachable; }));
  EXPECT_FALSE(f.box.problem().isEmpty());
  f.client.setReachable(true);
  EXPECT_TRUE(waitFor([&] { return f.box.connection() == BoxState::Connection::connected; }));
}

TEST(BoxState, AScannedFolderStaysUntilItIsGone) {
  BoxStateFixture f;
  ASSERT_TRUE(f.ready());
  f.box.learn(api::PackSource{.path = "/gone", .packs = {{.name = "x"}}});
  EXPECT_EQ(f.box.packSources().size(), 2u);
  f.box.refreshPackSources();  // the fake box knows no packs in /gone
  EXPECT_TRUE(waitFor([&] { return f.box.packSources().size() == 1u; }));
}

}  // namespace
}  // namespace hearth::gui
