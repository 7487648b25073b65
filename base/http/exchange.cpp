// The hand-over between a worker thread and the I/O thread.
#include "base/http/exchange.h"

namespace hearth::http {

static Result<Response> call_handler(const Route& route, Request& request) {
  try {
    return route.handler(request);
  } catch (const std::exception& e) {  // the service outlives a handler's library that throws
    return error(Code::internal, "{} {} failed: {}", route.method, route.pattern, e.what());
  }
}

static Result<void> call_stream(const StreamBody& stream, StreamWriter& writer) {
  try {
    return stream(writer);
  } catch (const std::exception& e) {
    return error(Code::internal, "a streamed response failed: {}", e.what());
  }
}

void Exchange::run(const Route& route) {
  Result<Response> result = call_handler(route, request);
  StreamBody stream = result ? std::move(result->stream) : StreamBody();
  if (stream) result->stream = [](StreamWriter&) { return Result<void>(); };  // says only that there is one
  {
    std::lock_guard lock(mutex_);
    response = std::move(result);
    head_ready_ = true;
    if (!stream) finished_ = true;
    wake_io();
  }
  Result<void> streamed;
  if (stream && !gone()) streamed = call_stream(stream, *this);
  stream = nullptr;
  if (!request.body_file.empty()) {
    std::error_code ignored;
    std::filesystem::remove(request.body_file, ignored);
  }
  std::lock_guard lock(mutex_);
  outcome = std::move(streamed);
  finished_ = true;
  wake_io();
}

bool Exchange::write(std::string_view bytes) {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] { return abandoned_ || unsent_.size() < max_unsent_bytes_; });
  if (abandoned_) return false;
  unsent_ += bytes;
  wake_io();
  return true;
}

void Exchange::wake_io() {
  if (std::exchange(wake_posted_, true)) return;
  boost::asio::post(io_, [self = shared_from_this()] {
    {
      std::lock_guard lock(self->mutex_);
      self->wake_posted_ = false;
    }
    self->wake.cancel();
  });
}

void Exchange::abandon() {
  {
    std::lock_guard lock(mutex_);
    abandoned_ = true;
    room_.notify_all();
  }
  stop.request_stop();
  wake.cancel();
}

bool Exchange::head_ready() {
  std::lock_guard lock(mutex_);
  return head_ready_;
}

std::string Exchange::take_unsent() {
  std::lock_guard lock(mutex_);
  room_.notify_all();
  return std::exchange(unsent_, {});
}

bool Exchange::finished() {
  std::lock_guard lock(mutex_);
  return finished_ && unsent_.empty();
}

}  // namespace hearth::http
