// ChatLog: what was appended is what is read, whatever happened in between.
#include "gui/chat/chat_log.h"

#include <gtest/gtest.h>

#include <fstream>

#include "gui/tests/support.h"

namespace hearth::gui {
namespace {

ChatMessage user(int id, const char* text) {
  return {id, "user", text, {}, "stop", {}, 100.0 + id, 0};
}
ChatMessage assistant(int id) {
  return {id, "assistant", {}, "m", {}, {}, 100.0 + id, 0};
}

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
  ASSERT_TRUE(log.durable()().has_value());

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
    ChatLog::Opened opened = std::move(*ChatLog::open(pathIn(dir), id));
    ASSERT_TRUE(opened.log.message(user(3, "third")).has_value());
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

TEST(ChatLog, ShorteningLosesNothing) {
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
  ASSERT_TRUE(ChatLog::shorten(pathIn(dir), id).has_value());
  EXPECT_LT(std::filesystem::file_size(pathIn(dir) / (id + ".jsonl").toStdString()), sizeBefore / 4);
  Conversation read = *ChatLog::read(pathIn(dir), id);
  EXPECT_EQ(read.messages[0].text, expected);
  EXPECT_EQ(read.messages[0].ending, "interrupted");
  EXPECT_EQ(read.title, "T");
}

TEST(ChatLog, ThoughtsAndSamplingAreKeptToo) {
  QTemporaryDir dir;
  const Sampling sampling{.temperature = 0.2, .topP = std::nullopt, .maxTokens = 300};
  QString id;
  {
    ChatLog log = *ChatLog::create(pathIn(dir), "m");
    id = log.id();
    ASSERT_TRUE(log.sampling(sampling).has_value());
    ASSERT_TRUE(log.message(assistant(1)).has_value());
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(log.thought(1, "hm ").has_value());
    ASSERT_TRUE(log.delta(1, "Yes").has_value());
    ChatMessage end = assistant(1);
    end.ending = "stop";
    end.thinkingSeconds = 12;
    ASSERT_TRUE(log.end(end).has_value());
  }
  for (int round = 0; round < 2; ++round) {  // as written, and as shortened
    Conversation read = *ChatLog::read(pathIn(dir), id);
    EXPECT_EQ(read.messages[0].thought, QString("hm ").repeated(500));
    EXPECT_EQ(read.messages[0].text, "Yes");
    EXPECT_EQ(read.messages[0].thinkingSeconds, 12);
    EXPECT_EQ(read.sampling, sampling);
    ASSERT_TRUE(ChatLog::shorten(pathIn(dir), id).has_value());
  }
}

TEST(ChatLog, OnlyOneWritesAtATime) {
  QTemporaryDir dir;
  std::optional<ChatLog> first = std::move(*ChatLog::create(pathIn(dir), "m"));
  auto second = ChatLog::open(pathIn(dir), first->id());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Code::failed_precondition);
  EXPECT_TRUE(ChatLog::read(pathIn(dir), first->id()).has_value());
  const QString id = first->id();
  first.reset();
  EXPECT_TRUE(ChatLog::open(pathIn(dir), id).has_value());
}

TEST(ChatLog, ShorteningKeepsTheTimeAndLeavesAlonePeoplesWriting) {
  QTemporaryDir dir;
  std::optional<ChatLog> log = std::move(*ChatLog::create(pathIn(dir), "m"));
  const QString id = log->id();
  ASSERT_TRUE(log->message(assistant(1)).has_value());
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(log->delta(1, "x").has_value());
  const std::filesystem::path path = pathIn(dir) / (id + ".jsonl").toStdString();
  const auto longAgo = std::filesystem::last_write_time(path) - std::chrono::hours(50);
  std::filesystem::last_write_time(path, longAgo);
  const uint64_t before = ChatLog::seenNow(pathIn(dir), id).size;
  EXPECT_TRUE(ChatLog::shorten(pathIn(dir), id).has_value());  // somebody writes: later
  EXPECT_EQ(ChatLog::seenNow(pathIn(dir), id).size, before);
  log.reset();
  EXPECT_TRUE(ChatLog::shorten(pathIn(dir), id).has_value());
  EXPECT_LT(ChatLog::seenNow(pathIn(dir), id).size, before);
  EXPECT_EQ(std::filesystem::last_write_time(path), longAgo);
  EXPECT_TRUE(ChatLog::shorten(pathIn(dir), "nobody").has_value());  // deleted in the meantime
}

// The lock ends with the log, not with the work that is left to do for it.
TEST(ChatLog, WhatIsStillToBeMadeDurableKeepsNobodyOut) {
  QTemporaryDir dir;
  std::optional<ChatLog> log = std::move(*ChatLog::create(pathIn(dir), "m"));
  const QString id = log->id();
  const auto durable = log->durable();
  log.reset();
  EXPECT_TRUE(ChatLog::open(pathIn(dir), id).has_value());
  EXPECT_TRUE(durable().has_value());
}

// After a power cut a new file may be empty: it is no conversation.
TEST(ChatLog, AnEmptyFileIsNotListed) {
  QTemporaryDir dir;
  std::ofstream(pathIn(dir, "20260101-000000-000-0000.jsonl"));
  EXPECT_TRUE(ChatLog::list(pathIn(dir)).empty());
  std::ofstream(pathIn(dir, "20260101-000000-000-0001.jsonl")) << "{}\n";
  EXPECT_EQ(ChatLog::list(pathIn(dir)).size(), 1u);
}

TEST(ChatLog, ATitleIsFoundWithoutReadingEverything) {
  QTemporaryDir dir;
  ChatLog log = *ChatLog::create(pathIn(dir), "m");
  const std::string pasted = "Line one of a long text\n" + std::string(300'000, 'x');
  ASSERT_TRUE(log.message(user(1, pasted.c_str())).has_value());
  EXPECT_TRUE(ChatLog::readTitle(pathIn(dir), log.id())->startsWith("Line one of a long text"));
  EXPECT_LE(ChatLog::readTitle(pathIn(dir), log.id())->size(), 50);
  ASSERT_TRUE(log.title("Named").has_value());
  EXPECT_EQ(*ChatLog::readTitle(pathIn(dir), log.id()), "Named");
  EXPECT_FALSE(ChatLog::readTitle(pathIn(dir), "nobody").has_value());
}

TEST(ChatLog, AFolderThatCannotBeMadeIsAnError) {
  QTemporaryDir dir;
  std::ofstream(pathIn(dir, "file")) << "x";
  EXPECT_FALSE(ChatLog::create(pathIn(dir, "file/chats"), "m").has_value());
}

}  // namespace
}  // namespace hearth::gui
