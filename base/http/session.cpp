// One connection. The client's disappearance is noticed while a handler runs: a wait for readability that then peeks.
//
// Two rules keep GCC 12's coroutines right: an awaited call takes no temporary with a destructor (it may be destroyed
// twice: name it first), and no co_await stands in the condition of an if that breaks a loop (the frame is laid out
// wrongly).
#include "base/http/session.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include "base/disk_space.h"
#include "base/files.h"
#include "base/http/host_check.h"

namespace hearth::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr uint64_t kUncountedBodyBytes = 16 * 1024;
constexpr int kRetryAfterSeconds = 5;
constexpr size_t kWriteBytes = 256 * 1024;  // one piece of a response's body: each gets write_timeout
// Of a request that was refused before it was read. Closing at once would reset the connection, and the reset can take
// the answer with it; many clients read the answer only when all is sent.
struct Linger {
  size_t max_bytes;
  std::chrono::milliseconds in_all, without_a_byte;
};
using namespace std::chrono_literals;
constexpr Linger kLinger{64 << 20, 10s, 2s};
constexpr Linger kLingerForStrangers{1 << 20, 1s, 250ms};  // no such path or method, another page's request, no HTTP

struct Session::RequestParser : beast::http::request_parser<beast::http::buffer_body> {};

Session::Session(ServerCore& core, Socket socket, std::string remote, bool from_network)
    : core_(core),
      stream_(std::move(socket)),
      buffer_(core.options.max_header_bytes + kReadBytes),
      remote_(std::move(remote)),
      from_network_(from_network) {
  core_.sessions.insert(this);
  ++core_.n_sessions;
}

Session::~Session() {
  core_.sessions.erase(this);
  --core_.n_sessions;
  if (core_.on_session_end) core_.on_session_end();
}

void Session::close_when_done() {
  keep_alive_ = false;
  if (!busy_) stream_.close();
}

void Session::abort() {
  keep_alive_ = false;
  if (exchange_) exchange_->abandon();
  stream_.close();
}

asio::awaitable<void> Session::run() {
  bool has_request = co_await wait_for_request();
  while (has_request) {
    busy_ = true;
    co_await serve_one();
    busy_ = false;
    if (body_left_) co_await linger();
    has_request = keep_alive_ && !body_left_ && co_await wait_for_request();
  }
  stream_.close();
}

// True when there are bytes of a next request.
asio::awaitable<bool> Session::wait_for_request() {
  if (buffer_.size() > 0) co_return true;
  buffer_.shrink_to_fit();
  error_code failed;
  stream_.expires_after(core_.options.idle_timeout);
  size_t n = co_await stream_.async_read_some(buffer_.prepare(4096), asio::redirect_error(asio::use_awaitable, failed));
  buffer_.commit(n);
  co_return !failed;
}

static bool is_bad_syntax(const error_code& failed) {
  return failed.category() == make_error_code(beast::http::error::bad_method).category() &&
         failed != beast::http::error::end_of_stream && failed != beast::http::error::partial_message;
}

asio::awaitable<void> Session::serve_one() {
  Clock::time_point started = Clock::now();
  RequestParser parser;
  parser.header_limit(core_.options.max_header_bytes);
  parser.body_limit(boost::none);  // ours is the route's, checked in read_body
  error_code failed;
  stream_.expires_after(core_.options.header_timeout);
  co_await beast::http::async_read_header(stream_, buffer_, parser, asio::redirect_error(asio::use_awaitable, failed));
  if (failed) {
    keep_alive_ = false;
    if (!is_bad_syntax(failed)) co_return;  // closed, reset or too slow
    body_left_ = is_stranger_ = true;
    bool too_large = failed == beast::http::error::header_limit || failed == beast::http::error::buffer_overflow;
    Error reason = too_large ? error(Code::invalid_argument, "the request's head is larger than {} bytes",
                                     core_.options.max_header_bytes)
                             : error(Code::invalid_argument, "malformed HTTP request: {}", failed.message());
    co_await refuse(reason, too_large ? 431 : 400);
    co_return;
  }

  exchange_ = std::make_shared<Exchange>(core_.io, core_.bodies, core_.options.stream_buffer_bytes);
  Request& request = exchange_->request;
  request.stop = exchange_->stop.get_token();
  keep_alive_ = parser.keep_alive() && !core_.stopping;
  http_1_0_ = parser.get().version() < 11;
  body_left_ = !parser.is_done();
  Result<Router::Match> match = accept_head(parser, request);
  int status = 0;
  if (match) {
    status = co_await answer(parser, *match);
  } else {
    is_stranger_ = true;
    status = co_await refuse(match.error());
  }
  if (core_.options.on_request) {
    double seconds = std::chrono::duration<double>(Clock::now() - started).count();
    core_.options.on_request(request, match ? match->route : nullptr, status, seconds);
  }
  exchange_.reset();
}

