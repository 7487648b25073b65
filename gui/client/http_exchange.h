// HttpExchange: one HTTP/1.1 request and its response over a Unix socket or TCP. Deletes itself when it is over.
#pragma once

#include <QFile>
#include <QIODevice>
#include <QObject>
#include <QTimer>

#include <memory>

#include "base/result.h"
#include "gui/client/http_parser.h"

namespace hearth::gui {

// An error in the desktop's language.
Error worded(Code code, const QString& text);

// Where hearthd listens: a socket's path, or a host and port.
struct Endpoint {
  QString socketPath;
  QString host;
  quint16 port = 0;

  bool isLocal() const { return !socketPath.isEmpty(); }
  QString toString() const;
  QByteArray hostHeader() const;  // the service answers only to names of its own
  // "http://host:port"; anything else is invalid_argument.
  static Result<Endpoint> fromUrl(const QString& url);
};

struct HttpRequest {
  QByteArray method = "GET", target;
  QByteArray body, contentType = "application/json";
  std::shared_ptr<QFile> file = {};  // the body instead, open for reading; never held whole
  QList<std::pair<QByteArray, QByteArray>> headers;
  int silenceLimitMs = 60'000;  // no byte for this long is deadline_exceeded
};

class HttpExchange : public QObject {
  Q_OBJECT
 public:
  static constexpr qint64 kFilePieceBytes = 256 << 10;  // and at most twice as much waits in the socket

  HttpExchange(const Endpoint& endpoint, const HttpRequest& request, QObject* parent);

  const HttpParser& response() const { return parser_; }
  // Closes the connection; finished() follows with Code::cancelled.
  void abort();

 signals:
  void headArrived(int status);
  void bodyArrived(const QByteArray& bytes);
  void fileSent(qint64 sentBytes, qint64 totalBytes);
  // Once, last. A response with an error status is a success here.
  void finished(const hearth::Result<void>& result);

 private:
  void open(const Endpoint& endpoint);
  void send();
  void sendFile();
  void read();
  void fail(const QString& why);
  void finish(const Result<void>& result);

  HttpRequest request_;
  QString address_;
  QByteArray host_;
  HttpParser parser_;
  QIODevice* socket_ = nullptr;
  QTimer silence_;
  qint64 fileLeft_ = 0;
  bool isOver_ = false;
};

}  // namespace hearth::gui
