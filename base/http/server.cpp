// The server: acceptors, the I/O thread, and an orderly end.
#include "base/http/server.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <thread>

#include "base/files.h"
#include "base/http/host_check.h"
#include "base/http/session.h"

namespace hearth::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::local::stream_protocol;
using boost::system::error_code;

constexpr int kShareOfUnixSocket = 64;  // one connection in so many: whoever manages the box gets in when it is full

Error network_error(std::string_view what, const std::string& where, const error_code& failed) {
  Code code = failed == asio::error::access_denied    ? Code::permission_denied
              : failed == asio::error::address_in_use ? Code::already_exists
                                                      : Code::unavailable;
  return error(code, "cannot {} {}: {}", what, where, failed.message());
}

class AsioServer final : public Server {
 public:
  AsioServer(Router router, ServerOptions options) : core_(std::move(router), std::move(options)) {
    thread_ = std::thread([this] { core_.io.run(); });
  }
  ~AsioServer() override {
    stop(std::chrono::milliseconds(0));
    core_.disk.join();
    work_.reset();
    thread_.join();
  }

  Result<std::string> listen_tcp(const std::string& address) override;
  Result<void> listen_unix(const std::filesystem::path& path, int mode) override;
  void stop(std::chrono::milliseconds grace) override;
  int n_connections() const override { return core_.n_sessions; }

 private:
  template <class Acceptor>
  asio::awaitable<void> accept_loop(std::shared_ptr<Acceptor> acceptor);
  void start_session(Session::Socket socket, std::string remote, bool from_network);
  template <class F>
  void on_io_thread(F f) {  // and waits for it
    std::promise<void> done;
    asio::post(core_.io, [&] {
      f();
      done.set_value();
    });
    done.get_future().wait();
  }
  bool wait_for_sessions(std::chrono::milliseconds at_most);

  ServerCore core_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{core_.io.get_executor()};
  std::vector<std::function<void()>> close_acceptors_;  // I/O thread
  std::vector<std::filesystem::path> socket_paths_;
  std::mutex mutex_;
  std::condition_variable session_ended_;
  bool stopped_ = false;
  std::thread thread_;
};

std::string peer_name(const tcp::socket& socket) {
  error_code ignored;
  return socket.remote_endpoint(ignored).address().to_string();
}
std::string peer_name(const stream_protocol::socket&) {
  return "unix";
}

template <class Acceptor>
asio::awaitable<void> AsioServer::accept_loop(std::shared_ptr<Acceptor> acceptor) {
  constexpr bool from_network = std::is_same_v<Acceptor, tcp::acceptor>;
  while (acceptor->is_open()) {
    error_code failed;
    auto socket = co_await acceptor->async_accept(asio::redirect_error(asio::use_awaitable, failed));
    if (!acceptor->is_open()) break;
    if (failed) {  // out of descriptors, or the client left at once: not a reason to spin
      asio::steady_timer pause(core_.io, std::chrono::milliseconds(50));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failed));
      continue;
    }
    if constexpr (from_network) {
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
    }
    std::string remote = peer_name(socket);
    start_session(Session::Socket(std::move(socket)), std::move(remote), from_network);
  }
}

