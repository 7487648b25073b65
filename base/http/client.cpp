// The client on libcurl's multi interface: one transfer, driven by whoever reads it.
#include "base/http/client.h"

#include <curl/curl.h>

#include <atomic>
#include <cstdio>

#include "base/error_response.h"
#include "base/files.h"

namespace hearth::http {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPoll{1000};

void init_curl_once() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)initialised;
}

Error curl_error(CURLcode result, const ClientRequest& request, const char* detail) {
  std::string where = request.unix_socket.empty() ? request.url : request.unix_socket.string();
  Code code = Code::unavailable;
  if (result == CURLE_OPERATION_TIMEDOUT) code = Code::deadline_exceeded;
  if (result == CURLE_URL_MALFORMAT || result == CURLE_UNSUPPORTED_PROTOCOL) code = Code::invalid_argument;
  return error(code, "no answer from {}: {}", where, *detail ? detail : curl_easy_strerror(result));
}

}  // namespace

struct ClientStream::Impl {
  ClientRequest request;
  CURL* easy = nullptr;
  CURLM* multi = nullptr;
  curl_slist* header_lines = nullptr;
  std::FILE* upload = nullptr;
  char error_text[CURL_ERROR_SIZE] = {};

  int status = 0;
  Headers headers;
  bool head_done = false, done = false;
  std::optional<Error> failure;  // how the transfer ended; told only when all that came before it was read
  std::string unread;
  Clock::time_point last_bytes = Clock::now();
  SseParser events;

  ~Impl() {
    if (easy && multi) curl_multi_remove_handle(multi, easy);
    if (easy) curl_easy_cleanup(easy);
    if (multi) curl_multi_cleanup(multi);
    curl_slist_free_all(header_lines);
    if (upload) std::fclose(upload);
  }

  Result<void> start();
  Result<void> set_body();
  Result<void> step();

  static size_t on_header(char* data, size_t size, size_t n, void* self);
  static size_t on_body(char* data, size_t size, size_t n, void* self);
};

size_t ClientStream::Impl::on_header(char* data, size_t size, size_t n, void* self) {
  auto& impl = *static_cast<Impl*>(self);
  std::string_view line(data, size * n);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    impl.headers = {};
  } else if (line.empty()) {
    long status = 0;
    curl_easy_getinfo(impl.easy, CURLINFO_RESPONSE_CODE, &status);
    impl.status = static_cast<int>(status);
    impl.head_done = status >= 200;  // not after 100 Continue
  } else if (size_t colon = line.find(':'); colon != std::string_view::npos) {
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    impl.headers.add(line.substr(0, colon), value);
  }
  impl.last_bytes = Clock::now();
  return size * n;
}

size_t ClientStream::Impl::on_body(char* data, size_t size, size_t n, void* self) {
  auto& impl = *static_cast<Impl*>(self);
  if (!impl.unread.empty()) return CURL_WRITEFUNC_PAUSE;  // back-pressure: resumed by the next read()
  impl.unread.append(data, size * n);
  impl.last_bytes = Clock::now();
  return size * n;
}

Result<void> ClientStream::Impl::set_body() {
  if (!request.body_file.empty()) {
    upload = std::fopen(request.body_file.c_str(), "rbe");
    if (!upload) return errno_error("open", request.body_file, errno);
    std::error_code failed;
    auto size = static_cast<curl_off_t>(std::filesystem::file_size(request.body_file, failed));
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_READDATA, upload);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, size);
  } else if (!request.body.empty() || request.method == "POST") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  return {};
}

Result<void> ClientStream::Impl::start() {
  init_curl_once();
  easy = curl_easy_init();
  multi = curl_multi_init();
  if (!easy || !multi) return error(Code::resource_exhausted, "libcurl could not start a transfer");
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "hearth");
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  if (!request.unix_socket.empty()) {
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request.unix_socket.c_str());
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
  }
  TRY(set_body());
  if (request.method == "HEAD")
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  else if (request.method != "GET")
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  for (const auto& [name, value] : request.headers.entries())
    header_lines = curl_slist_append(header_lines, fmt::format("{}: {}", name, value).c_str());
  header_lines = curl_slist_append(header_lines, "Expect:");  // our servers read the body at once
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, header_lines);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_multi_add_handle(multi, easy);
  return {};
}

// Drives the transfer once: waits for the network, a time-out or the stop token.
Result<void> ClientStream::Impl::step() {
  std::stop_callback wake(request.stop, [this] { curl_multi_wakeup(multi); });
  if (request.stop.stop_requested()) return error(Code::cancelled, "the request was cancelled");
  int n_running = 0;
  curl_multi_perform(multi, &n_running);
  int n_left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi, &n_left)) {
    if (message->msg != CURLMSG_DONE) continue;
    done = true;
    if (message->data.result != CURLE_OK) failure = curl_error(message->data.result, request, error_text);
  }
  if (done || !unread.empty()) return {};
  auto wait = kPoll;
  if (request.idle_timeout.count() > 0) {
    auto quiet = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - last_bytes);
    if (quiet >= request.idle_timeout)
      return error(Code::deadline_exceeded, "nothing from {} for {} ms", request.url, request.idle_timeout.count());
    wait = std::min(wait, request.idle_timeout - quiet);
  }
  curl_multi_poll(multi, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  return {};
}

Result<ClientStream> ClientStream::open(const ClientRequest& request) {
  auto impl = std::make_unique<Impl>();
  impl->request = request;
  TRY(impl->start());
  while (!impl->head_done) {
    TRY(impl->step());
    if (impl->head_done || !impl->done) continue;
    return impl->failure ? *impl->failure
                         : error(Code::unavailable, "{} closed the connection without an answer", request.url);
  }
  return ClientStream(std::move(impl));
}

ClientStream::ClientStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClientStream::ClientStream(ClientStream&&) noexcept = default;
ClientStream& ClientStream::operator=(ClientStream&&) noexcept = default;
ClientStream::~ClientStream() = default;

int ClientStream::status() const {
  return impl_->status;
}
const Headers& ClientStream::headers() const {
  return impl_->headers;
}

Result<std::string> ClientStream::read() {
  while (impl_->unread.empty() && !impl_->done) TRY(impl_->step());
  if (impl_->unread.empty() && impl_->failure) return *impl_->failure;
  if (impl_->unread.empty()) return std::string();
  std::string bytes = std::exchange(impl_->unread, {});
  if (!impl_->done) curl_easy_pause(impl_->easy, CURLPAUSE_CONT);
  return bytes;
}

Result<std::optional<SseEvent>> ClientStream::next_event() {
  while (true) {
    if (auto event = impl_->events.next()) return event;
    std::string bytes = TRY(read());
    if (bytes.empty()) return std::optional<SseEvent>();
    TRY(impl_->events.feed(bytes));
  }
}

Result<ClientResponse> fetch(const ClientRequest& request) {
  ClientStream stream = TRY(ClientStream::open(request));
  ClientResponse out{stream.status(), stream.headers(), {}};
  while (true) {
    std::string bytes = TRY(stream.read());
    if (bytes.empty()) return out;
    out.body += bytes;
    if (out.body.size() > request.max_body_bytes)
      return error(Code::resource_exhausted, "the answer of {} is larger than {} bytes", request.url,
                   request.max_body_bytes);
  }
}

Result<ClientResponse> expect_ok(Result<ClientResponse> response) {
  if (response && response->status >= 400) return error_from_response(response->status, response->body);
  return response;
}

}  // namespace hearth::http
