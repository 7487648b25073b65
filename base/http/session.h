// One connection: a coroutine on the I/O thread that reads requests, runs handlers on the pool, writes responses.
// Internal to the server; Boost headers stop here.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <set>

#include "base/http/exchange.h"
#include "base/http/server.h"
#include "base/http/worker_pool.h"

namespace hearth::http {

class Session;

constexpr int kQuickThreads = 4;
constexpr size_t kMaxQuickQueued = 256;
constexpr size_t kReadBytes = 16 * 1024;  // one piece of a request's body

// What all connections share. Everything but the pool and n_sessions belongs to the I/O thread.
struct ServerCore {
  Router router;
  ServerOptions options;
  boost::asio::io_context io{1};
  boost::asio::thread_pool disk{1};  // writes uploads, so that a slow disk stalls only them
  WorkerPool workers;
  WorkerPool quick_workers{kQuickThreads, kMaxQuickQueued};  // for routes that never wait
  ByteBudget bodies;
  std::array<char, kReadBytes> thrown_away;  // what is read only to be gone
  std::set<Session*> sessions;
  std::atomic<int> n_sessions{0};
  bool stopping = false;
  std::function<void()> on_session_end;

  ServerCore(Router r, ServerOptions o)
      : router(std::move(r)),
        options(std::move(o)),
        workers(options.max_handlers, options.max_queued),
        bodies(options.max_body_bytes_in_all) {}
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  Session(ServerCore& core, Socket socket, std::string remote, bool from_network);
  ~Session();
  boost::asio::awaitable<void> run();
  void close_when_done();  // at once when no request is under way
  void abort();            // asks a running handler to stop and closes

 private:
  struct RequestParser;
  template <class T>
  using Awaitable = boost::asio::awaitable<T>;

  Awaitable<bool> wait_for_request();
  Awaitable<void> serve_one();
  Awaitable<int> answer(RequestParser& parser, const Router::Match& match);  // the status sent
  Awaitable<int> refuse(const Error& reason, int status = 0);
  Result<Router::Match> accept_head(RequestParser& parser, Request& request);
  Awaitable<Result<void>> read_body(RequestParser& parser, const Route& route, Request& request);
  Awaitable<Result<void>> store_body(std::string_view bytes, Request& request, int& file, uint64_t announced_bytes);
  Result<void> append_to_body(std::string_view bytes, uint64_t most_bytes);
  Awaitable<int> run_handler(const Route& route);
  Awaitable<void> wait_for_head(const Route& route);
  Awaitable<bool> send_response(const Response& response);
  Awaitable<bool> send_stream();
  Awaitable<bool> send(std::string_view bytes);
  Awaitable<void> linger();
  void watch_for_disconnect();
  void on_readable();

  ServerCore& core_;
  boost::beast::basic_stream<boost::asio::generic::stream_protocol> stream_;
  boost::beast::flat_buffer buffer_;
  std::string remote_;
  bool from_network_;
  std::shared_ptr<Exchange> exchange_;  // of the request under way
  bool watching_ = false, busy_ = false;
  bool keep_alive_ = true, is_head_ = false, http_1_0_ = false;
  int body_refusal_ = 0;      // the status for a body that is not taken, where its error's code has another
  bool body_left_ = false;    // part of the request was not read: the connection cannot be used again
  bool is_stranger_ = false;  // asked for what there is not, or what is not for them: not waited for long
};

}  // namespace hearth::http
