// HTTP messages as the server and the client see them: plain values, no sockets.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace hearth::http {

// Header fields in order; names compare without case.
class Headers {
 public:
  struct Entry {
    std::string name, value;
  };
  std::optional<std::string_view> find(std::string_view name) const;
  void set(std::string_view name, std::string_view value);  // replaces
  void add(std::string_view name, std::string_view value);
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

struct Request {
  std::string method;                         // "GET"; HEAD arrives as GET
  std::string path;                           // percent-decoded, without the query
  std::map<std::string, std::string> params;  // from the route's {names}, percent-decoded
  std::map<std::string, std::string> query;   // percent-decoded; the last of equal names
  Headers headers;
  std::string body;                 // empty on routes that write the body to a file
  std::filesystem::path body_file;  // on such routes: where it is; removed after the handler unless moved away
  std::string remote;               // "127.0.0.1" or "unix"
  std::stop_token stop;             // asked to stop: the client has gone, the time is over, or the server stops
};

// Takes the bytes of a streamed body. Used by one handler thread.
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;
  // Blocks while the client has too much unread (back-pressure). False: the client has gone, stop writing.
  virtual bool write(std::string_view bytes) = 0;
  // True when the client has gone or the server stops.
  virtual bool gone() const = 0;
};

// Runs on a worker thread after the response head was sent. An Error cuts the connection, so that the client sees
// that the body is incomplete.
using StreamBody = std::function<Result<void>(StreamWriter&)>;

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  StreamBody stream;  // when set, sent chunked instead of body
};

Response text_response(std::string_view text, std::string_view content_type = "text/plain; charset=utf-8");
Response json_response(const Json& json, int status = 200);
// {"error": {"message", "type", "param", "code"}} with http_status(code). `openai_code` replaces the name of the code.
Response error_response(const Error& error, std::string_view openai_code = {});
// 429, for clients that should come again after a while: not for what the box has no room for.
Response too_many_requests(std::string_view message, std::chrono::seconds retry_after);
Response stream_response(std::string_view content_type, StreamBody body);

// The body as JSON; an Error names what is wrong.
Result<Json> json_body(const Request& request);

std::string percent_decode(std::string_view text, bool plus_is_space = false);
std::string percent_encode(std::string_view text);  // everything but unreserved characters
std::map<std::string, std::string> parse_query(std::string_view query);
bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string_view status_text(int status);

}  // namespace hearth::http
