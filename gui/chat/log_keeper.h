// LogKeeper: waits for the disk on a thread of its own, so that the window does not. What it is asked for is done in
// that order, and all of it before the keeper is gone.
#pragma once

#include <QObject>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/result.h"

namespace hearth::gui {

class LogKeeper : public QObject {
  Q_OBJECT
 public:
  using Work = std::function<Result<void>()>;

  explicit LogKeeper(QObject* parent = nullptr);
  ~LogKeeper() override;

  // Work of the same name that has not begun yet is done once: a slow disk does not make the queue grow.
  void post(const std::string& name, Work work);
  void wait();  // until all is done
  // Until nothing of that name is left to do; false when that takes longer.
  bool wait(const std::string& name, std::chrono::milliseconds limit);

 signals:
  void failed(const QString& why);  // on the thread that the keeper was made on

 private:
  struct Task {
    std::string name;
    Work work;
  };
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::optional<std::string> current_;  // what is being done
  bool isEnding_ = false;
  std::thread thread_;
};

}  // namespace hearth::gui
