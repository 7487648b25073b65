// A pool for blocking work that grows on demand and shrinks when idle. Handlers run here.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace hearth::http {

// Runs a function on a thread of its own; throws std::system_error when the system gives no more threads.
using StartThread = std::function<void(std::function<void()>)>;
void start_detached_thread(std::function<void()> body);

class WorkerPool {
 public:
  WorkerPool(int max_threads, size_t max_queued, StartThread start_thread = start_detached_thread)
      : max_threads_(max_threads), max_queued_(max_queued), start_thread_(std::move(start_thread)) {}
  ~WorkerPool() { join(); }
  // False when every thread is busy and the queue is full, when there is no thread and none can be made, or after
  // join().
  bool submit(std::function<void()> job);
  // Takes no more jobs, finishes those it has, and returns when every thread has ended.
  void join();

 private:
  void run();
  bool add_thread();  // with mutex_ held

  const int max_threads_;
  const size_t max_queued_;
  const StartThread start_thread_;
  std::mutex mutex_;
  std::condition_variable work_, ended_;
  std::deque<std::function<void()>> queue_;
  int n_threads_ = 0, n_idle_ = 0;
  bool closed_ = false;
};

}  // namespace hearth::http
