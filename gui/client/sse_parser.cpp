// SseParser: line by line; an empty line ends an event.
#include "gui/client/sse_parser.h"

namespace hearth::gui {

Result<QList<SseEvent>> SseParser::push(const QByteArray& bytes) {
  input_ += bytes;
  QList<SseEvent> events;
  qsizetype start = 0;
  for (qsizetype end; (end = input_.indexOf('\n', start)) >= 0; start = end + 1) {
    QByteArray line = input_.mid(start, end - start);
    if (line.endsWith('\r')) line.chop(1);
    if (!line.isEmpty()) {
      takeField(line);
    } else if (hasData_) {
      events.append(std::exchange(current_, {}));
      hasData_ = false;
    } else {
      current_ = {};
    }
  }
  input_.remove(0, start);
  if (input_.size() + current_.data.size() > kMaxEventBytes)
    return error(Code::resource_exhausted, "the service sent an event larger than {} bytes", kMaxEventBytes);
  return events;
}

void SseParser::takeField(const QByteArray& line) {
  qsizetype colon = line.indexOf(':');
  QByteArray name = colon < 0 ? line : line.left(colon);
  QByteArray value = colon < 0 ? QByteArray() : line.mid(colon + 1);
  if (value.startsWith(' ')) value.remove(0, 1);
  if (name == "data") {
    if (hasData_) current_.data += '\n';
    current_.data += value;
    hasData_ = true;
  } else if (name == "event") {
    current_.name = value;
  } else if (name == "id") {
    current_.id = value;
  }
}

}  // namespace hearth::gui
