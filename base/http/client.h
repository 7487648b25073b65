// HTTP client on libcurl: TCP and Unix sockets, streamed bodies pulled by the caller, time-outs, cancel by stop_token.
//
//   auto r = TRY(http::fetch({.url = "http://localhost/health", .unix_socket = "/run/x.sock"}));
//   auto s = TRY(http::ClientStream::open({.method = "POST", .url = ..., .body = ...}));
//   while (true) { std::string bytes = TRY(s.read()); if (bytes.empty()) break; ... }
#pragma once

#include <chrono>
#include <memory>

#include "base/http/message.h"
#include "base/http/sse.h"

namespace hearth::http {

struct ClientRequest {
  std::string method = "GET";
  std::string url;  // http:// or https://
  Headers headers;
  std::string body;
  std::filesystem::path body_file;    // sent instead of body when set
  std::filesystem::path unix_socket;  // connect here instead of to the URL's host
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds timeout{0};          // of the whole exchange; 0: none
  std::chrono::milliseconds idle_timeout{0};     // longest silence while waiting for bytes; 0: none
  uint64_t max_body_bytes = uint64_t{64} << 20;  // for fetch()
  std::stop_token stop;
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

// The whole response. Any status is a success here; see expect_ok().
Result<ClientResponse> fetch(const ClientRequest& request);

// The error that a Hearth or OpenAI service put into a response of status 400 and above, as an Error.
Result<ClientResponse> expect_ok(Result<ClientResponse> response);

// A response whose body is pulled piece by piece. Not for use by several threads at once.
class ClientStream {
 public:
  // Returns when the response's head is there.
  static Result<ClientStream> open(const ClientRequest& request);
  ClientStream(ClientStream&&) noexcept;
  ClientStream& operator=(ClientStream&&) noexcept;
  ~ClientStream();  // closes the connection

  int status() const;
  const Headers& headers() const;
  // The next bytes, as they come; empty at the end. Cancelled by the request's stop token.
  Result<std::string> read();
  // The next event of a text/event-stream body; nullopt at the end.
  Result<std::optional<SseEvent>> next_event();

 private:
  struct Impl;
  explicit ClientStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::http