void AsioServer::start_session(Session::Socket socket, std::string remote, bool from_network) {
  const int n_kept = from_network ? core_.options.max_connections / kShareOfUnixSocket : 0;
  if (core_.n_sessions >= core_.options.max_connections - n_kept) {
    constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    [[maybe_unused]] ssize_t n =
        ::send(socket.native_handle(), kFull.data(), kFull.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  auto session = std::make_shared<Session>(core_, std::move(socket), std::move(remote), from_network);
  // The completion handler owns the session. Out of memory for one connection ends that connection.
  asio::co_spawn(core_.io, session->run(), [session](const std::exception_ptr&) {});
}

Result<tcp::endpoint> parse_address(const std::string& address) {
  ListenAddress parsed = TRY(parse_listen_address(address));
  error_code failed;
  auto ip = asio::ip::make_address(parsed.host, failed);
  if (failed) return network_error("listen on", address, failed);
  return tcp::endpoint(ip, parsed.port);
}

Result<std::string> AsioServer::listen_tcp(const std::string& address) {
  tcp::endpoint endpoint = TRY(parse_address(address));
  auto acceptor = std::make_shared<tcp::acceptor>(core_.io);
  error_code failed;
  acceptor->open(endpoint.protocol(), failed);
  if (!failed) acceptor->set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor->bind(endpoint, failed);
  if (!failed) acceptor->listen(asio::socket_base::max_listen_connections, failed);
  if (failed) return network_error("listen on", address, failed);
  tcp::endpoint bound = acceptor->local_endpoint(failed);
  on_io_thread([&] {
    close_acceptors_.push_back([acceptor] { acceptor->close(); });
    asio::co_spawn(core_.io, accept_loop(acceptor), asio::detached);
  });
  std::string host = bound.address().to_string();
  return fmt::format("{}:{}", bound.address().is_v6() ? "[" + host + "]" : host, bound.port());
}

// A socket file that nobody listens on any more is removed; one that answers is an error.
Result<void> remove_stale_socket(asio::io_context& io, const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_socket(path, ignored)) return {};
  stream_protocol::socket probe(io);
  error_code failed;
  probe.connect(stream_protocol::endpoint(path.string()), failed);
  if (!failed) return error(Code::already_exists, "another process listens on {}", path.string());
  std::filesystem::remove(path, ignored);
  return {};
}

Result<void> AsioServer::listen_unix(const std::filesystem::path& path, int mode) {
  if (path.string().size() >= sizeof(sockaddr_un::sun_path))
    return error(Code::invalid_argument,
                 "the socket path {} is too long: at most {} bytes; choose a shorter state directory", path.string(),
                 sizeof(sockaddr_un::sun_path) - 1);
  TRY(remove_stale_socket(core_.io, path));
  auto acceptor = std::make_shared<stream_protocol::acceptor>(core_.io);
  error_code failed;
  acceptor->open(stream_protocol(), failed);
  if (!failed) acceptor->bind(stream_protocol::endpoint(path.string()), failed);
  if (failed) return network_error("listen on", path.string(), failed);
  if (::chmod(path.c_str(), static_cast<mode_t>(mode)) != 0) return errno_error("change the mode of", path, errno);
  acceptor->listen(asio::socket_base::max_listen_connections, failed);  // only now can anyone connect
  if (failed) return network_error("listen on", path.string(), failed);
  socket_paths_.push_back(path);
  on_io_thread([&] {
    close_acceptors_.push_back([acceptor] { acceptor->close(); });
    asio::co_spawn(core_.io, accept_loop(acceptor), asio::detached);
  });
  return {};
}

bool AsioServer::wait_for_sessions(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  return session_ended_.wait_for(lock, at_most, [this] { return core_.n_sessions == 0; });
}

void AsioServer::stop(std::chrono::milliseconds grace) {
  if (std::exchange(stopped_, true)) return;
  on_io_thread([this] {
    core_.stopping = true;
    core_.on_session_end = [this] {
      std::lock_guard lock(mutex_);
      session_ended_.notify_all();
    };
    for (auto& close : close_acceptors_) close();
    close_acceptors_.clear();
    std::set<Session*> open = core_.sessions;
    for (Session* session : open) session->close_when_done();
  });
  std::error_code ignored;
  for (const auto& path : socket_paths_) std::filesystem::remove(path, ignored);
  while (!wait_for_sessions(grace)) {
    on_io_thread([this] {
      std::set<Session*> open = core_.sessions;
      for (Session* session : open) session->abort();
    });
    grace = std::chrono::milliseconds(200);
  }
  core_.workers.join();
  core_.quick_workers.join();
}

}  // namespace

Result<std::unique_ptr<Server>> Server::create(Router router, ServerOptions options) {
  return std::unique_ptr<Server>(std::make_unique<AsioServer>(std::move(router), std::move(options)));
}

}  // namespace hearth::http
