// HttpClient over a real Unix socket: calls, errors, streaming, stopping, events and coming back.
#include "gui/client/http_client.h"

#include <gtest/gtest.h>

#include <QFile>

#include <algorithm>
#include <fstream>

#include "gui/tests/script_server.h"
#include "gui/tests/support.h"

namespace hearth::gui {
namespace {

QByteArray sseHead() {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
}
QByteArray chunk(const QByteArray& data) {
  return QByteArray::number(data.size(), 16) + "\r\n" + data + "\r\n";
}

struct Answer {
  QString text, thought;
  std::optional<ChatOutcome> outcome;
};

void follow(ChatStream* stream, Answer& answer) {
  QObject::connect(stream, &ChatStream::delta, [&answer](const QString& text) { answer.text += text; });
  QObject::connect(stream, &ChatStream::thought, [&answer](const QString& text) { answer.thought += text; });
  QObject::connect(stream, &ChatStream::finished, [&answer](const ChatOutcome& outcome) { answer.outcome = outcome; });
}

struct UploadResult {
  std::optional<Result<api::Dataset>> dataset;
  qint64 sent = 0, total = 0, most = 0;
  int nSteps = 0;
};

void follow(Upload* upload, UploadResult& result) {
  QObject::connect(upload, &Upload::finished,
                   [&result](const Result<api::Dataset>& dataset) { result.dataset = dataset; });
  QObject::connect(upload, &Upload::progressed, [&result](qint64 sent, qint64 total) {
    result.sent = sent;
    result.total = total;
    ++result.nSteps;
  });
}

// Counts what it is sent and keeps none of it. Reads slowly, so that whoever holds a file whole is seen to.
struct CountingServer {
  QTemporaryDir dir;
  QLocalServer server;
  qint64 nBytes = 0, answersAt = -1;
  QByteArray answer = ScriptServer::ok(R"({"id":"d9"})");
  CountingServer() {
    server.listen(dir.filePath("s"));
    QObject::connect(&server, &QLocalServer::newConnection, [this] {
      QLocalSocket* socket = server.nextPendingConnection();
      socket->setReadBufferSize(1 << 20);
      QObject::connect(socket, &QLocalSocket::readyRead, [this, socket] {
        nBytes += socket->readAll().size();
        if (answersAt < 0 || nBytes < answersAt) return;
        answersAt = -1;
        socket->write(answer);
        socket->disconnectFromServer();
      });
    });
  }
};

qint64 memoryInUse() {  // bytes
  QFile file("/proc/self/statm");
  return file.open(QIODevice::ReadOnly) ? file.readAll().split(' ')[1].toLongLong() * 4096 : 0;
}

// 300 MiB that the disk does not hold, and the desktop neither.
TEST(HttpClient, ALargeFileIsStreamed) {
  constexpr qint64 size = qint64{300} << 20;
  CountingServer server;
  server.answersAt = size;
  QFile file(server.dir.filePath("big.jsonl"));
  ASSERT_TRUE(file.open(QIODevice::WriteOnly) && file.resize(size));
  HttpClient client({.socketPath = server.server.fullServerName()});
  UploadResult result;
  const qint64 before = memoryInUse();
  qint64 most = 0;
  Upload* upload = client.addDataset(file.fileName());
  follow(upload, result);
  QObject::connect(upload, &Upload::progressed, [&](qint64 sent, qint64 total) {
    EXPECT_LE(sent, total);
    most = std::max(most, memoryInUse());
  });
  ASSERT_TRUE(waitFor([&] { return result.dataset.has_value(); }, 120'000));
  ASSERT_TRUE(result.dataset->has_value());
  EXPECT_EQ((*result.dataset)->id, "d9");
  EXPECT_GT(result.nSteps, 100);
  EXPECT_EQ(result.total, size);
  EXPECT_LT(most - before, qint64{64} << 20);
}

TEST(HttpClient, AnUploadIsCancelledAndRefusedInTheMiddle) {
  CountingServer server;
  QFile file(server.dir.filePath("big.jsonl"));
  ASSERT_TRUE(file.open(QIODevice::WriteOnly) && file.resize(qint64{1} << 34));
  HttpClient client({.socketPath = server.server.fullServerName()});
  UploadResult cancelled;
  Upload* upload = client.addDataset(file.fileName());
  follow(upload, cancelled);
  ASSERT_TRUE(waitFor([&] { return server.nBytes > (4 << 20); }));
  upload->cancel();
  ASSERT_TRUE(cancelled.dataset.has_value());
  EXPECT_EQ(cancelled.dataset->error().code, Code::cancelled);

  server.answersAt = server.nBytes + (2 << 20);
  server.answer = ScriptServer::status("413 Payload Too Large", R"({"error":{"message":"at most 4 GiB"}})");
  UploadResult refused;
  follow(client.addDataset(file.fileName()), refused);
  ASSERT_TRUE(waitFor([&] { return refused.dataset.has_value(); }));
  EXPECT_EQ(refused.dataset->error().message, "at most 4 GiB");

  UploadResult missing;
  follow(client.addDataset(server.dir.filePath("none")), missing);
  ASSERT_TRUE(waitFor([&] { return missing.dataset.has_value(); }));
  EXPECT_EQ(missing.dataset->error().code, Code::not_found);
}

TEST(HttpClient, ReadsAList) {
  ScriptServer server;
  server.on("GET /hearth/v1/models ", ScriptServer::ok(R"({"models":[{"name":"m","size_bytes":7}]})"));
  HttpClient client({.socketPath = server.path()});
  std::optional<Result<std::vector<api::Model>>> got;
  client.models([&](Result<std::vector<api::Model>> models) { got = std::move(models); });
  ASSERT_TRUE(waitFor([&] { return got.has_value(); }));
  ASSERT_TRUE(got->has_value());
  EXPECT_EQ((**got)[0].name, "m");
  EXPECT_EQ((**got)[0].size_bytes, 7u);
}

TEST(HttpClient, QuotesNamesAndSendsBytes) {
  ScriptServer server;
  server.on("DELETE ", ScriptServer::ok("{}"));
  server.on("POST /hearth/v1/datasets?name=a%26b%20c.jsonl ", ScriptServer::ok(R"({"id":"d1"})"));
  HttpClient client({.socketPath = server.path()});
  bool removed = false;
  client.removeModel("a/b", [&](const Result<void>& done) { removed = done.has_value(); });
  QTemporaryDir dir;
  std::ofstream(pathIn(dir, "a&b c.jsonl")) << std::string(1 << 20, 'x');
  UploadResult uploaded;
  follow(client.addDataset(dir.filePath("a&b c.jsonl")), uploaded);
  ASSERT_TRUE(waitFor([&] { return removed && uploaded.dataset.has_value(); }));
  EXPECT_EQ((*uploaded.dataset)->id, "d1");
  auto isRemoval = [](const QByteArray& request) { return request.startsWith("DELETE /hearth/v1/models/a%2Fb "); };
  EXPECT_EQ(std::count_if(server.requests.begin(), server.requests.end(), isRemoval), 1);
}

TEST(HttpClient, AnErrorSaysWhatTheServiceSaid) {
  ScriptServer server;
  server.on("POST /hearth/v1/deployments ",
            ScriptServer::status("409 Conflict", R"({"error":{"message":"stop it first"}})"));
  HttpClient client({.socketPath = server.path()});
  std::optional<Error> problem;
  client.deploy({.model = "m"}, [&](Result<api::Deployment> d) { problem = d.error(); });
  ASSERT_TRUE(waitFor([&] { return problem.has_value(); }));
  EXPECT_EQ(problem->message, "stop it first");
  EXPECT_EQ(problem->code, Code::failed_precondition);
}

TEST(HttpClient, NobodyThereIsUnavailable) {
  QTemporaryDir dir;
  HttpClient client({.socketPath = dir.filePath("none")});
  std::optional<Error> problem;
  client.box([&](Result<api::Box> box) { problem = box.error(); });
  ASSERT_TRUE(waitFor([&] { return problem.has_value(); }));
  EXPECT_EQ(problem->code, Code::unavailable);
  EXPECT_NE(problem->message.find(dir.path().toStdString()), std::string::npos);
}

TEST(HttpClient, WrongTypesNameTheField) {
  ScriptServer server;
  server.on("GET /hearth/v1/jobs ", ScriptServer::ok(R"({"jobs":[{"id":3}]})"));
  HttpClient client({.socketPath = server.path()});
  std::optional<Error> problem;
  client.jobs([&](Result<std::vector<api::Job>> jobs) { problem = jobs.error(); });
  ASSERT_TRUE(waitFor([&] { return problem.has_value(); }));
  EXPECT_NE(problem->message.find("jobs[0].id"), std::string::npos) << problem->message;
}

TEST(HttpClient, StreamsAnAnswer) {
  ScriptServer server;
  QByteArray body =
      chunk("data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n") +
      chunk("data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\ndata: {\"choi") +
      chunk("ces\":[{\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"length\"}]}\n\n") +
      chunk("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n") +
      "0\r\n\r\n";
  server.on("POST /v1/chat/completions ", sseHead() + body);
  HttpClient client({.socketPath = server.path()});
  Answer answer;
  follow(client.chat({.model = "m", .messages = {{"user", "Hi"}}}), answer);
  ASSERT_TRUE(waitFor([&] { return answer.outcome.has_value(); }));
  EXPECT_FALSE(answer.outcome->error) << answer.outcome->error->message;
  EXPECT_EQ(answer.text, "Hello");
  EXPECT_EQ(answer.outcome->finishReason, "length");
  EXPECT_EQ(answer.outcome->completionTokens, 2);
  EXPECT_TRUE(server.requests[0].contains(R"("stream":true)"));
}

// The usual refusals are said in the desktop's words, whatever the service's are; others as it says them.
TEST(HttpClient, UsualRefusalsAreWorded) {
  const std::pair<const char*, const char*> kRefusals[] = {
      {"context_length_exceeded", "longer than the model can read"},
      {"model_not_found", "Models page"},
      {"rate_limit", "prose of the service"}};
  for (auto [code, words] : kRefusals) {
    const QByteArray body = QByteArray(R"({"error":{"message":"prose of the service","code":")") + code + "\"}}";
    for (const QByteArray& answer : {QByteArray(ScriptServer::status("400 Bad Request", body)),
                                     sseHead() + chunk("data: " + body + "\n\n") + "0\r\n\r\n"}) {
      ScriptServer server;
      server.on("POST /v1/chat/completions ", answer);
      HttpClient client({.socketPath = server.path()});
      Answer got;
      follow(client.chat({.model = "m"}), got);
      ASSERT_TRUE(waitFor([&] { return got.outcome.has_value(); })) << code;
      ASSERT_TRUE(got.outcome->error.has_value()) << code;
      EXPECT_NE(got.outcome->error->message.find(words), std::string::npos) << got.outcome->error->message;
    }
  }
}

TEST(HttpClient, ThoughtsComeApartAndSamplingIsSent) {
  ScriptServer server;
  server.on("POST ", sseHead() + chunk("data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"Hm.\"}}]}\n\n") +
                         chunk("data: {\"choices\":[{\"delta\":{\"content\":\"Yes\"}}]}\n\ndata: [DONE]\n\n") +
                         "0\r\n\r\n");
  HttpClient client({.socketPath = server.path()});
  Answer answer;
  follow(client.chat({.model = "m", .sampling = {.temperature = 0.25, .topP = 0.5, .maxTokens = 7}}), answer);
  ASSERT_TRUE(waitFor([&] { return answer.outcome.has_value(); }));
  EXPECT_EQ(answer.thought, "Hm.");
  EXPECT_EQ(answer.text, "Yes");
  for (const char* part : {R"("temperature":0.25)", R"("top_p":0.5)", R"("max_tokens":7)"})
    EXPECT_TRUE(server.requests[0].contains(part)) << part;
}

TEST(HttpClient, AnAnswerThatBreaksOffSaysSo) {
  ScriptServer server;
  server.on("POST ", sseHead() + chunk("data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n"));
  HttpClient client({.socketPath = server.path()});
  Answer answer;
  follow(client.chat({.model = "m"}), answer);
  ASSERT_TRUE(waitFor([&] { return answer.outcome.has_value(); }));
  EXPECT_EQ(answer.text, "Hel");
  ASSERT_TRUE(answer.outcome->error);
  EXPECT_EQ(answer.outcome->error->code, Code::data_loss);
}

TEST(HttpClient, ARefusedChatCarriesTheReason) {
  ScriptServer server;
  server.on("POST ", ScriptServer::status("404 Not Found", R"({"error":{"message":"no model named m"}})"));
  HttpClient client({.socketPath = server.path()});
  Answer answer;
  follow(client.chat({.model = "m"}), answer);
  ASSERT_TRUE(waitFor([&] { return answer.outcome.has_value(); }));
  ASSERT_TRUE(answer.outcome->error);
  EXPECT_EQ(answer.outcome->error->message, "no model named m");
}

TEST(HttpClient, StoppingClosesTheConnection) {
  ScriptServer server;
  server.on("POST ", sseHead() + chunk("data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n"), true);
  HttpClient client({.socketPath = server.path()});
  Answer answer;
  ChatStream* stream = client.chat({.model = "m"});
  follow(stream, answer);
  ASSERT_TRUE(waitFor([&] { return answer.text == "Hel"; }));
  stream->stop();
  ASSERT_TRUE(answer.outcome && answer.outcome->error);
  EXPECT_EQ(answer.outcome->error->code, Code::cancelled);
  EXPECT_TRUE(waitFor([&] { return server.nClosedByClient == 1; }));
}

TEST(HttpClient, FollowsEventsAndComesBackWithTheLastId) {
  ScriptServer server;
  server.on(
      "GET /hearth/v1/events ",
      sseHead() + chunk("id: 41\ndata: {\"id\":41,\"kind\":\"job\",\"subject\":\"j1\",\"job\":{\"id\":\"j1\"}}\n\n"),
      true);
  HttpClient client({.socketPath = server.path()});
  int nConnected = 0, nDisconnected = 0;
  QList<api::Event> events;
  QObject::connect(&client, &Client::connected, [&] { ++nConnected; });
  QObject::connect(&client, &Client::disconnected, [&] { ++nDisconnected; });
  QObject::connect(&client, &Client::event, [&](const api::Event& event) { events.append(event); });
  client.start();
  ASSERT_TRUE(waitFor([&] { return events.size() == 1; }));
  EXPECT_EQ(nConnected, 1);
  EXPECT_EQ(events[0].job->id, "j1");
  server.dropConnections();
  ASSERT_TRUE(waitFor([&] { return nConnected == 2; }));
  EXPECT_GE(nDisconnected, 1);
  EXPECT_TRUE(server.requests.last().contains("Last-Event-ID: 41"));
}

TEST(Endpoint, AsksForTheBoxByTheNameThatWasGiven) {
  EXPECT_EQ((*Endpoint::fromUrl("http://192.168.1.20:8080")).hostHeader(), "192.168.1.20:8080");
  EXPECT_EQ((*Endpoint::fromUrl("http://[::1]:81")).hostHeader(), "[::1]:81");
  EXPECT_EQ((Endpoint{"/run/hearth/hearthd.sock", {}, 0}).hostHeader(), "hearth");
}

TEST(Endpoint, TakesOnlyHttpAddresses) {
  EXPECT_EQ(Endpoint::fromUrl("http://box:8080")->port, 8080);
  EXPECT_EQ(Endpoint::fromUrl(" http://192.168.1.20 ")->port, 80);
  for (const char* bad : {"", "box:8080", "https://box", "http://", "ftp://box"})
    EXPECT_FALSE(Endpoint::fromUrl(bad)) << bad;
}

}  // namespace
}  // namespace hearth::gui
