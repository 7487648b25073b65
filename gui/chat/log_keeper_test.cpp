// Waiting for the disk: never on the GUI's thread, nothing left undone. The calls themselves are watched here.
#include "gui/chat/log_keeper.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <QElapsedTimer>
#include <QSignalSpy>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <functional>
#include <future>

#include "gui/chat/chat.h"
#include "gui/client/fake_client.h"
#include "gui/tests/support.h"

namespace {
std::atomic<int> nSyncs = 0, nSyncsOnMain = 0;
std::atomic<bool> knowsExchange = true;     // or the file system does not
thread_local std::function<void()> atSync;  // what others do while this thread waits for the disk

int counted(long call, int fd) {
  if (atSync) atSync();
  ++nSyncs;
  if (gettid() == getpid()) ++nSyncsOnMain;
  return static_cast<int>(syscall(call, fd));
}
}  // namespace

extern "C" int fsync(int fd) {
  return counted(SYS_fsync, fd);
}
extern "C" int fdatasync(int fd) {
  return counted(SYS_fdatasync, fd);
}
extern "C" int renameat2(int fromFolder, const char* from, int toFolder, const char* to, unsigned flags) noexcept {
  if (knowsExchange) return static_cast<int>(syscall(SYS_renameat2, fromFolder, from, toFolder, to, flags));
  return errno = EINVAL, -1;
}

