// ScriptServer: a Unix socket that answers each request with bytes prepared for its request line, and remembers requests.
#pragma once

#include <QLocalServer>
#include <QLocalSocket>
#include <QMap>
#include <QTemporaryDir>

namespace hearth::gui {

class ScriptServer : public QObject {
 public:
  ScriptServer() {
    server_.listen(dir_.filePath("s"));
    connect(&server_, &QLocalServer::newConnection, this, [this] { accept(server_.nextPendingConnection()); });
  }

  QString path() const { return server_.fullServerName(); }
  // `bytes` for requests whose first line begins with `start`; the connection stays open when `keepOpen`.
  void on(const QByteArray& start, const QByteArray& bytes, bool keepOpen = false) { answers_[start] = {bytes, keepOpen}; }
  static QByteArray ok(const QByteArray& body) { return status("200 OK", body); }
  static QByteArray status(const QByteArray& line, const QByteArray& body) {
    return "HTTP/1.1 " + line + "\r\nContent-Length: " + QByteArray::number(body.size()) + "\r\n\r\n" + body;
  }
  void close() { server_.close(); }
  void dropConnections() {
    for (QLocalSocket* socket : findChildren<QLocalSocket*>()) socket->abort();
    for (QLocalSocket* socket : server_.findChildren<QLocalSocket*>()) socket->abort();
  }

  QList<QByteArray> requests;
  int nClosedByClient = 0;

 private:
  void accept(QLocalSocket* socket) {
    connect(socket, &QLocalSocket::disconnected, this, [this] { ++nClosedByClient; });
    connect(socket, &QLocalSocket::readyRead, socket, [this, socket, input = QByteArray()]() mutable {
      input += socket->readAll();
      qsizetype head = input.indexOf("\r\n\r\n");
      if (head < 0) return;
      qsizetype at = input.indexOf("Content-Length: ");
      qsizetype length = at < 0 ? 0 : input.mid(at + 16, input.indexOf('\r', at) - at - 16).toLongLong();
      if (input.size() < head + 4 + length) return;
      requests.append(input);
      for (auto it = answers_.begin(); it != answers_.end(); ++it) {
        if (!input.startsWith(it.key())) continue;
        socket->write(it->first);
        socket->flush();
        if (!it->second) socket->disconnectFromServer();
      }
      input.clear();
    });
  }

  QTemporaryDir dir_;
  QLocalServer server_;
  QMap<QByteArray, std::pair<QByteArray, bool>> answers_;
};

}  // namespace hearth::gui
