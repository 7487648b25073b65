// Chat on the fake box: asking, stopping, asking again, editing, failing, and finding it all after a restart.
#include "gui/chat/chat.h"

#include <gtest/gtest.h>

#include <QDesktopServices>
#include <QElapsedTimer>
#include <QSignalSpy>

#include <fstream>

#include "gui/client/fake_client.h"
#include "gui/tests/link_recorder.h"
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

// More than the fastest machine shows before it is stopped.
const QString kEndless = QString("word ").repeated(2'000'000);

TEST(Chat, StoppingKeepsWhatCame) {
  ChatFixture f;
  f.client.setAnswer(kEndless);
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
  f.client.setAnswer(QString("word ").repeated(20'000));  // many frames long
  f.chat->send("one");
  ASSERT_TRUE(waitFor([&] { return f.chat->messages()->at(1).text.size() >= 8; }));
  const QString id = f.chat->conversations()->rows()[0].key;
  f.chat->rename(id, "First");
  ASSERT_TRUE(f.answered());
  const QString answer = f.chat->messages()->at(1).text;
  EXPECT_EQ(f.chat->title(), "First");
  f.restart();
  EXPECT_EQ(f.chat->title(), "First");
  const ConversationListModel& list = *f.chat->conversations();
  EXPECT_EQ(list.data(list.index(0), list.roleNames().key("title")), "First");
  EXPECT_EQ(f.chat->messages()->at(1).text, answer);
  EXPECT_EQ(f.chat->messages()->at(1).ending, "stop");
}

TEST(Chat, AnEndInTheMiddleOfAnAnswerLosesNothing) {
  ChatFixture f;
  f.client.setAnswer(kEndless);
  f.chat->send("one");
  ASSERT_TRUE(waitFor([&] { return f.chat->messages()->at(1).text.size() >= 8; }));
  QString soFar = f.chat->messages()->at(1).text;
  f.restart();
  EXPECT_EQ(f.chat->messages()->at(1).text, soFar);
  EXPECT_EQ(f.chat->messages()->at(1).ending, "interrupted");
  f.client.setAnswer("short");
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
  ASSERT_TRUE(waitFor([&] { return !f.chat->conversations()->isSearching(); }));
  ASSERT_EQ(f.chat->conversations()->rowCount(), 1);
  QString apples = f.chat->conversations()->rows()[0].key;
  f.chat->rename(apples, "Fruit");
  f.chat->conversations()->setFilter("fruit");
  ASSERT_TRUE(waitFor([&] { return !f.chat->conversations()->isSearching(); }));
  EXPECT_EQ(f.chat->conversations()->rowCount(), 1);
  f.chat->conversations()->setFilter("");
  f.chat->open(apples);
  EXPECT_EQ(f.chat->title(), "Fruit");
  f.chat->remove(apples);
  EXPECT_EQ(f.chat->messages()->rowCount(), 0);
  f.restart();
  EXPECT_EQ(f.chat->conversations()->rowCount(), 1);
}

// --- thoughts and speed ---

TEST(Chat, ThoughtsAreShownApartAndTimed) {
  ChatFixture f;
  f.client.setAnswer("Forty-two.", "Let me **think**. " + QString("hm ").repeated(400'000));
  f.chat->send("one");
  const MessageListModel& messages = *f.chat->messages();
  auto role = [&](const char* name) { return messages.data(messages.index(1), messages.roleNames().key(name)); };
  ASSERT_TRUE(waitFor([&] { return role("isThinking").toBool(); }));  // live, before the answer has begun
  EXPECT_TRUE(role("thoughtTitle").toString().startsWith("Thinking…")) << role("thoughtTitle").toString().toStdString();
  EXPECT_FALSE(role("hasText").toBool());
  ASSERT_TRUE(f.answered());
  EXPECT_FALSE(role("isThinking").toBool());
  EXPECT_TRUE(role("thoughtTitle").toString().startsWith("Thought for"));
  EXPECT_EQ(messages.at(1).text, "Forty-two.");
  EXPECT_TRUE(messages.at(1).thought.startsWith("Let me **think**."));
  ASSERT_NE(role("thoughts").value<BlockListModel*>(), nullptr);
  EXPECT_GE(role("thoughts").value<BlockListModel*>()->rowCount(), 1);

  f.client.setAnswer("Again.");
  f.chat->send("two");  // what was thought is not told to the model again
  EXPECT_EQ(f.client.chatRequests().back().messages[1].content, "Forty-two.");
  ASSERT_TRUE(f.answered());
  f.restart();
  EXPECT_TRUE(f.chat->messages()->at(1).thought.startsWith("Let me **think**."));
  EXPECT_EQ(f.chat->messages()->data(f.chat->messages()->index(1), MessageListModel::ThoughtTitleRole),
            role("thoughtTitle"));
}

// A client whose one stream is moved by hand.
class HandStream : public ChatStream {
 public:
  using ChatStream::ChatStream;
  void stop() override { emit finished({"", 0, 0, error(Code::cancelled, "stopped")}); }
};
class HandClient : public FakeClient {
 public:
  HandStream* stream = nullptr;
  ChatStream* chat(const ChatRequest&) override { return stream = new HandStream(this); }
};

TEST(Chat, SpeedIsTheServicesCountFromTheFirstTokenToTheLast) {
  QTemporaryDir dir;
  HandClient client;
  BoxState box(client);
  client.start();
  Chat chat(box, pathIn(dir, "chats"));
  ASSERT_TRUE(waitFor([&] { return !chat.model().isEmpty(); }));
  ASSERT_TRUE(chat.send("x"));
  waitFor([] { return false; }, 300);  // the prompt is read: not part of the speed
  QElapsedTimer spent;
  spent.start();
  for (int i = 0; i < 10; ++i) {
    emit client.stream->thought("hm ");
    waitFor([] { return false; }, 20);
  }
  emit client.stream->delta("Yes.");
  const double seconds = static_cast<double>(spent.nsecsElapsed()) * 1e-9;
  waitFor([] { return false; }, 300);  // nor is a service that is slow to say that it is done
  emit client.stream->finished({"stop", 24, 101, std::nullopt});
  // 101 tokens in 11 pieces, ten of them thoughts: counted by pieces or from the answer's first word it would be wrong.
  EXPECT_NEAR(chat.messages()->at(1).tokensPerSecond, 100 / seconds, 0.05 * 100 / seconds);

  ASSERT_TRUE(chat.send("y"));
  emit client.stream->delta("a");
  emit client.stream->delta("b");
  emit client.stream->finished({"stop", 24, 0, std::nullopt});
  EXPECT_EQ(chat.messages()->at(3).tokensPerSecond, 0);  // not known is not made up
  ASSERT_TRUE(chat.send("z"));
  emit client.stream->delta("all at once");
  emit client.stream->finished({"stop", 24, 500, std::nullopt});
  EXPECT_EQ(chat.messages()->at(5).tokensPerSecond, 0);
}

// --- under load ---

// Many pieces between two frames are one change, and the blocks that are done are left alone.
TEST(Chat, AFastModelIsShownInFrames) {
  ChatFixture f;
  QString table = "| a | b | c | d |\n|---|---|---|---|\n";
  for (int i = 0; i < 300; ++i) table += QStringLiteral("| %1 | some words | more words | **bold** |\n").arg(i);
  f.client.setAnswer(table + "\n" + QString("prose without an end ").repeated(60'000), {}, 4, 2);
  f.chat->send("one");
  BlockListModel* blocks = f.chat->messages()->blocksAt(1);
  int nChanges = 0;
  QObject::connect(blocks, &BlockListModel::dataChanged, [&](const QModelIndex& first, const QModelIndex&) {
    ++nChanges;
    EXPECT_GE(first.row(), blocks->rowCount() - 2);  // the block that was last, and what an unfinished line made
  });
  ASSERT_TRUE(waitFor([&] { return !f.chat->isAnswering(); }, 60'000));
  const int nPieces = static_cast<int>(f.chat->messages()->at(1).text.size() / 4);
  EXPECT_GT(nPieces, 10'000);
  EXPECT_LT(f.chat->nFrames(), nPieces / 10);
  EXPECT_GT(nChanges, 0);
  EXPECT_LE(nChanges, f.chat->nFrames());
  EXPECT_LT(blocks->reader().charsRead(),
            static_cast<qint64>(f.chat->nFrames() + 1) * 2 * MarkdownReader::kMaxLineChars +
                2 * f.chat->messages()->at(1).text.size());
}

TEST(Chat, ThousandsOfConversationsAreListedWithoutBeingRead) {
  QTemporaryDir dir;
  const std::filesystem::path folder = pathIn(dir, "chats");
  std::filesystem::create_directories(folder);
  for (int i = 0; i < 3000; ++i) {
    std::ofstream file(folder / fmt::format("20260101-{:06}-000-0000.jsonl", i));
    file << R"({"at":1,"kind":"conversation","model":"m","title":"","version":1})" << '\n'
         << fmt::format(R"({{"at":2,"id":1,"kind":"message","model":"","role":"user","text":"question number {}"}})", i)
         << '\n'
         << R"({"at":2,"id":2,"kind":"message","model":"m","role":"assistant","text":")" << std::string(2000, 'x')
         << "\"}\n"
         << R"({"id":2,"kind":"end","ending":"stop"})" << '\n';
  }
  FakeClient client;
  BoxState box(client);
  QElapsedTimer spent;
  spent.start();
  Chat chat(box, folder);
  EXPECT_LT(spent.elapsed(), 5000);  // a few milliseconds; what matters is counted below
  ConversationListModel& list = *chat.conversations();
  ASSERT_EQ(list.rowCount(), 3000);
  EXPECT_EQ(list.nTitlesRead(), 0);
  for (int row = 0; row < 20; ++row)  // as many as a window shows
    EXPECT_TRUE(list.data(list.index(row), list.roleNames().key("title")).toString().startsWith("question number"));
  EXPECT_EQ(list.nTitlesRead(), 20);
  // A search reads them in the background; the event loop goes on meanwhile.
  list.setFilter("number 17");
  EXPECT_TRUE(list.isSearching());
  int nRounds = 0;
  ASSERT_TRUE(waitFor([&] { return ++nRounds, !list.isSearching(); }, 60'000));
  EXPECT_GT(nRounds, 3);
  EXPECT_EQ(list.rowCount(), 111);  // 17, 170…179, 1700…1799
  list.setFilter("");
  EXPECT_EQ(list.rowCount(), 3000);
}

// --- two windows on one folder ---

TEST(Chat, TwoWindowsLoseNothing) {
  ChatFixture f;
  f.chat->send("first");
  ASSERT_TRUE(f.answered());
  Chat other(f.box, pathIn(f.dir, "chats"));
  ASSERT_EQ(other.conversationId(), f.chat->conversationId());
  ASSERT_TRUE(other.send("from the other"));
  ASSERT_TRUE(waitFor([&] { return !other.isAnswering(); }));
  ASSERT_TRUE(f.chat->send("from the first"));  // it has perhaps not heard of the other's question yet
  ASSERT_TRUE(f.answered());
  auto questions = [](Chat& chat) {
    QStringList texts;
    for (int i = 0; i < chat.messages()->rowCount(); ++i)
      if (chat.messages()->at(i).role == "user") texts.append(chat.messages()->at(i).text);
    return texts;
  };
  const QStringList all = {"first", "from the other", "from the first"};
  EXPECT_EQ(questions(*f.chat), all);
  EXPECT_EQ(f.client.chatRequests().back().messages.size(), 5u);  // the model is told all of it
  EXPECT_TRUE(waitFor([&] { return questions(other) == all; }));  // and the other window shows it by itself
  f.restart();
  EXPECT_EQ(questions(*f.chat), all);
}

TEST(Chat, WhileTheOtherWindowAnswersOneIsToldAndKeepsTheText) {
  ChatFixture f;
  f.chat->send("first");
  ASSERT_TRUE(f.answered());
  Chat other(f.box, pathIn(f.dir, "chats"));
  f.client.setAnswer(QString("word ").repeated(400));
  ASSERT_TRUE(other.send("a long one"));
  EXPECT_FALSE(f.chat->send("mine"));
  EXPECT_TRUE(f.chat->problem().contains("Another window"));
  ASSERT_TRUE(waitFor([&] { return !other.isAnswering(); }));
  EXPECT_TRUE(f.chat->send("mine"));
  EXPECT_TRUE(f.chat->problem().isEmpty());
  EXPECT_EQ(f.chat->messages()->rowCount(), 6);
}

TEST(Chat, ANewConversationOfTheOtherWindowIsListed) {
  ChatFixture f;
  f.chat->send("first");
  ASSERT_TRUE(f.answered());
  Chat other(f.box, pathIn(f.dir, "chats"));
  other.startNew();
  ASSERT_TRUE(other.send("second"));
  EXPECT_TRUE(waitFor([&] { return f.chat->conversations()->rowCount() == 2; }));
}

// --- sampling ---

TEST(Chat, SamplingIsAskedForAndKeptWithTheConversation) {
  ChatFixture f;
  EXPECT_EQ(f.chat->setSampling("0,2", "0.9", "300"), "");  // before the conversation has begun
  EXPECT_TRUE(f.chat->hasSampling());
  f.chat->send("one");
  ASSERT_TRUE(f.answered());
  EXPECT_EQ(f.client.chatRequests().back().sampling, (Sampling{0.2, 0.9, 300}));
  EXPECT_EQ(f.chat->setSampling("0.5", "", ""), "");
  f.restart();
  EXPECT_EQ(f.chat->temperature(), "0.5");
  EXPECT_EQ(f.chat->topP(), "");
  f.chat->startNew();
  EXPECT_FALSE(f.chat->hasSampling());
}

TEST(Chat, SamplingThatMakesNoSenseIsRefused) {
  ChatFixture f;
  for (auto [t, p, n] : {std::tuple("warm", "", ""), std::tuple("-1", "", ""), std::tuple("2.5", "", ""),
                         std::tuple("nan", "", ""), std::tuple("", "0", ""), std::tuple("", "1.1", ""),
                         std::tuple("", "", "0"), std::tuple("", "", "1.5"), std::tuple("", "", "99999999999")})
    EXPECT_NE(f.chat->setSampling(t, p, n), "") << t << p << n;
  EXPECT_FALSE(f.chat->hasSampling());
}

// --- links ---

TEST(Chat, ALinkIsOpenedOnlyAfterItWasShown) {
  ChatFixture f;
  LinkRecorder recorder;
  f.chat->askAboutLink("https://аpple.com/");
  EXPECT_EQ(f.chat->linkUrl(), "https://xn--pple-43d.com/");
  EXPECT_EQ(recorder.urls(), QStringList());
  f.chat->dropAskedLink();
  f.chat->openAskedLink();
  EXPECT_EQ(recorder.urls(), QStringList());
  for (const char* bad :
       {"file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "smb://h/s", "x-scheme:y", "", "qrc:/x"}) {
    f.chat->askAboutLink(bad);
    EXPECT_EQ(f.chat->linkUrl(), "");
    f.chat->openAskedLink();
  }
  EXPECT_EQ(recorder.urls(), QStringList());
  f.chat->askAboutLink("https://host/x");
  f.chat->openAskedLink();
  EXPECT_EQ(recorder.urls(), QStringList{"https://host/x"});
  EXPECT_EQ(f.chat->linkUrl(), "");
}

TEST(Chat, WhatIsInTheWayNamesThePageWhereItIsMended) {
  ChatFixture f;
  EXPECT_EQ(f.chat->obstaclePage(), "");
  f.client.undeploy("hearth-small", [](const Result<void>&) {});
  ASSERT_TRUE(waitFor([&] { return f.chat->model().isEmpty(); }));
  EXPECT_TRUE(f.chat->obstacle().contains("Models"));
  EXPECT_EQ(f.chat->obstaclePage(), "models");
  f.client.setReachable(false);
  ASSERT_TRUE(waitFor([&] { return f.chat->obstacle().contains("Home"); }));
  EXPECT_EQ(f.chat->obstaclePage(), "home");
}

TEST(Chat, AFolderThatCannotBeWrittenIsToldAndNothingIsSent) {
  ChatFixture f;
  Chat chat(f.box, "/proc/no/such/folder");
  EXPECT_FALSE(chat.send("hello"));
  EXPECT_FALSE(chat.problem().isEmpty());
}

}  // namespace
}  // namespace hearth::gui
