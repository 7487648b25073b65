// The server over real sockets: keep-alive, limits, slow and vanished clients, streams with back-pressure, many
// connections.
#include "base/http/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/files.h"
#include "base/http/client.h"
#include "base/http/worker_pool.h"

namespace hearth::http::server_test {
namespace {

using namespace std::chrono_literals;

// A flag that tests wait on instead of sleeping.
class Signal {
 public:
  void set() {
    std::lock_guard lock(mutex_);
    is_set_ = true;
    changed_.notify_all();
  }
  bool wait(std::chrono::milliseconds at_most = 10s) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, at_most, [&] { return is_set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_set_ = false;
};

// Sends and receives raw bytes.
class RawClient {
 public:
  explicit RawClient(const std::string& address) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{.sin_family = AF_INET, .sin_port = htons(std::stoi(address.substr(address.rfind(':') + 1)))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  bool connected() const { return connected_; }
  bool send(std::string_view bytes) {
    return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  // Until the server closes, or `until` was seen, or ten seconds passed.
  std::string receive(std::string_view until = {}) {
    std::string out;
    pollfd poll_for{fd_.get(), POLLIN, 0};
    while ((until.empty() || out.find(until) == std::string::npos) && ::poll(&poll_for, 1, 10'000) == 1) {
      char buffer[4096];
      ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (n <= 0) break;
      out.append(buffer, static_cast<size_t>(n));
    }
    return out;
  }
  void close() { fd_ = Fd(); }
  int fd() const { return fd_.get(); }

 private:
  Fd fd_;
  bool connected_ = false;
};

std::unique_ptr<Server> make_server(Router router, ServerOptions options = {}) {
  auto server = Server::create(std::move(router), std::move(options));
  EXPECT_TRUE(server);
  return std::move(*server);
}

Handler echo() {
  return [](Request& r) -> Result<Response> { return text_response(r.body); };
}

TEST(Server, KeepAliveAndPipelining) {
  Router router;
  router.add("GET", "/hello/{name}",
             [](Request& r) -> Result<Response> { return text_response("hi " + r.params["name"]); });
  auto server = make_server(std::move(router));
  RawClient client(*server->listen_tcp("127.0.0.1:0"));
  client.send("GET /hello/a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(client.receive("hi a").find("200 OK"), std::string::npos);
  client.send(
      "GET /hello/b HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hello/c HTTP/1.1\r\nHost: localhost\r\nConnection: "
      "close\r\n\r\n");
  std::string both = client.receive();
  EXPECT_LT(both.find("hi b"), both.find("hi c"));
  EXPECT_NE(both.find("hi c"), std::string::npos);
}

TEST(Server, HeadOptionsWrongMethodAndUnknownPath) {
  Router router;
  router.add("GET", "/x", [](Request&) -> Result<Response> { return text_response("12345"); });
  auto server = make_server(std::move(router));
  std::string address = *server->listen_tcp("127.0.0.1:0");
  RawClient head(address);
  head.send("HEAD /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  std::string got = head.receive();
  EXPECT_NE(got.find("Content-Length: 5"), std::string::npos);
  EXPECT_TRUE(got.ends_with("\r\n\r\n"));
  EXPECT_EQ(fetch({.method = "OPTIONS", .url = "http://" + address + "/x"})->headers.find("Allow"), "GET");
  EXPECT_EQ(fetch({.method = "POST", .url = "http://" + address + "/x"})->status, 405);
  auto missing = fetch({.url = "http://" + address + "/y"});
  EXPECT_EQ(missing->status, 404);
  EXPECT_EQ((*parse_json(missing->body))["error"]["code"], "not_found");
}

TEST(Server, ErrorsAndExceptionsBecomeOpenAiErrors) {
  Router router;
  router.add("GET", "/bad",
             [](Request&) -> Result<Response> { return error(Code::failed_precondition, "not deployed"); });
  router.add("GET", "/throws", [](Request&) -> Result<Response> { throw std::runtime_error("oops"); });
  auto server = make_server(std::move(router));
  std::string url = "http://" + *server->listen_tcp("127.0.0.1:0");
  EXPECT_EQ(fetch({.url = url + "/bad"})->status, 409);
  EXPECT_EQ(fetch({.url = url + "/throws"})->status, 500);
  EXPECT_EQ(expect_ok(fetch({.url = url + "/bad"})).error().code, Code::failed_precondition);
  EXPECT_EQ(expect_ok(fetch({.url = url + "/bad"})).error().message, "not deployed");
}

TEST(Server, RefusesForeignHostsAndPages) {
  Router router;
  router.add("POST", "/x", echo());
  auto server = make_server(std::move(router));
  std::string url = "http://" + *server->listen_tcp("127.0.0.1:0") + "/x";
  auto status_with = [&](std::string_view name, std::string_view value) {
    ClientRequest request{.method = "POST", .url = url};
    request.headers.add(name, value);
    return fetch(request)->status;
  };
  EXPECT_EQ(status_with("Host", "evil.example"), 403);
  EXPECT_EQ(status_with("Host", "localhost"), 200);
  EXPECT_EQ(status_with("Origin", "http://evil.example"), 403);
  EXPECT_FALSE(fetch({.method = "POST", .url = url})->headers.find("Access-Control-Allow-Origin"));
}

TEST(Server, LimitsHeadersAndBodies) {
  Router router;
  router.add("POST", "/small", echo(), {.max_body_bytes = 100});
  ServerOptions options;
  options.max_header_bytes = 1024;
  auto server = make_server(std::move(router), options);
  std::string address = *server->listen_tcp("127.0.0.1:0");
  std::string url = "http://" + address + "/small";
  EXPECT_EQ(fetch({.method = "POST", .url = url, .body = std::string(100, 'x')})->body, std::string(100, 'x'));
  EXPECT_EQ(fetch({.method = "POST", .url = url, .body = std::string(101, 'x')})->status, 413);
  ClientRequest chunked{.method = "POST", .url = url, .body = std::string(3'000'000, 'x')};
  auto refused = fetch(chunked);
  ASSERT_TRUE(refused) << refused.error().to_string();
  EXPECT_EQ(refused->status, 413);

  RawClient unknown_length(address);
  unknown_length.send("POST /small HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n80\r\n" +
                      std::string(128, 'x') + "\r\n0\r\n\r\n");
  EXPECT_NE(unknown_length.receive().find(" 413 "), std::string::npos);
  RawClient large_head(address);
  large_head.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(2000, 'x'));
  EXPECT_NE(large_head.receive().find(" 431 "), std::string::npos);
  RawClient nonsense(address);
  nonsense.send("this is not HTTP\r\n\r\n");
  EXPECT_NE(nonsense.receive().find(" 400 "), std::string::npos);
}

// The answer reaches a client that reads only when it has sent everything, far more than sockets buffer. A client that
// never ends is cut off.
TEST(Server, ClientsThatReadLateGetTheRefusal) {
  Router router;
  router.add("POST", "/small", echo(), {.max_body_bytes = 100});
  auto server = make_server(std::move(router));
  std::string address = *server->listen_tcp("127.0.0.1:0");
  constexpr size_t kBodyBytes = 40 << 20;
  RawClient late(address);
  late.send(fmt::format("POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", kBodyBytes));
  const std::string piece(1 << 20, 'x');
  for (size_t n = 0; n < kBodyBytes; n += piece.size()) ASSERT_TRUE(late.send(piece));
  EXPECT_NE(late.receive().find(" 413 "), std::string::npos);

  RawClient endless(address);
  endless.send("POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n");
  int n_sent = 0;
  while (n_sent < 1000 && endless.send(piece)) ++n_sent;
  EXPECT_LT(n_sent, 1000);
}

// Bodies that are held for slow senders and busy workers are bounded in all, not only one by one; small ones pass.
TEST(Server, BodiesAreBoundedInAll) {
  Router router;
  Signal started, go;
  router.add("POST", "/hold",
             [&](Request&) -> Result<Response> {
               started.set();
               go.wait();
               return text_response("held");
             },
             {.max_body_bytes = 1 << 20});
  router.add("POST", "/x", echo(), {.max_body_bytes = 1 << 20});
  ServerOptions options;
  options.max_body_bytes_in_all = 1 << 20;
  auto server = make_server(std::move(router), options);
  std::string address = *server->listen_tcp("127.0.0.1:0");
  RawClient holder(address);
  const std::string large(900'000, 'x');
  holder.send(
      fmt::format("POST /hold HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}", large.size(), large));
  ASSERT_TRUE(started.wait());
  ClientRequest request{.method = "POST", .url = "http://" + address + "/x", .body = large};
  auto refused = fetch(request);
  ASSERT_TRUE(refused) << refused.error().to_string();
  EXPECT_EQ(refused->status, 503);
  EXPECT_EQ(refused->headers.find("Retry-After"), "5");
  request.body = std::string(10'000, 'y');
  EXPECT_EQ(fetch(request)->body, request.body);
  go.set();
  EXPECT_NE(holder.receive("held").find(" 200 "), std::string::npos);
  holder.close();
  request.body = large;
  auto again = fetch(request);  // what was held is given back with the answer, or a moment later
  for (int i = 0; i < 1000 && again && again->status == 503; ++i) again = fetch(request);
  EXPECT_EQ(again->status, 200);
}

// A length that is only announced takes nothing from the others.
TEST(Server, AnnouncedBytesAreNotHeld) {
  Router router;
  router.add("POST", "/x", echo(), {.max_body_bytes = 16 << 20});
  ServerOptions options;
  options.max_body_bytes_in_all = 1 << 20;
  auto server = make_server(std::move(router), options);
  std::string address = *server->listen_tcp("127.0.0.1:0");
  std::vector<RawClient> silent;
  for (int i = 0; i < 50; ++i) {
    silent.emplace_back(address);
    silent.back().send("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16777216\r\n\r\nabc");
  }
  const std::string body(800'000, 'x');
  EXPECT_EQ(fetch({.method = "POST", .url = "http://" + address + "/x", .body = body})->body, body);
}

TEST(Server, BodiesThatTrickleAreCutOff) {
  Router router;
  router.add("POST", "/x", echo());
  ServerOptions options;
  options.body_timeout = 100ms;
  options.min_body_bytes_per_s = 1'000'000;
  auto server = make_server(std::move(router), options);
  RawClient client(*server->listen_tcp("127.0.0.1:0"));
  client.send("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
  const auto end = std::chrono::steady_clock::now() + 10s;
  pollfd answer{client.fd(), POLLIN, 0};
  while (::poll(&answer, 1, 20) == 0 && std::chrono::steady_clock::now() < end) client.send("a");
  EXPECT_NE(client.receive().find(" 408 "), std::string::npos);
}

// Who asks for a path or a method that there is not has soon been waited for.
TEST(Server, StrangersAreNotWaitedForLong) {
  Router router;
  router.add("GET", "/x", echo());
  auto server = make_server(std::move(router));
  std::string address = *server->listen_tcp("127.0.0.1:0");
  for (const char* head : {"POST /nothing HTTP/1.1\r\nHost: localhost\r\n", "POST /x HTTP/1.1\r\nHost: localhost\r\n",
                           "POST /x HTTP/1.1\r\nHost: evil.example\r\n"}) {
    RawClient client(address);
    const auto began = std::chrono::steady_clock::now();
    client.send(std::string(head) + "Content-Length: 99999999\r\n\r\nabc");
    EXPECT_NE(client.receive("}").find(" 40"), std::string::npos) << head;
    pollfd closed{client.fd(), POLLHUP | POLLERR, 0};
    while (::poll(&closed, 1, 50) == 0 && std::chrono::steady_clock::now() - began < 10s) client.send("more");
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s) << head;
  }
}

TEST(Server, TheUnixSocketIsOpenWhenTheNetworkIsFull) {
  TempFolder folder = std::move(*TempFolder::create("sock"));
  Router router;
  router.add("GET", "/x", [](Request&) -> Result<Response> { return text_response("ok"); });
  ServerOptions options;
  options.max_connections = 128;
  auto server = make_server(std::move(router), options);
  std::string address = *server->listen_tcp("127.0.0.1:0");
  ASSERT_TRUE(server->listen_unix(folder.path() / "a.sock", 0600));
  std::vector<RawClient> clients;
  for (int i = 0; i < 126; ++i) {
    clients.emplace_back(address);
    clients.back().send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_NE(clients.back().receive("ok").find("200"), std::string::npos) << i;
  }
  RawClient late(address);
  const std::string full = late.receive();
  EXPECT_NE(full.find(" 503 "), std::string::npos);
  EXPECT_NE(full.find("Retry-After"), std::string::npos);
  EXPECT_EQ(fetch({.url = "http://localhost/x", .unix_socket = folder.path() / "a.sock"})->body, "ok");
}

// Answers from workers that wait for nothing, while every other worker is held.
TEST(Server, QuickRoutesAnswerWhenAllWorkersAreBusy) {
  Router router;
  Signal started, go;
  router.add("GET", "/long", [&](Request&) -> Result<Response> {
    started.set();
    go.wait();
    return text_response("long");
  });
  router.add("GET", "/health", [](Request&) -> Result<Response> { return text_response("ok"); }, {.quick = true});
  ServerOptions options;
  options.max_handlers = 1;
  options.max_queued = 1;
  auto server = make_server(std::move(router), options);
  std::string address = *server->listen_tcp("127.0.0.1:0");
  RawClient busy(address), waiting(address);
  busy.send("GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(started.wait());
  waiting.send("GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n");
  auto health = fetch({.url = "http://" + address + "/health", .timeout = 5s});
  go.set();
  ASSERT_TRUE(health) << health.error().to_string();
  EXPECT_EQ(health->body, "ok");
}

TEST(Server, UploadLargerThanTheDiskIsRefusedAtOnce) {
  Router router;
  router.add("POST", "/up", echo(), {.max_body_bytes = uint64_t{1} << 60, .body_to_file = true});
  auto server = make_server(std::move(router));
  RawClient client(*server->listen_tcp("127.0.0.1:0"));
  client.send("POST /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1125899906842624\r\n\r\nabc");
  std::string got = client.receive();
  EXPECT_NE(got.find(" 507 "), std::string::npos) << got;
  EXPECT_NE(got.find("insufficient_storage_error"), std::string::npos) << got;
  EXPECT_NE(got.find("not enough disk space"), std::string::npos) << got;
}

// A failure to store a body is not a body that is too large, whatever its code.
TEST(Server, UploadThatCannotBeStoredIsNot413) {
  Router router;
  router.add("POST", "/up", echo(), {.max_body_bytes = 100, .body_to_file = true});
  TempFolder folder = std::move(*TempFolder::create("upload"));
  ServerOptions options;
  options.upload_folder = folder.path() / "file";
  ASSERT_TRUE(write_file(options.upload_folder, "not a folder"));  // ENOTDIR is invalid_argument
  auto server = make_server(std::move(router), options);
  std::string url = "http://" + *server->listen_tcp("127.0.0.1:0") + "/up";
  EXPECT_EQ(fetch({.method = "POST", .url = url, .body = "abc"})->status, 400);
  EXPECT_EQ(fetch({.method = "POST", .url = url, .body = std::string(101, 'x')})->status, 413);
}

// The system gives one thread and then no more: what was accepted is done, and the end does not wait for ever.
TEST(WorkerPool, ThreadsThatCannotBeStarted) {
  int n_left = 0, n_done = 0;
  auto start = [&](std::function<void()> body) {
    if (n_left-- <= 0) throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    start_detached_thread(std::move(body));
  };
  WorkerPool pool(4, 10, start);
  EXPECT_FALSE(pool.submit([&] { ++n_done; }));  // no thread at all
  n_left = 1;
  Signal started, go;
  EXPECT_TRUE(pool.submit([&] {
    started.set();
    go.wait();
    ++n_done;
  }));
  ASSERT_TRUE(started.wait());
  EXPECT_TRUE(pool.submit([&] { ++n_done; }));  // waits for the one
  go.set();
  pool.join();
  EXPECT_EQ(n_done, 2);
}

TEST(Server, ChunkedRequestBody) {
  Router router;
  router.add("POST", "/x", echo());
  auto server = make_server(std::move(router));
  RawClient client(*server->listen_tcp("127.0.0.1:0"));
  client.send(
      "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: "
      "close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_TRUE(client.receive().ends_with("abcde"));
}

TEST(Server, UploadsGoToAFileThatIsRemoved) {
  TempFolder folder = std::move(*TempFolder::create("upload"));
  Router router;
  std::filesystem::path seen;
  router.add("POST", "/up",
             [&](Request& r) -> Result<Response> {
               seen = r.body_file;
               return text_response(std::to_string(std::filesystem::file_size(r.body_file)) + " " +
                                    std::to_string(r.body.size()));
             },
             {.max_body_bytes = 8 << 20, .body_to_file = true});
  ServerOptions options;
  options.upload_folder = folder.path();
  auto server = make_server(std::move(router), options);
  std::string url = "http://" + *server->listen_tcp("127.0.0.1:0") + "/up";
  std::filesystem::path source = folder.path() / "source";
  ASSERT_TRUE(write_file(source, std::string(5'000'000, 'x')));
  EXPECT_EQ(fetch({.method = "POST", .url = url, .body_file = source})->body, "5000000 0");
  ASSERT_TRUE(write_file(source, std::string(9'000'000, 'x')));  // NOLINT(bugprone-string-constructor)
  EXPECT_EQ(fetch({.method = "POST", .url = url, .body_file = source})->status, 413);
  server->stop(10s);
  EXPECT_FALSE(std::filesystem::exists(seen));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Server, SlowClientsAreCutOff) {
  Router router;
  router.add("POST", "/x", echo());
  ServerOptions options;
  options.header_timeout = 150ms;
  options.body_timeout = 150ms;
  options.idle_timeout = 150ms;
  auto server = make_server(std::move(router), options);
  std::string address = *server->listen_tcp("127.0.0.1:0");
  RawClient half_head(address), half_body(address), silent(address);
  half_head.send("POST /x HTTP/1.1\r\nHost: loc");
  half_body.send("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(half_head.receive(), "");
  EXPECT_EQ(half_body.receive(), "");
  EXPECT_EQ(silent.receive(), "");
}

TEST(Server, HandlersHaveATimeLimit) {
  Router router;
  Signal stopped;
  router.add("GET", "/slow",
             [&](Request& r) -> Result<Response> {
               Signal asked;
               std::stop_callback on_stop(r.stop, [&] { asked.set(); });
               if (asked.wait()) stopped.set();
               return Response();
             },
             {.time_limit = 1s});
  auto server = make_server(std::move(router));
  EXPECT_EQ(fetch({.url = "http://" + *server->listen_tcp("127.0.0.1:0") + "/slow"})->status, 504);
  EXPECT_TRUE(stopped.wait());
}

TEST(Server, DisconnectStopsTheHandler) {
  Router router;
  Signal started, stopped;
  router.add("GET", "/wait", [&](Request& r) -> Result<Response> {
    started.set();
    Signal asked;
    std::stop_callback on_stop(r.stop, [&] { asked.set(); });
    if (asked.wait()) stopped.set();
    return Response();
  });
  auto server = make_server(std::move(router));
  RawClient client(*server->listen_tcp("127.0.0.1:0"));
  client.send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(started.wait());
  client.close();
  EXPECT_TRUE(stopped.wait());
}

TEST(Server, StreamsWithBackPressureAndDisconnect) {
  Router router;
  std::atomic<size_t> n_written{0};
  Signal ended;
  router.add("GET", "/endless", [&](Request&) -> Result<Response> {
    return stream_response("text/plain", [&](StreamWriter& out) -> Result<void> {
      std::string block(16 * 1024, 'x');
      while (out.write(block)) n_written += block.size();
      ended.set();
      return {};
    });
  });
  auto server = make_server(std::move(router));
  RawClient client(*server->listen_tcp("127.0.0.1:0"));
  client.send("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(client.receive("xxxx").find("chunked"), std::string::npos);
  // The client reads no more: the writer must come to rest far below "endless". Two equal looks 300 ms apart are rest.
  size_t before = 0;
  for (int i = 0; i < 100 && (before == 0 || before != n_written); ++i) {
    before = n_written;
    EXPECT_FALSE(ended.wait(300ms));
  }
  EXPECT_EQ(before, n_written);
  EXPECT_LT(n_written, 64u << 20);
  client.close();
  EXPECT_TRUE(ended.wait());
}

TEST(Server, FailedStreamIsVisiblyCut) {
  Router router;
  router.add("GET", "/cut", [](Request&) -> Result<Response> {
    return stream_response("text/plain", [](StreamWriter& out) -> Result<void> {
      out.write("half");
      return error(Code::internal, "engine died");
    });
  });
  router.add("GET", "/whole", [](Request&) -> Result<Response> {
    return stream_response("text/plain", [](StreamWriter& out) -> Result<void> {
      out.write("one ");
      out.write("two");
      return {};
    });
  });
  auto server = make_server(std::move(router));
  std::string url = "http://" + *server->listen_tcp("127.0.0.1:0");
  EXPECT_FALSE(fetch({.url = url + "/cut"}));
  EXPECT_EQ(fetch({.url = url + "/whole"})->body, "one two");
}

TEST(Server, ManyIdleConnections) {
  Router router;
  router.add("GET", "/x", [](Request&) -> Result<Response> { return text_response("ok"); });
  ServerOptions options;
  options.max_connections = 400;
  auto server = make_server(std::move(router), options);
  std::string address = *server->listen_tcp("127.0.0.1:0");
  std::vector<RawClient> clients;
  for (int i = 0; i < 390; ++i) {
    clients.emplace_back(address);
    clients.back().send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_NE(clients.back().receive("ok").find("200"), std::string::npos) << i;
  }
  EXPECT_EQ(server->n_connections(), 390);
  EXPECT_EQ(fetch({.url = "http://" + address + "/x"})->body, "ok");
  for (int i = 0; i < 20; ++i) clients.emplace_back(address);
  EXPECT_NE(clients.back().receive().find(" 503 "), std::string::npos);
  server->stop(5s);
  EXPECT_EQ(clients.front().receive(), "");
}

TEST(Server, StopWaitsForRunningRequestsAndEndsStreams) {
  Router router;
  Signal started, go;
  router.add("GET", "/finishes", [&](Request&) -> Result<Response> {
    started.set();
    go.wait();
    return text_response("done");
  });
  auto server = make_server(std::move(router));
  std::string url = "http://" + *server->listen_tcp("127.0.0.1:0");
  Result<ClientResponse> response = error(Code::internal, "not run");
  std::thread asker([&] { response = fetch({.url = url + "/finishes"}); });
  ASSERT_TRUE(started.wait());
  std::thread stopper([&] { server->stop(10s); });
  go.set();
  stopper.join();
  asker.join();
  ASSERT_TRUE(response) << response.error().to_string();
  EXPECT_EQ(response->body, "done");
}

TEST(Server, UnixSockets) {
  TempFolder folder = std::move(*TempFolder::create("sock"));
  std::filesystem::path path = folder.path() / "a.sock";
  auto handler = [](Request& r) -> Result<Response> { return text_response(r.remote); };
  {
    Router router;
    router.add("GET", "/who", handler);
    auto server = make_server(std::move(router));
    ASSERT_TRUE(server->listen_unix(path, 0600));
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    EXPECT_EQ(fetch({.url = "http://anything.example/who", .unix_socket = path})->body, "unix");
    EXPECT_EQ(server->listen_unix(path, 0600).error().code, Code::already_exists);
    EXPECT_EQ(server->listen_unix(folder.path() / std::string(200, 'x'), 0600).error().code, Code::invalid_argument);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  // A socket file left by a killed process is replaced.
  int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name{.sun_family = AF_UNIX};
  std::strcpy(name.sun_path, path.c_str());
  ASSERT_EQ(::bind(left, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  ::close(left);
  Router router;
  router.add("GET", "/who", handler);
  auto server = make_server(std::move(router));
  EXPECT_TRUE(server->listen_unix(path, 0600));
  EXPECT_EQ(fetch({.url = "http://localhost/who", .unix_socket = path})->body, "unix");
}

TEST(Server, BadAddresses) {
  auto server = make_server(Router());
  for (const char* bad : {"", "localhost", "evil.example:80", "127.0.0.1:99999", "[::1"})
    EXPECT_EQ(server->listen_tcp(bad).error().code, Code::invalid_argument) << bad;
}

}  // namespace
}  // namespace hearth::http::server_test
