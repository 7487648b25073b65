// HttpExchange: connect, write, read until complete; every way to end goes through finish().
#include "gui/client/http_exchange.h"

#include <QLocalSocket>
#include <QTcpSocket>
#include <QUrl>

#include <algorithm>

namespace hearth::gui {

Error worded(Code code, const QString& text) {
  return error(code, "{}", text.toStdString());
}

QString Endpoint::toString() const {
  return isLocal() ? socketPath : QStringLiteral("http://%1:%2").arg(host).arg(port);
}

Result<Endpoint> Endpoint::fromUrl(const QString& text) {
  QUrl url(text.trimmed(), QUrl::StrictMode);
  if (!url.isValid() || url.scheme() != QLatin1String("http") || url.host().isEmpty())
    return error(Code::invalid_argument, "expected an address such as http://192.168.1.20:8080, got \"{}\"",
                 text.toStdString());
  return Endpoint{{}, url.host(), static_cast<quint16>(url.port(80))};
}

QByteArray Endpoint::hostHeader() const {
  if (isLocal()) return "hearth";
  const QString name = host.contains(QLatin1Char(':')) ? QLatin1Char('[') + host + QLatin1Char(']') : host;
  return (name + QLatin1Char(':') + QString::number(port)).toLatin1();
}

HttpExchange::HttpExchange(const Endpoint& endpoint, const HttpRequest& request, QObject* parent)
    : QObject(parent), request_(request), address_(endpoint.toString()), host_(endpoint.hostHeader()) {
  silence_.setSingleShot(true);
  silence_.setInterval(request_.silenceLimitMs);
  connect(&silence_, &QTimer::timeout, this, [this] {
    finish(worded(Code::deadline_exceeded, tr("the service at %1 did not answer within %2 s; try again")
                                               .arg(address_)
                                               .arg(request_.silenceLimitMs / 1000)));
  });
  // Opened from the event loop: a local connection can fail before the caller has connected to our signals.
  QMetaObject::invokeMethod(
      this, [this, endpoint] { open(endpoint); }, Qt::QueuedConnection);
}

void HttpExchange::open(const Endpoint& endpoint) {
  if (isOver_) return;
  silence_.start();
  auto watch = [this](auto* socket) {
    using Socket = std::remove_pointer_t<decltype(socket)>;
    socket_ = socket;
    connect(socket, &Socket::connected, this, &HttpExchange::send);
    connect(socket, &Socket::readyRead, this, &HttpExchange::read);
    connect(socket, &Socket::bytesWritten, this, [this] {
      silence_.start();
      if (fileLeft_ > 0) sendFile();
    });
    connect(socket, &Socket::errorOccurred, this, [this, socket] { fail(socket->errorString()); });
    connect(socket, &Socket::disconnected, this, [this] {
      read();
      if (!isOver_) finish(parser_.pushEnd());
    });
  };
  if (endpoint.isLocal()) {
    auto* socket = new QLocalSocket(this);
    watch(socket);
    socket->connectToServer(endpoint.socketPath);
  } else {
    auto* socket = new QTcpSocket(this);
    watch(socket);
    socket->connectToHost(endpoint.host, endpoint.port);
  }
}

void HttpExchange::send() {
  QByteArray head =
      request_.method + ' ' + request_.target + " HTTP/1.1\r\nHost: " + host_ + "\r\nConnection: close\r\n";
  for (const auto& [name, value] : request_.headers) head += name + ": " + value + "\r\n";
  fileLeft_ = request_.file ? request_.file->size() : 0;
  if (!request_.body.isEmpty() || request_.method == "POST") {
    head += "Content-Type: " + request_.contentType + "\r\n";
    head += "Content-Length: " + QByteArray::number(request_.body.size() + fileLeft_) + "\r\n";
  }
  socket_->write(head + "\r\n");
  socket_->write(request_.body);
  if (fileLeft_ > 0) sendFile();
}

void HttpExchange::sendFile() {
  while (fileLeft_ > 0 && !isOver_ && socket_->bytesToWrite() < kFilePieceBytes) {
    const QByteArray piece = request_.file->read(std::min(kFilePieceBytes, fileLeft_));
    if (piece.isEmpty())
      return finish(worded(
          Code::data_loss,
          tr("%1 became shorter or could not be read while it was sent; try again").arg(request_.file->fileName())));
    fileLeft_ -= piece.size();
    socket_->write(piece);
  }
  emit fileSent(request_.file->size() - fileLeft_ - std::min(socket_->bytesToWrite(), kFilePieceBytes),
                request_.file->size());
}

void HttpExchange::read() {
  if (isOver_) return;
  silence_.start();
  bool hadHead = parser_.hasHead();
  if (auto ok = parser_.push(socket_->readAll()); !ok) return finish(ok);
  if (!hadHead && parser_.hasHead()) emit headArrived(parser_.status());
  if (isOver_) return;
  if (QByteArray bytes = parser_.takeBody(); !bytes.isEmpty()) emit bodyArrived(bytes);
  if (!isOver_ && parser_.isComplete()) finish({});
}

void HttpExchange::fail(const QString& why) {
  if (isOver_) return;
  // A close by the other side is reported as an error first; what it sent before still counts: a refusal, for example,
  // of a file that is too large.
  read();
  if (isOver_) return;
  if (parser_.hasHead()) return finish(parser_.pushEnd());
  finish(worded(Code::unavailable, tr("no answer from Hearth's service at %1 (%2)").arg(address_, why)));
}

void HttpExchange::abort() {
  finish(error(Code::cancelled, "stopped"));
}

void HttpExchange::finish(const Result<void>& result) {
  if (std::exchange(isOver_, true)) return;
  silence_.stop();
  if (socket_) {
    socket_->disconnect(this);
    socket_->close();
  }
  emit finished(result);
  deleteLater();
}

}  // namespace hearth::gui
