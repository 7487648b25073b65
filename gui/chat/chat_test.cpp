// Chat on the fake box: asking, stopping, asking again, editing, failing, and finding it all after a restart.
#include "gui/chat/chat.h"

#include <gtest/gtest.h>

#include "gui/client/fake_client.h"
#include "gui/tests/support.h"

namespace hearth::gui {
namespace {

struct ChatFixture {
  QTemporaryDir dir;
  FakeClient client;
  BoxState box{client};
  std::unique_ptr<Chat> chat = std::make_unique<Chat>(box, pathIn(dir, "chats"));
  ChatFixture() {
    client.start();
    EXPECT_TRUE(waitFor([&] { return !chat->model().isEmpty(); }));
  }
  bool answered() {
    return waitFor([&] { return !chat->isAnswering(); });
  }
  void restart() {
    chat.reset();
    chat = std::make_unique<Chat>(box, pathIn(dir, "chats"));
  }
};

TEST(Chat, AsksAndKeepsTheAnswer) {
  ChatFixture f;
  ASSERT_TRUE(f.chat->send("  What is it?  "));
  EXPECT_TRUE(f.chat->isAnswering());
  EXPECT_FALSE(f.chat->send("too early"));
  ASSERT_TRUE(f.answered());
  ASSERT_EQ(f.chat->messages()->rowCount(), 2);
  EXPECT_EQ(f.chat->messages()->at(0).text, "What is it?");
  QString answer = f.chat->messages()->at(1).text;
  EXPECT_TRUE(answer.contains("What is it?"));
  EXPECT_EQ(f.chat->title(), "What is it?");

  f.restart();
  ASSERT_EQ(f.chat->messages()->rowCount(), 2);
  EXPECT_EQ(f.chat->messages()->at(1).text, answer);
  EXPECT_EQ(f.chat->conversations()->rowCount(), 1);
}

TEST(Chat, TheWholeConversationIsSent) {
  ChatFixture f;
  f.chat->send("one");
  f.answered();
  f.chat->send("two");
  f.answered();
  const auto& messages = f.client.chatRequests().back().messages;
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[0].content, "one");
  EXPECT_EQ(messages[1].role, "assistant");
  EXPECT_EQ(messages[2].content, "two");
}

TEST(Chat, StoppingKeepsWhatCame) {
  ChatFixture f;
  f.chat->send("one");
  ASSERT_TRUE(waitFor([&] { return f.chat->messages()->at(1).text.size() >= 8; }));
  f.chat->stop();
  EXPECT_FALSE(f.chat->isAnswering());
  EXPECT_EQ(f.chat->messages()->at(1).ending, "stopped");
  f.restart();
  EXPECT_GE(f.chat->messages()->at(1).text.size(), 8);
  EXPECT_EQ(f.chat->messages()->at(1).ending, "stopped");
}

TEST(Chat, RenamingWhileAnAnswerComesLosesNothing) {
  ChatFixture f;
  f.chat->send("one");
  ASSERT_TRUE(waitFor([&] { return f.chat->messages()->at(1).text.size() >= 8; }));
  const QString id = f.chat->conversations()->rows()[0].key;
  f.chat->rename(id, "First");
  ASSERT_TRUE(f.answered());
  const QString answer = f.chat->messages()->at(1).text;
  EXPECT_EQ(f.chat->title(), "First");
  f.restart();
  EXPECT_EQ(f.chat->conversations()->rows()[0].title, "First");
  EXPECT_EQ(f.chat->messages()->at(1).text, answer);
  EXPECT_EQ(f.chat->messages()->at(1).ending, "stop");
}

TEST(Chat, AnEndInTheMiddleOfAnAnswerLosesNothing) {
  ChatFixture f;
  f.chat->send("one");
  ASSERT_TRUE(waitFor([&] { return f.chat->messages()->at(1).text.size() >= 8; }));
  QString soFar = f.chat->messages()->at(1).text;
  f.restart();
  EXPECT_EQ(f.chat->messages()->at(1).text, soFar);
  EXPECT_EQ(f.chat->messages()->at(1).ending, "interrupted");
  f.chat->regenerate();
  ASSERT_TRUE(f.answered());
  EXPECT_EQ(f.chat->messages()->rowCount(), 2);
  EXPECT_EQ(f.chat->messages()->at(1).ending, "stop");
}

TEST(Chat, EditingDropsWhatFollowed) {
  ChatFixture f;
  f.chat->send("one");
  f.answered();
  f.chat->send("two");
  f.answered();
  ASSERT_TRUE(f.chat->editAndResend(f.chat->messages()->at(0).id, "uno"));
  f.answered();
  EXPECT_EQ(f.chat->messages()->rowCount(), 2);
  EXPECT_EQ(f.client.chatRequests().back().messages.size(), 1u);
  f.restart();
  ASSERT_EQ(f.chat->messages()->rowCount(), 2);
  EXPECT_EQ(f.chat->messages()->at(0).text, "uno");
}

TEST(Chat, AFailureIsShownAndCanBeTriedAgain) {
  ChatFixture f;
  f.client.failNext(error(Code::unavailable, "engine is restarting"));
  f.chat->send("one");
  ASSERT_TRUE(f.answered());
  EXPECT_EQ(f.chat->messages()->at(1).error, "Engine is restarting");
  f.chat->send("two");  // the failed question is not repeated to the model
  f.answered();
  EXPECT_EQ(f.client.chatRequests().back().messages.size(), 1u);
  f.chat->regenerate();
  ASSERT_TRUE(f.answered());
  EXPECT_TRUE(f.chat->messages()->at(3).error.isEmpty());
}

TEST(Chat, WithoutAModelNothingIsSentAndOneIsToldWhy) {
  ChatFixture f;
  f.client.undeploy("hearth-small", [](const Result<void>&) {});
  ASSERT_TRUE(waitFor([&] { return f.chat->model().isEmpty(); }));
  EXPECT_FALSE(f.chat->send("hello"));
  EXPECT_TRUE(f.chat->obstacle().contains("Models"));
  f.client.setReachable(false);
  ASSERT_TRUE(waitFor([&] { return f.chat->obstacle().contains("not reachable"); }));
}

TEST(Chat, ListsSearchesRenamesAndDeletes) {
  ChatFixture f;
  for (const char* text : {"apples", "pears"}) {
    f.chat->startNew();
    f.chat->send(text);
    ASSERT_TRUE(f.answered());
  }
  EXPECT_EQ(f.chat->conversations()->rowCount(), 2);
  f.chat->conversations()->setFilter("APPLE");
  ASSERT_EQ(f.chat->conversations()->rowCount(), 1);
  QString apples = f.chat->conversations()->rows()[0].key;
  f.chat->rename(apples, "Fruit");
  f.chat->conversations()->setFilter("fruit");
  EXPECT_EQ(f.chat->conversations()->rowCount(), 1);
  f.chat->conversations()->setFilter("");
  f.chat->open(apples);
  EXPECT_EQ(f.chat->title(), "Fruit");
  f.chat->remove(apples);
  EXPECT_EQ(f.chat->messages()->rowCount(), 0);
  f.restart();
  EXPECT_EQ(f.chat->conversations()->rowCount(), 1);
}

TEST(Chat, AFolderThatCannotBeWrittenIsToldAndNothingIsSent) {
  ChatFixture f;
  Chat chat(f.box, "/proc/no/such/folder");
  EXPECT_FALSE(chat.send("hello"));
  EXPECT_FALSE(chat.problem().isEmpty());
}

}  // namespace
}  // namespace hearth::gui