namespace hearth::gui {
namespace {
using namespace std::chrono_literals;

TEST(LogKeeper, WorksInOrderAndEndsWithAllDone) {
  std::vector<int> done;
  {
    LogKeeper keeper;
    for (int i = 0; i < 50; ++i)
      keeper.post(std::to_string(i), [&done, i]() -> Result<void> { return done.push_back(i), Result<void>(); });
  }
  ASSERT_EQ(done.size(), 50u);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
}

TEST(LogKeeper, TheSameIsDoneOnceWhileItWaits) {
  std::promise<void> go;
  std::atomic<int> n = 0, last = 0;
  LogKeeper keeper;
  keeper.post("slow", [future = go.get_future().share()]() -> Result<void> { return future.wait(), Result<void>(); });
  for (int i = 1; i <= 100; ++i) keeper.post("a", [&, i]() -> Result<void> { return ++n, last = i, Result<void>(); });
  go.set_value();
  keeper.wait();
  EXPECT_EQ(n, 1);
  EXPECT_EQ(last, 100);
}

TEST(LogKeeper, AFailureIsTold) {
  LogKeeper keeper;
  QSignalSpy failed(&keeper, &LogKeeper::failed);
  keeper.post("a", []() -> Result<void> { return error(Code::resource_exhausted, "the disk is full"); });
  ASSERT_TRUE(waitFor([&] { return failed.size() == 1; }));
  EXPECT_TRUE(failed[0][0].toString().contains("disk is full"));
}

TEST(LogKeeper, OneWaitsForOneNameAndNotForEver) {
  std::promise<void> go;
  LogKeeper keeper;
  keeper.post("slow", [f = go.get_future().share()]() -> Result<void> { return f.wait(), Result<void>(); });
  keeper.post("queued", []() -> Result<void> { return {}; });
  EXPECT_TRUE(keeper.wait("other", 0ms));
  EXPECT_FALSE(keeper.wait("slow", 1ms));
  EXPECT_FALSE(keeper.wait("queued", 1ms));
  go.set_value();
  EXPECT_TRUE(keeper.wait("queued", 10s));
  EXPECT_TRUE(keeper.wait("slow", 0ms));
}

// A conversation of many pieces, closed.
QString longConversation(const std::filesystem::path& folder) {
  ChatLog log = *ChatLog::create(folder, "m");
  EXPECT_TRUE(log.message({1, "assistant", {}, "m", {}, {}, 100, 0}).has_value());
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(log.delta(1, "x").has_value());
  return log.id();
}

// On a file system that can exchange two files, and on one that cannot.
struct Shortening : testing::TestWithParam<bool> {
  void SetUp() override { knowsExchange = GetParam(); }
  void TearDown() override { knowsExchange = true; }
};
INSTANTIATE_TEST_SUITE_P(FileSystems, Shortening, testing::Bool());

TEST_P(Shortening, KeepsTheFileFromReadingToTheNewName) {
  QTemporaryDir dir;
  const QString id = longConversation(pathIn(dir));
  int nTries = 0;
  atSync = [&] {
    ++nTries;
    auto other = ChatLog::open(pathIn(dir), id);
    ASSERT_FALSE(other.has_value()) << "at sync " << nTries;
    EXPECT_EQ(other.error().code, Code::failed_precondition);
  };
  EXPECT_TRUE(ChatLog::shorten(pathIn(dir), id).has_value());
  atSync = {};
  EXPECT_GE(nTries, 3);  // the new file, its name, its new name
  EXPECT_LT(ChatLog::seenNow(pathIn(dir), id).size, 2000u);
  auto opened = ChatLog::open(pathIn(dir), id);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->conversation->messages[0].text, QString("x").repeated(1000));
}

TEST_P(Shortening, WhatIsDeletedMeanwhileStaysGone) {
  for (int at = 1; at <= 3; ++at) {
    QTemporaryDir dir;
    const QString id = longConversation(pathIn(dir));
    int n = 0;
    atSync = [&] {
      if (++n == at) {
        EXPECT_TRUE(ChatLog::remove(pathIn(dir), id).has_value());
      }
    };
    EXPECT_TRUE(ChatLog::shorten(pathIn(dir), id).has_value());
    atSync = {};
    EXPECT_GE(n, at);
    EXPECT_TRUE(std::filesystem::is_empty(pathIn(dir))) << "at sync " << at;
  }
}

struct DurableChat : testing::Test {
  QTemporaryDir dir;
  FakeClient client;
  BoxState box{client};
  std::promise<void> go;  // for work that waits
  std::unique_ptr<Chat> chat = std::make_unique<Chat>(box, pathIn(dir, "chats"));
  void SetUp() override {
    client.start();
    ASSERT_TRUE(waitFor([&] { return !chat->model().isEmpty(); }));
  }
  bool answered() {
    return waitFor([&] { return !chat->isAnswering(); }, 30'000);
  }
};

TEST_F(DurableChat, NothingWaitsForTheDiskOnTheGuiThread) {
  nSyncs = nSyncsOnMain = 0;
  ASSERT_TRUE(chat->send("one"));
  chat->keeper().wait();
  EXPECT_GE(nSyncs, 1);  // the question
  ASSERT_TRUE(answered());
  client.setAnswer(QString("word ").repeated(4000), {}, 4, 1);  // long enough to be shortened
  ASSERT_TRUE(chat->send("two"));
  ASSERT_TRUE(answered());
  const QString id = chat->conversationId();
  chat->rename(id, "Named");
  chat->setSampling("0.5", "", "");
  chat->startNew();
  client.setAnswer("short");
  ASSERT_TRUE(chat->send("three"));
  chat->rename(id, "Named again");
  ASSERT_TRUE(answered());
  chat->open(id);
  chat->remove(id);
  chat->keeper().wait();
  EXPECT_EQ(nSyncsOnMain, 0);
  EXPECT_GT(nSyncs, 5);
}

// A disk that does not answer: one goes on asking and reading, and at the end all is written.
TEST_F(DurableChat, ADiskThatHangsDoesNotHoldTheWindow) {
  chat->keeper().post("slow", [f = go.get_future().share()]() -> Result<void> { return f.wait(), Result<void>(); });
  for (const char* question : {"one", "two", "three"}) {
    ASSERT_TRUE(chat->send(question));
    ASSERT_TRUE(answered());
    const Conversation kept = *ChatLog::read(pathIn(dir, "chats"), chat->conversationId());
    EXPECT_EQ(kept.messages.back().ending, "stop");  // in the kernel's hands all the same
  }
  nSyncs = 0;
  go.set_value();
  chat.reset();  // as on exit
  EXPECT_GE(nSyncs, 1);
}

// A file that is held while the disk hangs: one is told, soon, and the text is not lost.
TEST_F(DurableChat, AShorteningThatHangsDoesNotHoldTheWindow) {
  ASSERT_TRUE(chat->send("one"));
  ASSERT_TRUE(answered());
  chat->keeper().wait();
  const QString id = chat->conversationId();
  const auto hangs = [f = go.get_future().share(), folder = pathIn(dir, "chats"), id](std::promise<void>* held) {
    const auto log = ChatLog::open(folder, id);
    held->set_value();
    return f.wait_for(5s), Result<void>();
  };
  std::promise<void> held;
  chat->keeper().post("shorten " + id.toStdString(), [&] { return hangs(&held); });
  held.get_future().wait();
  QElapsedTimer spent;
  spent.start();
  EXPECT_FALSE(chat->send("two"));
  EXPECT_LT(spent.elapsed(), 2000);
  EXPECT_TRUE(chat->problem().contains("Another window")) << chat->problem().toStdString();
  go.set_value();
  chat->keeper().wait();
  EXPECT_TRUE(chat->send("two"));
  ASSERT_TRUE(answered());
}

// Another window's lock has nothing to do with what the disk still has to do here.
TEST_F(DurableChat, AnotherWindowsLockIsNotWaitedFor) {
  ASSERT_TRUE(chat->send("one"));
  ASSERT_TRUE(answered());
  chat->keeper().wait();
  const auto other = ChatLog::open(pathIn(dir, "chats"), chat->conversationId());
  ASSERT_TRUE(other.has_value());
  chat->keeper().post("slow", [f = go.get_future().share()] { return f.wait_for(5s), Result<void>(); });
  QElapsedTimer spent;
  spent.start();
  EXPECT_FALSE(chat->send("two"));
  EXPECT_LT(spent.elapsed(), 2000);
  go.set_value();
}

// What is shown does not jump when the file behind it was shortened, and one goes on in it.
TEST_F(DurableChat, ShorteningIsNotSeen) {
  client.setAnswer(QString("**word** \n\n").repeated(3000), "a thought", 4, 1);
  ASSERT_TRUE(chat->send("one"));
  ASSERT_TRUE(answered());
  chat->keeper().wait();
  const QString id = chat->conversationId();
  EXPECT_LT(ChatLog::seenNow(pathIn(dir, "chats"), id).size, 60'000u);
  QSignalSpy resets(chat->messages(), &QAbstractItemModel::modelReset);
  waitFor([] { return false; }, 700);  // the watch looks after 300 ms
  ASSERT_TRUE(chat->send("two"));
  ASSERT_TRUE(answered());
  EXPECT_EQ(resets.size(), 0);
  EXPECT_EQ(chat->problem(), "");
  EXPECT_EQ(ChatLog::read(pathIn(dir, "chats"), id)->messages.size(), 4u);
}

TEST_F(DurableChat, AFailureIsShown) {
  chat->keeper().post("a", []() -> Result<void> { return error(Code::resource_exhausted, "the disk is full"); });
  EXPECT_TRUE(waitFor([&] { return chat->problem().contains("disk is full"); }));
}

}  // namespace
}  // namespace hearth::gui
