// SseParser: server-sent events out of a byte stream. Comments (heartbeats) are dropped.
#pragma once

#include <QByteArray>
#include <QList>

#include "base/result.h"

namespace hearth::gui {

struct SseEvent {
  QByteArray id, name, data;
};

class SseParser {
 public:
  static constexpr qsizetype kMaxEventBytes = 8 << 20;

  // The events that `bytes` completed. An event larger than the limit is resource_exhausted.
  Result<QList<SseEvent>> push(const QByteArray& bytes);

 private:
  void takeField(const QByteArray& line);

  QByteArray input_;
  SseEvent current_;
  bool hasData_ = false;
};

}  // namespace hearth::gui