asio::awaitable<int> Session::refuse(const Error& reason, int status) {
  Response refusal = error_response(reason);
  if (status != 0) refusal.status = status;
  if (refusal.status == 503) refusal.headers.set("Retry-After", std::to_string(kRetryAfterSeconds));
  co_await send_response(refusal);
  co_return refusal.status;
}

asio::awaitable<int> Session::answer(RequestParser& parser, const Router::Match& match) {
  Request& request = exchange_->request;
  if (!match.route) {
    is_stranger_ = true;
    Response other{.status = 204};
    if (request.method != "OPTIONS") {
      other = error_response(error(Code::invalid_argument, "{} is not possible on {}; possible: {}", request.method,
                                   request.path, match.allowed));
      other.status = 405;
    }
    other.headers.set("Allow", match.allowed);
    co_await send_response(other);
    co_return other.status;
  }
  Result<void> body = co_await read_body(parser, *match.route, request);
  int status = 499;
  if (body) {
    body_left_ = false;
    status = co_await run_handler(*match.route);
  } else if (body.error().code == Code::cancelled) {
    keep_alive_ = false;
  } else {
    status = co_await refuse(body.error(), body_refusal_);
  }
  co_return status;
}

// "/path?query" of an origin-form or absolute-form target.
static std::string_view path_and_query(std::string_view target) {
  if (target.starts_with('/')) return target;
  size_t scheme = target.find("://");
  size_t slash = scheme == std::string_view::npos ? scheme : target.find('/', scheme + 3);
  return slash == std::string_view::npos ? std::string_view() : target.substr(slash);
}

Result<Router::Match> Session::accept_head(RequestParser& parser, Request& request) {
  const auto& head = parser.get();
  for (const auto& f : head)
    request.headers.add({f.name_string().data(), f.name_string().size()}, {f.value().data(), f.value().size()});
  request.method = std::string(head.method_string());
  request.remote = remote_;
  is_head_ = request.method == "HEAD";
  if (is_head_) request.method = "GET";
  std::string_view target = path_and_query({head.target().data(), head.target().size()});
  std::string_view raw_path = target.substr(0, target.find('?'));
  request.path = percent_decode(raw_path);
  if (raw_path.size() < target.size()) request.query = parse_query(target.substr(raw_path.size() + 1));

  if (from_network_) {
    if (head.count(beast::http::field::host) > 1)
      return error(Code::invalid_argument, "the request has several Host headers");
    std::string_view host = request.headers.find("Host").value_or("");
    TRY(check_host(host, core_.options.allowed_hosts));
    if (auto origin = request.headers.find("Origin")) TRY(check_origin(*origin, host));
  }
  Router::Match match = core_.router.match(request.method, raw_path);
  if (!match.route && match.allowed.empty())
    return error(Code::not_found, "no such path: {} {}", request.method, request.path.substr(0, 200));
  request.params = std::move(match.params);
  return match;
}

static bool is_too_slow(uint64_t n_bytes, Clock::duration time, const ServerOptions& options) {
  if (time < options.body_timeout) return false;
  const auto wanted = std::chrono::duration<double>(time).count() * options.min_body_bytes_per_s;
  return static_cast<double>(n_bytes) < wanted;
}

