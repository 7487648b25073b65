// HttpParser: a small state machine; every state consumes from input_ or waits for more.
#include "gui/client/http_parser.h"

#include <algorithm>

namespace hearth::gui {

namespace {
constexpr qint64 kMaxChunkBytes = qint64{1} << 40;

Error notHttp(const QByteArray& line) {
  return error(Code::unavailable, "expected an HTTP/1.1 answer, got \"{}\"; is this Hearth's address?",
               line.left(60).toStdString());
}
}  // namespace

Result<void> HttpParser::push(const QByteArray& bytes) {
  input_ += bytes;
  while (TRY(step())) {
  }
  return {};
}

Result<void> HttpParser::pushEnd() {
  if (state_ == State::untilClose) state_ = State::done;
  if (state_ == State::done) return {};
  return error(state_ == State::head ? Code::unavailable : Code::data_loss,
               "the service closed the connection in the middle of its answer; try again");
}

QByteArray HttpParser::header(const QByteArray& name) const {
  for (const auto& [key, value] : headers_)
    if (key == name) return value;
  return {};
}

Result<bool> HttpParser::step() {
  switch (state_) {
    case State::head:
      return readHead();
    case State::chunkSize:
      return readChunkSize();
    case State::untilClose:
      body_ += std::exchange(input_, {});
      return false;
    case State::length:
    case State::chunkData:
      takeContent();
      if (left_ > 0) return false;
      state_ = state_ == State::length ? State::done : State::chunkEnd;
      return true;
    case State::chunkEnd:
      if (!takeLine()) return false;
      state_ = State::chunkSize;
      return true;
    case State::trailer: {
      auto line = takeLine();
      if (!line) return false;
      if (line->isEmpty()) state_ = State::done;
      return true;
    }
    case State::done:
      return false;
  }
  return false;
}

Result<bool> HttpParser::readHead() {
  qsizetype end = input_.indexOf("\r\n\r\n");
  if (end < 0) {
    if (input_.size() > kMaxHeadBytes) return error(Code::unavailable, "the answer's head is longer than {} bytes", kMaxHeadBytes);
    if (input_.size() >= 5 && !input_.startsWith("HTTP/")) return notHttp(input_);
    return false;
  }
  QList<QByteArray> lines = input_.left(end).split('\n');
  input_.remove(0, end + 4);
  QList<QByteArray> words = lines.takeFirst().trimmed().split(' ');
  if (words.size() < 2 || !words[0].startsWith("HTTP/1.")) return notHttp(words.join(' '));
  status_ = words[1].toInt();
  headers_.clear();
  for (const QByteArray& line : lines) {
    qsizetype colon = line.indexOf(':');
    if (colon > 0) headers_.append({line.left(colon).trimmed().toLower(), line.mid(colon + 1).trimmed()});
  }
  if (status_ >= 100 && status_ < 200) return true;  // 100 Continue: the real head follows
  if (header("transfer-encoding").toLower().contains("chunked")) {
    state_ = State::chunkSize;
  } else if (QByteArray length = header("content-length"); !length.isEmpty()) {
    bool ok = false;
    left_ = length.toLongLong(&ok);
    if (!ok || left_ < 0) return notHttp("Content-Length: " + length);
    state_ = State::length;
  } else {
    state_ = status_ == 204 || status_ == 304 ? State::done : State::untilClose;
  }
  return true;
}

Result<bool> HttpParser::readChunkSize() {
  auto line = takeLine();
  if (!line) {
    if (input_.size() > 1024) return notHttp(input_);
    return false;
  }
  bool ok = false;
  left_ = line->split(';').first().trimmed().toLongLong(&ok, 16);
  if (!ok || left_ < 0 || left_ > kMaxChunkBytes) return notHttp(*line);
  state_ = left_ == 0 ? State::trailer : State::chunkData;
  return true;
}

std::optional<QByteArray> HttpParser::takeLine() {
  qsizetype end = input_.indexOf('\n');
  if (end < 0) return std::nullopt;
  QByteArray line = input_.left(end);
  input_.remove(0, end + 1);
  return line.endsWith('\r') ? line.chopped(1) : line;
}

void HttpParser::takeContent() {
  qsizetype n = std::min<qint64>(left_, input_.size());
  body_ += input_.left(n);
  input_.remove(0, n);
  left_ -= n;
}

}  // namespace hearth::gui
