// Events of the service: numbered, kept in a ring for clients that reconnect, waited for by open event streams.
// Any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>

#include "appliance/api/types.h"

namespace hearth {

double now_seconds();  // since 1970

class EventBus {
 public:
  // Ids go on growing over restarts of the service: they begin at a number made from the clock.
  explicit EventBus(size_t capacity = 4096);

  void publish(api::EventKind kind, std::string_view subject, std::string_view message);
  void publish(const api::Job& job);
  void publish(const api::Deployment& deployment);

  // Events after `id`, waiting for one at most `at_most`. When events after `id` were lost (too long ago, or of a
  // service that has ended), the first one returned is of kind "box" and asks the client to read everything again.
  std::vector<api::Event> wait_after(uint64_t id, std::chrono::milliseconds at_most, const std::stop_token& stop);
  uint64_t last_id() const;
  void close();  // ends all waiting, now and later
  bool closed() const;

 private:
  void push(api::Event event);

  const size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<api::Event> ring_;
  uint64_t last_id_;
  bool closed_ = false;
};

}  // namespace hearth
