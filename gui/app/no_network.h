// NoNetwork: what the QML engine gets for a network: every request fails before it leaves. The desktop talks to the
// service over sockets of its own (client/); whatever else would fetch something is a defect, and must find no way out.
#pragma once

#include <QQmlNetworkAccessManagerFactory>

namespace hearth::gui {

class NoNetwork : public QQmlNetworkAccessManagerFactory {
 public:
  QNetworkAccessManager* create(QObject* parent) override;
};

}  // namespace hearth::gui
