// What the desktop's tests share: waiting for something to become true, and a temporary folder's path.
#pragma once

#include <QCoreApplication>
#include <QDeadlineTimer>
#include <QEventLoop>
#include <QTemporaryDir>
#include <QTimer>

#include <filesystem>
#include <functional>

namespace hearth::gui {

// Runs the event loop one round at a time until `isTrue`, or gives up.
inline bool waitFor(const std::function<bool()>& isTrue, int timeoutMs = 10'000) {
  QDeadlineTimer deadline(timeoutMs);
  QTimer wake;  // a round lasts this long at most
  wake.start(20);
  while (!isTrue()) {
    if (deadline.hasExpired()) return false;
    QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
  }
  return true;
}

inline std::filesystem::path pathIn(const QTemporaryDir& dir, const char* name = "") {
  return std::filesystem::path(dir.path().toStdString()) / name;
}

}  // namespace hearth::gui
