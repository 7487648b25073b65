// One request under way: what a handler's worker thread and the connection's coroutine share. Internal to the server.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "base/http/byte_budget.h"
#include "base/http/router.h"

namespace hearth::http {

class Exchange final : public StreamWriter, public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(boost::asio::io_context& io, const ByteBudget& bodies, size_t max_unsent_bytes)
      : wake(io), body_share(bodies), io_(io), max_unsent_bytes_(max_unsent_bytes) {}

  // Worker thread.
  void run(const Route& route);
  bool write(std::string_view bytes) override;
  bool gone() const override { return stop.stop_requested(); }

  // I/O thread.
  void abandon();                  // the client has gone or must go: wakes the worker, which sees gone()
  bool head_ready();               // `response` may be taken
  std::string take_unsent();       // streamed bytes so far
  bool finished();                 // the handler, and its stream, returned; `outcome` is final
  boost::asio::steady_timer wake;  // cancelled whenever one of the above changes

  Request request;
  ByteBudget::Share body_share;              // of request.body, for as long as a worker may read it
  std::optional<Result<Response>> response;  // the I/O thread's once head_ready()
  Result<void> outcome;                      // of the stream
  std::stop_source stop;

 private:
  void wake_io();  // with mutex_ held

  boost::asio::io_context& io_;
  const size_t max_unsent_bytes_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::string unsent_;
  bool head_ready_ = false, finished_ = false, abandoned_ = false, wake_posted_ = false;
};

}  // namespace hearth::http
