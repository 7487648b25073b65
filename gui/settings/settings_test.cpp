// Settings are kept; what the command line says is not. The connection gives advice.
#include "gui/settings/settings.h"

#include <gtest/gtest.h>

#include <QSignalSpy>

#include "gui/client/fake_client.h"
#include "gui/settings/connection.h"
#include "gui/tests/support.h"

namespace hearth::gui {
namespace {

TEST(Settings, AreKept) {
  QTemporaryDir dir;
  QString file = dir.filePath("d/desktop.ini");
  {
    Settings settings(file);
    EXPECT_EQ(settings.theme(), "system");
    settings.setTheme("dark");
    settings.setLanguage("zh_CN");
    settings.setUrl("http://box:1");
    settings.overrideTheme("light");
  }
  Settings settings(file);
  EXPECT_EQ(settings.theme(), "dark");
  EXPECT_EQ(settings.effectiveLanguage(), "zh_CN");
  EXPECT_EQ(settings.url(), "http://box:1");
  settings.setTheme("purple");
  EXPECT_EQ(settings.theme(), "system");
}

TEST(Connection, GivesAdviceAndComesBack) {
  FakeClient client;
  BoxState box(client);
  Connection connection(box);
  client.setReachable(false);
  client.start();
  ASSERT_TRUE(waitFor([&] { return connection.isUnreachable(); }));
  EXPECT_FALSE(connection.advice().isEmpty());
  EXPECT_EQ(connection.command(), "hearth serve");
  client.setReachable(true);
  connection.retry();
  ASSERT_TRUE(waitFor([&] { return connection.isConnected(); }));
  EXPECT_TRUE(connection.advice().isEmpty());
}

TEST(Connection, TakesOnlyAddresses) {
  FakeClient client;
  BoxState box(client);
  Connection connection(box);
  QSignalSpy chosen(&connection, &Connection::addressChosen);
  connection.connectTo("my box");
  EXPECT_FALSE(connection.addressProblem().isEmpty());
  EXPECT_EQ(chosen.size(), 0);
  connection.connectTo("http://box:8080");
  EXPECT_TRUE(connection.addressProblem().isEmpty());
  EXPECT_EQ(chosen.size(), 1);
}

}  // namespace
}  // namespace hearth::gui
