// ChatLog: what was appended is what is read, whatever happened in between.
#include "gui/chat/chat_log.h"

#include <gtest/gtest.h>

#include <fstream>

#include "gui/tests/support.h"

namespace hearth::gui {
namespace {

ChatMessage user(int id, const char* text) { return {id, "user", text, {}, "stop", {}, 100.0 + id, 0}; }
ChatMessage assistant(int id) { return {id, "assistant", {}, "m", {}, {}, 100.0 + id, 0}; }

TEST(ChatLog, ReadsBackWhatStreamed) {
  QTemporaryDir dir;
  ChatLog log = *ChatLog::create(pathIn(dir, "chats"), "m");
  ASSERT_TRUE(log.message(user(1, "Hi\n\"you\" 你好")).has_value());
  ASSERT_TRUE(log.message(assistant(2)).has_value());
  for (const char* piece : {"Hel", "lo", " 世界"}) ASSERT_TRUE(log.delta(2, QString::fromUtf8(piece)).has_value());
  ChatMessage end = assistant(2);
  end.ending = "stop";
  end.tokensPerSecond = 31;
  ASSERT_TRUE(log.end(end).has_value());
  ASSERT_TRUE(log.sync().has_value());

  Conversation read = *ChatLog::read(pathIn(dir, "chats"), log.id());
  ASSERT_EQ(read.messages.size(), 2u);
  EXPECT_EQ(read.messages[0].text, QString::fromUtf8("Hi\n\"you\" 你好"));
  EXPECT_EQ(read.messages[1].text, QString::fromUtf8("Hello 世界"));
  EXPECT_EQ(read.messages[1].ending, "stop");
  EXPECT_EQ(read.messages[1].tokensPerSecond, 31);
  EXPECT_EQ(read.model, "m");
}

TEST(ChatLog, AnAnswerWithoutAnEndWasInterrupted) {
  QTemporaryDir dir;
  ChatLog log = *ChatLog::create(pathIn(dir), "m");
  ASSERT_TRUE(log.message(user(1, "Hi")).has_value());
  ASSERT_TRUE(log.message(assistant(2)).has_value());
  ASSERT_TRUE(log.delta(2, "Hel").has_value());
  Conversation read = *ChatLog::read(pathIn(dir), log.id());  // no close, no sync: as after a crash
  EXPECT_EQ(read.messages[1].text, "Hel");
  EXPECT_EQ(read.messages[1].ending, "interrupted");
}

// However the file is cut by a power failure, everything before the cut is there and the next append is not swallowed.
TEST(ChatLog, AnyTornEndIsSurvived) {
  QTemporaryDir dir;
  QString id;
  {
    ChatLog log = *ChatLog::create(pathIn(dir), "m");
    id = log.id();
    ASSERT_TRUE(log.message(user(1, "first")).has_value());
    ASSERT_TRUE(log.message(user(2, "second")).has_value());
  }
  std::filesystem::path path = pathIn(dir) / (id + ".jsonl").toStdString();
  std::string whole = *read_file(path);
  size_t firstEnd = whole.find('\n', whole.find("first")) + 1;
  for (size_t size = firstEnd; size < whole.size(); ++size) {
    ASSERT_TRUE(write_file(path, whole.substr(0, size)).has_value());
    ChatLog log = *ChatLog::open(pathIn(dir), id);
    ASSERT_TRUE(log.message(user(3, "third")).has_value());
    Conversation read = *ChatLog::read(pathIn(dir), id);
    ASSERT_EQ(read.messages.front().text, "first") << size;
    ASSERT_EQ(read.messages.back().text, "third") << size;
  }
}

TEST(ChatLog, CutRemovesTheRest) {
  QTemporaryDir dir;
  ChatLog log = *ChatLog::create(pathIn(dir), "m");
  for (int id = 1; id <= 4; ++id) ASSERT_TRUE(log.message(user(id, "x")).has_value());
  ASSERT_TRUE(log.cut(3).has_value());
  EXPECT_EQ(ChatLog::read(pathIn(dir), log.id())->messages.size(), 2u);
}

TEST(ChatLog, OpeningALongFileShortensItAndLosesNothing) {
  QTemporaryDir dir;
  QString id, expected;
  {
    ChatLog log = *ChatLog::create(pathIn(dir), "m");
    id = log.id();
    ASSERT_TRUE(log.message(assistant(1)).has_value());
    for (int i = 0; i < 1000; ++i) {
      ASSERT_TRUE(log.delta(1, QString::number(i)).has_value());
      expected += QString::number(i);
    }
    ASSERT_TRUE(log.title("T").has_value());
  }
  auto sizeBefore = std::filesystem::file_size(pathIn(dir) / (id + ".jsonl").toStdString());
  ASSERT_TRUE(ChatLog::open(pathIn(dir), id).has_value());
  EXPECT_LT(std::filesystem::file_size(pathIn(dir) / (id + ".jsonl").toStdString()), sizeBefore / 4);
  Conversation read = *ChatLog::read(pathIn(dir), id);
  EXPECT_EQ(read.messages[0].text, expected);
  EXPECT_EQ(read.messages[0].ending, "interrupted");
  EXPECT_EQ(read.title, "T");
}

TEST(ChatLog, AFolderThatCannotBeMadeIsAnError) {
  QTemporaryDir dir;
  std::ofstream(pathIn(dir, "file")) << "x";
  EXPECT_FALSE(ChatLog::create(pathIn(dir, "file/chats"), "m").has_value());
}

}  // namespace
}  // namespace hearth::gui
