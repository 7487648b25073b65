// The event ring.
#include "appliance/hearthd/event_bus.h"

#include <chrono>

namespace hearth {

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// A second holds 4096 ids before the next start could repeat one; 2^53 is not reached in this millennium.
EventBus::EventBus(size_t capacity) : capacity_(capacity), last_id_(static_cast<uint64_t>(now_seconds()) << 12) {}

void EventBus::push(api::Event event) {
  std::lock_guard lock(mutex_);
  event.id = ++last_id_;
  event.at = now_seconds();
  ring_.push_back(std::move(event));
  if (ring_.size() > capacity_) ring_.pop_front();
  changed_.notify_all();
}

void EventBus::publish(api::EventKind kind, std::string_view subject, std::string_view message) {
  push({.kind = kind, .subject = std::string(subject), .message = std::string(message)});
}

void EventBus::publish(const api::Job& job) {
  push({.kind = "job",
        .subject = job.id,
        .message = job.title + ": " + (job.reason.empty() ? job.step : job.reason),
        .job = job});
}

void EventBus::publish(const api::Deployment& deployment) {
  std::string message = deployment.model + ": " + deployment.state.text();
  if (!deployment.reason.empty() && deployment.state != "ready") message += " (" + deployment.reason + ")";
  push({.kind = "deployment", .subject = deployment.model, .message = std::move(message), .deployment = deployment});
}

std::vector<api::Event> EventBus::wait_after(uint64_t id, std::chrono::milliseconds at_most,
                                             const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, at_most, [&] { return closed_ || last_id_ != id; });
  std::vector<api::Event> out;
  if (last_id_ == id) return out;
  bool is_known = id <= last_id_ && !ring_.empty() && id + 1 >= ring_.front().id;
  if (!is_known)
    out.push_back({.id = ring_.empty() ? last_id_ : ring_.front().id - 1,
                   .at = now_seconds(),
                   .kind = "box",
                   .message = "events were missed; read everything again"});
  for (const api::Event& event : ring_)
    if (!is_known || event.id > id) out.push_back(event);
  return out;
}

uint64_t EventBus::last_id() const {
  std::lock_guard lock(mutex_);
  return last_id_;
}

void EventBus::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool EventBus::closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

}  // namespace hearth
