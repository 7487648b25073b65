// Desktop: made in the order of its parts, taken down window first, client next.
#include "gui/app/desktop.h"

#include <QCoreApplication>
#include <QDir>
#include <QLocale>
#include <QQuickWindow>
#include <QStandardPaths>

#include "gui/client/http_client.h"

namespace hearth::gui {

namespace {
constexpr const char* kServiceState = "/var/lib/hearth";  // of the installed service

QString settingsFileFor(const DesktopOptions& options) {
  if (!options.settingsFile.isEmpty()) return options.settingsFile;
  return QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation) +
         QStringLiteral("/hearth/desktop.ini");
}

std::filesystem::path chatsFolderFor(const DesktopOptions& options) {
  if (!options.dataDir.empty()) return options.dataDir / "chats";
  QString data = QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation);
  return std::filesystem::path(data.toStdString()) / "hearth" / "chats";
}

Endpoint endpointFor(const DesktopOptions& options, const QString& savedUrl) {
  const QString& url = options.url.isEmpty() && options.stateDir.empty() ? savedUrl : options.url;
  if (!url.isEmpty())
    if (auto endpoint = Endpoint::fromUrl(url)) return *endpoint;
  return {.socketPath = socketPathFor(options.stateDir)};
}

std::unique_ptr<Client> orHttp(std::unique_ptr<Client> client, const DesktopOptions& options,
                               const Settings& settings) {
  if (client) return client;
  return std::make_unique<HttpClient>(endpointFor(options, settings.url()));
}
}  // namespace

QString socketIn(const QString& stateDir) {
  return QDir(stateDir).absoluteFilePath(QStringLiteral("run/hearthd.sock"));
}

QString chooseSocket(const QString& serviceState, const QString& ownState) {
  if (QFile::exists(socketIn(serviceState))) return socketIn(serviceState);
  if (QFile::exists(socketIn(ownState))) return socketIn(ownState);
  return socketIn(QFile::exists(serviceState) ? serviceState : ownState);
}

QString socketPathFor(const std::filesystem::path& stateDir) {
  if (!stateDir.empty()) return socketIn(QString::fromStdString(stateDir.string()));
  const QString own = qEnvironmentVariable("XDG_STATE_HOME", QDir::homePath() + QStringLiteral("/.local/state"));
  return chooseSocket(QLatin1String(kServiceState), own + QStringLiteral("/hearth"));
}

Desktop::Desktop(const DesktopOptions& options, std::unique_ptr<Client> client)
    : options_(options),
      settings_(settingsFileFor(options)),
      client_(orHttp(std::move(client), options, settings_)),
      box_(*client_),
      connection_(box_),
      home_(box_),
      chat_(box_, chatsFolderFor(options)),
      library_(box_),
      fineTune_(box_),
      updates_(box_) {
  if (!options.language.isEmpty()) settings_.overrideLanguage(options.language);
  if (!options.theme.isEmpty()) settings_.overrideTheme(options.theme);
  translate();
  connect(&settings_, &Settings::languageChanged, this, &Desktop::translate);
  connect(&connection_, &Connection::addressChosen, this, &Desktop::chooseAddress);
  client_->start();
}

Desktop::~Desktop() {
  engine_.reset();
  client_->disconnect();
  QCoreApplication::removeTranslator(&translator_);
}

QQuickWindow* Desktop::show() {
  engine_ = std::make_unique<QQmlApplicationEngine>();
  engine_->setNetworkAccessManagerFactory(network_);
  engine_->addImportPath(QStringLiteral("qrc:/qt/qml"));
  engine_->setInitialProperties(
      {{QStringLiteral("app"), QVariant::fromValue(this)},
       {QStringLiteral("page"), options_.page.isEmpty() ? QStringLiteral("home") : options_.page}});
  engine_->load(QUrl(QStringLiteral("qrc:/qt/qml/Hearth/app/Main.qml")));
  return engine_->rootObjects().isEmpty() ? nullptr : qobject_cast<QQuickWindow*>(engine_->rootObjects().first());
}

void Desktop::translate() {
  QCoreApplication::removeTranslator(&translator_);
  QString language = settings_.effectiveLanguage();
  QLocale::setDefault(QLocale(language));
  if (translator_.load(QStringLiteral(":/i18n/hearth_%1.qm").arg(language)))
    QCoreApplication::installTranslator(&translator_);
  connection_.retranslate();
  home_.retranslate();
  chat_.retranslate();
  library_.retranslate();
  fineTune_.retranslate();
  updates_.retranslate();
  if (engine_) engine_->retranslate();
}

void Desktop::chooseAddress(const QString& url) {
  auto* http = qobject_cast<HttpClient*>(client_.get());
  if (!http) return;
  settings_.setUrl(url);
  options_.url = url;
  http->setEndpoint(endpointFor(options_, url));
  connection_.retranslate();
}

}  // namespace hearth::gui