asio::awaitable<Result<void>> Session::read_body(RequestParser& parser, const Route& route, Request& request) {
  uint64_t limit = route.options.max_body_bytes;
  body_refusal_ = 0;
  auto too_large = [&] {
    body_refusal_ = 413;
    return error(Code::invalid_argument, "the request's body is larger than {} bytes", limit);
  };
  uint64_t announced_bytes = parser.content_length().value_or(0);
  if (announced_bytes > limit) co_return too_large();
  if (auto expect = request.headers.find("Expect");
      expect && equal_ignoring_case(*expect, "100-continue") && !parser.is_done())
    co_await send("HTTP/1.1 100 Continue\r\n\r\n");  // a failure shows in the next read

  std::string piece(parser.is_done() ? 0 : kReadBytes, '\0');
  uint64_t n_read = 0;
  const Clock::time_point began = Clock::now();
  int file = -1;
  Result<void> status;
  if (route.options.body_to_file) {  // makes the file, if only an empty one
    status = co_await store_body({}, request, file, announced_bytes);
  }
  while (status && !parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    error_code failed;
    stream_.expires_after(core_.options.body_timeout);
    co_await beast::http::async_read_some(stream_, buffer_, parser, asio::redirect_error(asio::use_awaitable, failed));
    if (failed && failed != beast::http::error::need_buffer) {
      status = error(Code::cancelled, "the request's body did not arrive: {}", failed.message());
      break;
    }
    size_t n = piece.size() - parser.get().body().size;
    n_read += n;
    if (n_read > limit) {
      status = too_large();
    } else if (is_too_slow(n_read, Clock::now() - began, core_.options)) {
      body_refusal_ = 408;
      status = error(Code::deadline_exceeded, "the request's body came slower than {} bytes per second",
                     core_.options.min_body_bytes_per_s);
    } else if (route.options.body_to_file) {
      status = co_await store_body({piece.data(), n}, request, file, 0);
    } else {
      status = append_to_body({piece.data(), n}, parser.content_length().value_or(limit));
    }
  }
  if (file >= 0) ::close(file);
  if (!status && !request.body_file.empty()) ::unlink(request.body_file.c_str());
  co_return status;
}

// At most `most_bytes` will come. The body grows in steps, so that a length which is only announced costs nothing.
Result<void> Session::append_to_body(std::string_view bytes, uint64_t most_bytes) {
  std::string& body = exchange_->request.body;
  const uint64_t needed = body.size() + bytes.size();
  if (needed > body.capacity()) {
    const uint64_t room = std::max(needed, std::min<uint64_t>(2 * needed, most_bytes));
    const uint64_t counted = room - std::min(room, kUncountedBodyBytes);
    if (!exchange_->body_share.grow_to(counted))
      return error(Code::unavailable, "the service holds as many bytes of requests as it may; try again in a moment");
    body.reserve(room);
  }
  body += bytes;
  return {};
}

// Appends to the request's file by way of the disk thread.
asio::awaitable<Result<void>> Session::store_body(std::string_view bytes, Request& request, int& file,
                                                  uint64_t announced_bytes) {
  stream_.expires_never();
  co_await asio::post(asio::bind_executor(core_.disk, asio::use_awaitable));
  Result<void> status;
  std::error_code ignored;
  std::filesystem::path folder = core_.options.upload_folder;
  if (folder.empty()) folder = std::filesystem::temp_directory_path(ignored);
  status = check_disk_space(folder, std::max<uint64_t>(announced_bytes, bytes.size()));
  if (status && file < 0) {
    std::string name = (folder / "upload-XXXXXX").string();
    file = ::mkostemp(name.data(), O_CLOEXEC);
    if (file >= 0) {
      request.body_file = name;
    } else {
      status = errno_error("create", name, errno);
    }
  }
  if (status) status = write_all(file, std::as_bytes(std::span(bytes)), request.body_file);
  co_await asio::post(core_.io, asio::bind_executor(core_.io, asio::use_awaitable));
  co_return status;
}

asio::awaitable<int> Session::run_handler(const Route& route) {
  stream_.expires_never();
  std::shared_ptr<Exchange> exchange = exchange_;
  WorkerPool& workers = route.options.quick ? core_.quick_workers : core_.workers;
  bool taken = workers.submit([exchange, &route] { exchange->run(route); });
  if (!taken) {
    std::error_code ignored;
    if (!exchange->request.body_file.empty()) std::filesystem::remove(exchange->request.body_file, ignored);
    Error busy = error(Code::unavailable, "the service has too many requests under way; try again in a moment");
    int status = co_await refuse(busy);
    co_return status;
  }
  watch_for_disconnect();
  co_await wait_for_head(route);
  if (exchange->gone() || !exchange->head_ready()) {
    keep_alive_ = false;
    bool timed_out = !exchange->gone();
    exchange->abandon();
    int status = 499;
    if (timed_out) {
      Error reason = error(Code::deadline_exceeded, "no answer within {} s; the request was stopped",
                           route.options.time_limit.count());
      status = co_await refuse(reason);
    }
    co_return status;
  }
  const Result<Response>& response = *exchange->response;
  if (!response) {
    int status = co_await refuse(response.error());
    co_return status;
  }
  bool sent = co_await send_response(*response);
  if (sent && response->stream && !is_head_) sent = co_await send_stream();
  if (!sent) keep_alive_ = false;
  if (!sent || (response->stream && is_head_)) exchange->abandon();
  co_return response->status;
}

