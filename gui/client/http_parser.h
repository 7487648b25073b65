// HttpParser: an HTTP/1.1 response, pushed in as bytes arrive, with or without chunks. No sockets here.
//
//   HttpParser parser;
//   TRY(parser.push(bytes));          // as often as bytes arrive
//   use(parser.takeBody());           // decoded body bytes so far, each byte once
//   if (parser.isComplete()) ...
#pragma once

#include <QByteArray>
#include <QList>

#include <optional>
#include <utility>

#include "base/result.h"

namespace hearth::gui {

class HttpParser {
 public:
  static constexpr qsizetype kMaxHeadBytes = 64 << 10;

  // Anything that is not HTTP/1.x is Code::unavailable (somebody else answers at that address).
  Result<void> push(const QByteArray& bytes);
  // The other side closed. Fine for a body without a length; otherwise the response was cut short: data_loss.
  Result<void> pushEnd();

  bool hasHead() const { return state_ != State::head; }
  bool isComplete() const { return state_ == State::done; }
  int status() const { return status_; }
  // Name in lower case; empty when absent.
  QByteArray header(const QByteArray& name) const;
  QByteArray takeBody() { return std::exchange(body_, {}); }

 private:
  enum class State { head, untilClose, length, chunkSize, chunkData, chunkEnd, trailer, done };

  Result<bool> step();  // true: made progress, call again
  Result<bool> readHead();
  Result<bool> readChunkSize();
  std::optional<QByteArray> takeLine();
  void takeContent();

  State state_ = State::head;
  int status_ = 0;
  qint64 left_ = 0;  // of the body or the chunk
  QByteArray input_, body_;
  QList<std::pair<QByteArray, QByteArray>> headers_;
};

}  // namespace hearth::gui
