// NoNetwork: a manager without networks. What comes with the program (qrc:) is read as ever.
#include "gui/app/no_network.h"

#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QNetworkRequest>

#include "base/log.h"

namespace hearth::gui {

namespace {
class RefusedReply : public QNetworkReply {
 public:
  RefusedReply(QNetworkAccessManager::Operation operation, const QNetworkRequest& request, QObject* parent)
      : QNetworkReply(parent) {
    setOperation(operation);
    setRequest(request);
    setUrl(request.url());
    setError(ContentAccessDenied, QStringLiteral("the desktop fetches nothing"));
    setFinished(true);
    open(ReadOnly | Unbuffered);
    QMetaObject::invokeMethod(this, &QNetworkReply::finished, Qt::QueuedConnection);
  }
  void abort() override {}

 protected:
  qint64 readData(char*, qint64) override { return -1; }
};

class RefusingManager : public QNetworkAccessManager {
 public:
  using QNetworkAccessManager::QNetworkAccessManager;

 protected:
  QNetworkReply* createRequest(Operation operation, const QNetworkRequest& request, QIODevice* data) override {
    if (request.url().scheme() == QLatin1String("qrc"))
      return QNetworkAccessManager::createRequest(operation, request, data);
    spdlog::warn("refused to fetch {}", request.url().toEncoded().left(200).toStdString());
    return new RefusedReply(operation, request, this);
  }
};
}  // namespace

QNetworkAccessManager* NoNetwork::create(QObject* parent) {
  return new RefusingManager(parent);
}

}  // namespace hearth::gui