asio::awaitable<void> Session::wait_for_head(const Route& route) {
  Clock::time_point deadline = Clock::now() + route.options.time_limit;
  while (!exchange_->head_ready() && !exchange_->gone() && Clock::now() < deadline) {
    error_code ignored;
    exchange_->wake.expires_at(deadline);
    co_await exchange_->wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

static bool is_clean(std::string_view header_text) {
  return header_text.find_first_of("\r\n") == std::string_view::npos;
}

static std::string response_head(const Response& response, bool keep_alive, bool http_1_0) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, status_text(response.status));
  for (const auto& [name, value] : response.headers.entries())
    if (is_clean(name) && is_clean(value)) head += fmt::format("{}: {}\r\n", name, value);
  head += "X-Content-Type-Options: nosniff\r\n";
  if (!response.stream) {
    if (response.status != 204) head += fmt::format("Content-Length: {}\r\n", response.body.size());
  } else if (!http_1_0) {
    head += "Transfer-Encoding: chunked\r\n";
  }
  if (!keep_alive) {
    head += "Connection: close\r\n";
  } else if (http_1_0) {
    head += "Connection: keep-alive\r\n";
  }
  return head + "\r\n";
}

asio::awaitable<bool> Session::send_response(const Response& response) {
  if (body_left_ || core_.stopping || (response.stream && http_1_0_)) keep_alive_ = false;
  std::string head = response_head(response, keep_alive_, http_1_0_);
  bool has_body = !is_head_ && !response.stream && response.status != 204;
  size_t at = 0;
  if (has_body && response.body.size() <= kWriteBytes) {  // one packet where it fits
    head += response.body;
    at = response.body.size();
  }
  bool ok = co_await send(head);
  for (; ok && has_body && at < response.body.size(); at += kWriteBytes)
    ok = co_await send(std::string_view(response.body).substr(at, kWriteBytes));
  co_return ok;
}

asio::awaitable<bool> Session::send_stream() {
  Exchange& exchange = *exchange_;
  while (!exchange.finished()) {
    std::string bytes = exchange.take_unsent();
    if (!bytes.empty()) {
      if (!http_1_0_) bytes = fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
      bool sent = co_await send(bytes);
      if (!sent) co_return false;
    } else if (exchange.gone()) {
      co_return false;
    } else if (!exchange.finished()) {
      error_code ignored;
      exchange.wake.expires_at(Clock::time_point::max());
      co_await exchange.wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
  }
  if (exchange.gone() || !exchange.outcome) co_return false;
  std::string_view end = http_1_0_ ? "" : "0\r\n\r\n";
  bool sent = co_await send(end);
  co_return sent;
}

asio::awaitable<bool> Session::send(std::string_view bytes) {
  error_code failed;
  stream_.expires_after(core_.options.write_timeout);
  co_await asio::async_write(stream_, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, failed));
  stream_.expires_never();
  co_return !failed;
}

// Lets a refused client read the refusal before the connection goes: closing with unread input would reset it.
asio::awaitable<void> Session::linger() {
  ::shutdown(stream_.socket().native_handle(), SHUT_WR);
  const Linger& how = is_stranger_ ? kLingerForStrangers : kLinger;
  Clock::time_point end = Clock::now() + how.in_all;
  error_code failed;
  for (size_t n = 0; n < how.max_bytes && !failed;) {
    stream_.expires_at(std::min(end, Clock::now() + how.without_a_byte));
    n += co_await stream_.async_read_some(asio::buffer(core_.thrown_away),
                                          asio::redirect_error(asio::use_awaitable, failed));
  }
}

// One wait stays outstanding over the connection's life; it means something only while a handler runs.
void Session::watch_for_disconnect() {
  if (std::exchange(watching_, true)) return;
  stream_.socket().async_wait(Socket::wait_read, [self = shared_from_this()](const error_code& failed) {
    self->watching_ = false;
    if (!failed) self->on_readable();
  });
}

void Session::on_readable() {
  if (!exchange_) return;
  char byte;
  ssize_t n = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  bool is_gone = n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
  if (is_gone) {
    exchange_->abandon();
  } else if (n < 0) {
    watch_for_disconnect();
  }  // else a next request was sent early: read when this one is answered
}

}  // namespace hearth::http
