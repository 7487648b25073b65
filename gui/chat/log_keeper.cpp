// LogKeeper: a queue and one thread.
#include "gui/chat/log_keeper.h"

#include <algorithm>

#include "base/log.h"
#include "gui/components/format.h"

namespace hearth::gui {

LogKeeper::LogKeeper(QObject* parent) : QObject(parent), thread_([this] { run(); }) {}

LogKeeper::~LogKeeper() {
  {
    std::lock_guard lock(mutex_);
    isEnding_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LogKeeper::post(const std::string& name, Work work) {
  {
    std::lock_guard lock(mutex_);
    auto same = std::find_if(tasks_.begin(), tasks_.end(), [&](const Task& t) { return t.name == name; });
    if (same != tasks_.end()) {
      same->work = std::move(work);
    } else {
      tasks_.push_back({name, std::move(work)});
    }
  }
  changed_.notify_all();
}

void LogKeeper::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return tasks_.empty() && !current_; });
}

bool LogKeeper::wait(const std::string& name, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] {
    return current_ != name &&
           std::none_of(tasks_.begin(), tasks_.end(), [&](const Task& t) { return t.name == name; });
  });
}

void LogKeeper::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return isEnding_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const Work work = std::move(tasks_.front().work);
    current_ = std::move(tasks_.front().name);
    tasks_.pop_front();
    lock.unlock();
    if (auto done = work(); !done) {
      spdlog::error("{}", done.error().to_string());
      emit failed(textOf(done.error()));  // queued: its receivers live on another thread
    }
    lock.lock();
    current_.reset();
    changed_.notify_all();
  }
}

}  // namespace hearth::gui
