// The elastic pool: a new thread only when none is idle, gone again after some idle seconds.
#include "base/http/worker_pool.h"

#include <chrono>
#include <system_error>
#include <thread>

namespace hearth::http {

constexpr std::chrono::seconds kIdleBeforeExit{10};

void start_detached_thread(std::function<void()> body) {
  std::thread(std::move(body)).detach();
}

bool WorkerPool::submit(std::function<void()> job) {
  std::lock_guard lock(mutex_);
  if (closed_ || queue_.size() >= max_queued_) return false;
  queue_.push_back(std::move(job));
  bool wants_thread = static_cast<int>(queue_.size()) > n_idle_ && n_threads_ < max_threads_;
  if (wants_thread && !add_thread() && n_threads_ == 0) {  // nobody would ever take it
    queue_.pop_back();
    return false;
  }
  work_.notify_one();
  return true;
}

bool WorkerPool::add_thread() {
  try {
    start_thread_([this] { run(); });
  } catch (const std::system_error&) {  // the system's limit: the threads that run take the job
    return false;
  }
  ++n_threads_;  // the new thread waits for mutex_ until this is counted
  return true;
}

void WorkerPool::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++n_idle_;
    work_.wait_for(lock, kIdleBeforeExit, [this] { return closed_ || !queue_.empty(); });
    --n_idle_;
    if (queue_.empty()) break;  // closed, or idle for long
    std::function<void()> job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
  --n_threads_;
  ended_.notify_all();
}

void WorkerPool::join() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  work_.notify_all();
  ended_.wait(lock, [this] { return n_threads_ == 0; });
}

}  // namespace hearth::http
