// HttpParser and SseParser: every way to cut the same bytes gives the same answer; nonsense is refused.
#include "gui/client/http_parser.h"

#include <gtest/gtest.h>

#include "gui/client/sse_parser.h"

namespace hearth::gui {
namespace {

const QByteArray kChunked =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: 1\r\n\r\n";
const QByteArray kLength = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone";

QByteArray bodyOf(const QByteArray& bytes, qsizetype cut, int expectedStatus) {
  HttpParser parser;
  EXPECT_TRUE(parser.push(bytes.left(cut)).has_value());
  QByteArray body = parser.takeBody();
  EXPECT_TRUE(parser.push(bytes.mid(cut)).has_value());
  EXPECT_TRUE(parser.isComplete()) << "cut at " << cut;
  EXPECT_EQ(parser.status(), expectedStatus);
  return body + parser.takeBody();
}

TEST(HttpParser, ReadsChunksWhereverTheBytesAreCut) {
  for (qsizetype cut = 0; cut <= kChunked.size(); ++cut) EXPECT_EQ(bodyOf(kChunked, cut, 200), "hello world");
}

TEST(HttpParser, ReadsALengthWhereverTheBytesAreCut) {
  for (qsizetype cut = 0; cut <= kLength.size(); ++cut) EXPECT_EQ(bodyOf(kLength, cut, 404), "gone");
}

TEST(HttpParser, SkipsContinue) {
  HttpParser parser;
  ASSERT_TRUE(parser.push("HTTP/1.1 100 Continue\r\n\r\n" + kLength).has_value());
  EXPECT_EQ(parser.status(), 404);
  EXPECT_EQ(parser.header("content-length"), "4");
}

TEST(HttpParser, ABodyWithoutLengthEndsWithTheConnection) {
  HttpParser parser;
  ASSERT_TRUE(parser.push("HTTP/1.1 200 OK\r\n\r\nsome").has_value());
  EXPECT_FALSE(parser.isComplete());
  ASSERT_TRUE(parser.pushEnd().has_value());
  EXPECT_TRUE(parser.isComplete());
}

TEST(HttpParser, AnAnswerThatIsCutShortIsDataLoss) {
  HttpParser parser;
  ASSERT_TRUE(parser.push(kLength.chopped(2)).has_value());
  auto end = parser.pushEnd();
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().code, Code::data_loss);
}

TEST(HttpParser, RefusesWhatIsNotHttp) {
  HttpParser ssh, size, endless;
  EXPECT_FALSE(ssh.push("SSH-2.0-OpenSSH_9.2\r\n").has_value());
  EXPECT_FALSE(size.push("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").has_value());
  EXPECT_FALSE(endless.push("HTTP/1.1 200 OK\r\nX: " + QByteArray(100'000, 'x')).has_value());
}

TEST(SseParser, ReadsEventsWhereverTheBytesAreCut) {
  const QByteArray bytes = ": hello\n\nid: 7\nevent: job\ndata: one\ndata: two\r\n\r\ndata:three\n\n";
  for (qsizetype cut = 0; cut <= bytes.size(); ++cut) {
    SseParser parser;
    QList<SseEvent> events = *parser.push(bytes.left(cut));
    events += *parser.push(bytes.mid(cut));
    ASSERT_EQ(events.size(), 2) << "cut at " << cut;
    EXPECT_EQ(events[0].id, "7");
    EXPECT_EQ(events[0].name, "job");
    EXPECT_EQ(events[0].data, "one\ntwo");
    EXPECT_EQ(events[1].data, "three");
  }
}

TEST(SseParser, RefusesAnEndlessEvent) {
  SseParser parser;
  EXPECT_FALSE(parser.push("data: " + QByteArray(SseParser::kMaxEventBytes + 1, 'x')).has_value());
}

}  // namespace
}  // namespace hearth::gui
