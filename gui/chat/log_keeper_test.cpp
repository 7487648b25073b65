// Waiting for the disk: never on the GUI's thread, nothing left undone. The calls themselves are watched here.
#include "gui/chat/log_keeper.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <QSignalSpy>

#include <atomic>
#include <future>

#include "gui/chat/chat.h"
#include "gui/client/fake_client.h"
#include "gui/tests/support.h"

namespace {
std::atomic<int> nSyncs = 0, nSyncsOnMain = 0;

int counted(long call, int fd) {
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

namespace hearth::gui {
namespace {

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

struct DurableChat : testing::Test {
  QTemporaryDir dir;
  FakeClient client;
  BoxState box{client};
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
  std::promise<void> go;
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
