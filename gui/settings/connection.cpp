// Connection: BoxState's connection in words.
#include "gui/settings/connection.h"

#include "gui/client/http_exchange.h"
#include "gui/components/format.h"

namespace hearth::gui {

Connection::Connection(BoxState& box, QObject* parent) : QObject(parent), box_(box) {
  connect(&box, &BoxState::connectionChanged, this, &Connection::changed);
}

bool Connection::isConnected() const { return box_.connection() == BoxState::Connection::connected; }
bool Connection::isUnreachable() const { return box_.connection() == BoxState::Connection::unreachable; }
bool Connection::isLocal() const { return box_.client().isLocal(); }
QString Connection::address() const { return box_.client().address(); }

QString Connection::stateText() const {
  if (isConnected()) return tr("Connected");
  return isUnreachable() ? tr("Service not reachable") : tr("Connecting…");
}

QString Connection::problem() const { return isUnreachable() ? box_.problem() : QString(); }

QString Connection::advice() const {
  if (!isUnreachable()) return {};
  if (isLocal())
    return tr("Hearth's service does not answer on this box. It may still be starting, or it was stopped. Start it with "
              "the command below; this window connects by itself as soon as it answers.");
  return tr("The box at %1 does not answer. Check that it is switched on, that both machines are on the same network and "
            "that the address in Settings is right.").arg(address());
}

QString Connection::command() const {
  if (!isUnreachable() || !isLocal()) return {};
  return address().startsWith(QLatin1String("/var/lib/")) ? QStringLiteral("sudo systemctl start hearthd")
                                                          : QStringLiteral("hearth serve");
}

void Connection::retry() { box_.client().retryNow(); }

void Connection::connectTo(const QString& url) {
  if (!url.isEmpty()) {
    if (auto endpoint = Endpoint::fromUrl(url); !endpoint) {
      addressProblem_ = tr("This is not an address. Write it like http://192.168.1.20:8080");
      emit changed();
      return;
    }
  }
  addressProblem_.clear();
  emit changed();
  emit addressChosen(url);
}

}  // namespace hearth::gui
