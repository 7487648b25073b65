// HTTP/1.1 server: connections on one I/O thread (coroutines), handlers on a worker pool, limits on everything.
//
//   http::Router router;
//   router.add("GET", "/models/{name}", [&](http::Request& r) -> Result<http::Response> { ... });
//   auto server = TRY(http::Server::create(std::move(router)));
//   std::string address = TRY(server->listen_tcp("127.0.0.1:0"));   // "127.0.0.1:43127"
//   TRY(server->listen_unix("/run/x.sock", 0660));
//   ...
//   server->stop(std::chrono::seconds(5));
#pragma once

#include <memory>

#include "base/http/router.h"

namespace hearth::http {

struct ServerOptions {
  uint32_t max_header_bytes = 32 * 1024;
  int max_connections = 2048;  // one in 64 is kept for the Unix socket
  // Of the request bodies that are held in memory, all connections together; more get 503. A body's first 16 KiB are
  // not counted, so that small requests always come through.
  uint64_t max_body_bytes_in_all = uint64_t{256} << 20;
  int max_handlers = 64;    // worker threads; each open stream holds one. Quick routes have some of their own
  size_t max_queued = 512;  // requests waiting for a worker; more get 503
  std::chrono::milliseconds header_timeout{10'000};  // from the first wait for a request's head to its end
  std::chrono::milliseconds idle_timeout{75'000};    // between requests of a connection
  std::chrono::milliseconds body_timeout{30'000};    // longest pause within a request's body
  uint32_t min_body_bytes_per_s = 1024;              // after the first body_timeout, on the average: slower is 408
  std::chrono::milliseconds write_timeout{60'000};   // longest that a client may take none of our bytes
  size_t stream_buffer_bytes = 256 * 1024;           // unsent bytes after which StreamWriter::write blocks
  std::vector<std::string> allowed_hosts;            // besides loopback, IP literals and the box's own name
  std::filesystem::path
      upload_folder;  // for routes with body_to_file; empty: TMPDIR or /tmp. Keeps the box's reserve free
  // Called on the I/O thread after each answered request; for metrics and access logs. Must not block.
  std::function<void(const Request&, const Route*, int status, double seconds)> on_request;
};

class Server {
 public:
  // Starts the I/O thread.
  static Result<std::unique_ptr<Server>> create(Router router, ServerOptions options = {});
  virtual ~Server() = default;  // as stop(0)

  // "host:port" with an IP literal or localhost; port 0 picks a free one. Returns the bound address.
  virtual Result<std::string> listen_tcp(const std::string& address) = 0;
  // Replaces a socket left by a dead process. Host and Origin are not checked there: file permissions guard it.
  virtual Result<void> listen_unix(const std::filesystem::path& path, int mode) = 0;
  // Takes no new connections, lets running requests finish for `grace`, then asks them to stop. Returns when all have.
  virtual void stop(std::chrono::milliseconds grace) = 0;
  virtual int n_connections() const = 0;
};

}  // namespace hearth::http
