// HttpClient over a real Unix socket: calls, errors, streaming, stopping, events and coming back.
#include "gui/client/http_client.h"

#include <gtest/gtest.h>

#include <algorithm>

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
  QString text;
  std::optional<ChatOutcome> outcome;
};

void follow(ChatStream* stream, Answer& answer) {
  QObject::connect(stream, &ChatStream::delta, [&answer](const QString& text) { answer.text += text; });
  QObject::connect(stream, &ChatStream::finished, [&answer](const ChatOutcome& outcome) { answer.outcome = outcome; });
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
  std::string id;
  client.removeModel("a/b", [&](const Result<void>& done) { removed = done.has_value(); });
  client.addDataset("a&b c.jsonl", QByteArray(1 << 20, 'x'), [&](Result<api::Dataset> d) { id = d ? d->id : ""; });
  ASSERT_TRUE(waitFor([&] { return removed && id == "d1"; }));
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
