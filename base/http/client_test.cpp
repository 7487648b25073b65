// The client against our own server: streamed events, cancel, time-outs, refused connections.
#include "base/http/client.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/files.h"
#include "base/http/server.h"

namespace hearth::http::client_test {
namespace {

using namespace std::chrono_literals;

struct Fixture : testing::Test {
  std::unique_ptr<Server> server;
  std::string url;
  void start(Router router) {
    server = std::move(*Server::create(std::move(router)));
    url = "http://" + *server->listen_tcp("127.0.0.1:0");
  }
};

using Client = Fixture;

TEST_F(Client, PullsServerSentEvents) {
  Router router;
  router.add("GET", "/events", [](Request&) -> Result<Response> {
    return stream_response("text/event-stream", [](StreamWriter& out) -> Result<void> {
      for (int i = 0; i < 1000; ++i)
        if (!out.write(format_sse({.data = std::string(500, 'x'), .id = std::to_string(i)}))) break;
      return {};
    });
  });
  start(std::move(router));
  auto stream = ClientStream::open({.url = url + "/events"});
  ASSERT_TRUE(stream);
  EXPECT_EQ(stream->status(), 200);
  EXPECT_EQ(stream->headers().find("content-type"), "text/event-stream");
  int n = 0;
  while (true) {
    auto event = stream->next_event();
    ASSERT_TRUE(event) << event.error().to_string();
    if (!*event) break;
    EXPECT_EQ((*event)->id, std::to_string(n++));
  }
  EXPECT_EQ(n, 1000);
}

TEST_F(Client, CancelledFromAnotherThread) {
  Router router;
  std::stop_source stop;
  router.add("GET", "/never", [&](Request& r) -> Result<Response> {
    stop.request_stop();  // cancels the client while it waits for us
    while (!r.stop.stop_requested()) std::this_thread::yield();
    return Response();
  });
  start(std::move(router));
  auto response = fetch({.url = url + "/never", .stop = stop.get_token()});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Code::cancelled);
}

TEST_F(Client, TimesOut) {
  Router router;
  router.add("GET", "/never", [&](Request& r) -> Result<Response> {
    while (!r.stop.stop_requested()) std::this_thread::yield();
    return Response();
  });
  start(std::move(router));
  EXPECT_EQ(fetch({.url = url + "/never", .timeout = 100ms}).error().code, Code::deadline_exceeded);
  EXPECT_EQ(fetch({.url = url + "/never", .idle_timeout = 100ms}).error().code, Code::deadline_exceeded);
}

TEST_F(Client, BytesBeforeAFailureAreRead) {
  Router router;
  router.add("GET", "/cut", [](Request&) -> Result<Response> {
    return stream_response("text/plain", [](StreamWriter& out) -> Result<void> {
      out.write("last words");
      return error(Code::internal, "cut");
    });
  });
  start(std::move(router));
  for (int i = 0; i < 20; ++i) {
    auto stream = ClientStream::open({.url = url + "/cut"});
    ASSERT_TRUE(stream);
    EXPECT_EQ(stream->read().value_or(""), "last words");
    EXPECT_FALSE(stream->read());
  }
}

TEST_F(Client, NobodyListens) {
  TempFolder folder = std::move(*TempFolder::create("sock"));
  auto response = fetch({.url = "http://localhost/", .unix_socket = folder.path() / "none.sock"});
  EXPECT_EQ(response.error().code, Code::unavailable);
  EXPECT_EQ(fetch({.url = "file:///etc/passwd"}).error().code, Code::invalid_argument);
}

TEST_F(Client, LimitsWhatItTakes) {
  Router router;
  router.add("GET", "/big", [](Request&) -> Result<Response> { return text_response(std::string(100'000, 'x')); });
  start(std::move(router));
  EXPECT_EQ(fetch({.url = url + "/big", .max_body_bytes = 1000}).error().code, Code::resource_exhausted);
  EXPECT_EQ(fetch({.url = url + "/big"})->body.size(), 100'000u);
}

}  // namespace
}  // namespace hearth::http::client_test
