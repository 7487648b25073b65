// hearth-desktop: the command line, then the window.
#include <QCommandLineParser>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QQuickStyle>
#include <QQuickWindow>
#include <QTimer>

#include "base/log.h"
#include "gui/app/desktop.h"
#include "gui/app/look.h"
#include "gui/client/fake_client.h"

using namespace hearth::gui;

namespace {
constexpr int kOfflineTickMs = 30;
constexpr int kScreenshotDelayMs = 1200;  // lists have been asked for and drawn by then

DesktopOptions optionsFrom(const QCommandLineParser& parser) {
  return {.stateDir = parser.value("state-dir").toStdString(),
          .url = parser.value("url"),
          .dataDir = parser.value("data-dir").toStdString(),
          .language = parser.value("lang"),
          .theme = parser.value("theme"),
          .page = parser.value("page")};
}

void saveScreenshotLater(QQuickWindow* window, const QString& file) {
  QTimer::singleShot(kScreenshotDelayMs, window, [window, file] {
    bool ok = window->grabWindow().save(file);
    if (!ok) spdlog::error("cannot write the screenshot to {}", file.toStdString());
    QCoreApplication::exit(ok ? 0 : 1);
  });
}
}  // namespace

int main(int argc, char** argv) {
  hearth::init_logging("hearth-desktop");
  prepareLook();
  QGuiApplication app(argc, argv);
  applyLook(app);

  QCommandLineParser parser;
  parser.setApplicationDescription("Hearth's desktop: chat, models, fine-tuning and updates of a Hearth box.");
  parser.addHelpOption();
  parser.addVersionOption();
  parser.addOptions({
      {"state-dir", "Talk to the service that runs with this state directory.", "DIR"},
      {"url", "Talk to a box on the network, for example http://192.168.1.20:8080.", "URL"},
      {"data-dir", "Keep conversations here instead of the user's data folder.", "DIR"},
      {"offline", "Show the desktop on a made-up box, without a service."},
      {"lang", "en or zh_CN, for this run.", "LANG"},
      {"theme", "light or dark, for this run.", "THEME"},
      {"page", "home, chat, models, finetune, updates or settings.", "PAGE"},
      {"screenshot", "Write a picture of the window to this file and exit.", "FILE"},
  });
  parser.process(app);

  std::unique_ptr<Client> client;
  if (parser.isSet("offline")) client = std::make_unique<FakeClient>(kOfflineTickMs);
  Desktop desktop(optionsFrom(parser), std::move(client));
  QQuickWindow* window = desktop.show();
  if (!window) return 1;
  if (parser.isSet("screenshot")) saveScreenshotLater(window, parser.value("screenshot"));
  return QGuiApplication::exec();
}
