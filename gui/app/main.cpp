// hearth-desktop: the command line, then the window.
#include <QCommandLineParser>
#include <QFile>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QQuickItem>
#include <QQuickStyle>
#include <QQuickWindow>
#include <QTimer>

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "base/log.h"
#include "gui/app/desktop.h"
#include "gui/app/look.h"
#include "gui/client/fake_client.h"
#include "gui/client/http_exchange.h"

using namespace hearth::gui;

namespace {
constexpr int kOfflineTickMs = 30;
constexpr int kSettledDelayMs = 1200;  // lists have been asked for and drawn by then
constexpr int kWrongUsage = 2;

void declareOptions(QCommandLineParser& parser) {
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
      {"transcript", "Write the texts of the window to this file and exit.", "FILE"},
  });
}

// Help and version are told without a display. Ends the program when they were asked for.
void answerWithoutWindow(int argc, char** argv) {
  bool isAsked = std::any_of(argv + 1, argv + argc, [](std::string_view a) {
    return a == "-h" || a == "--help" || a == "--help-all" || a == "-v" || a == "--version";
  });
  if (!isAsked) return;
  QCoreApplication app(argc, argv);
  QCoreApplication::setApplicationVersion(QStringLiteral(HEARTH_VERSION));
  QCommandLineParser parser;
  declareOptions(parser);
  parser.process(app);
}

// What is wrong with the options' values; "" when nothing is. Told before a display is looked for; Qt's own options are
// unknown here, and what else is unknown is told later.
QString wrongValueIn(int argc, char** argv) {
  QCommandLineParser parser;
  declareOptions(parser);
  QStringList words;
  for (int i = 0; i < argc; ++i) words.append(QString::fromLocal8Bit(argv[i]));
  parser.parse(words);
  const std::pair<const char*, QStringList> kAllowed[] = {
      {"page", {"home", "chat", "models", "finetune", "updates", "settings"}},
      {"theme", {"light", "dark", "system"}},
      {"lang", {"en", "zh_CN"}}};
  for (const auto& [option, allowed] : kAllowed)
    if (parser.isSet(option) && !allowed.contains(parser.value(option)))
      return QStringLiteral("--%1 must be one of %2, got \"%3\"")
          .arg(QLatin1String(option), allowed.join(QStringLiteral(", ")), parser.value(option));
  if (parser.isSet("url") && !Endpoint::fromUrl(parser.value("url")))
    return QStringLiteral("--url must be like http://192.168.1.20:8080, got \"%1\"").arg(parser.value("url"));
  return {};
}

DesktopOptions optionsFrom(const QCommandLineParser& parser) {
  return {.stateDir = parser.value("state-dir").toStdString(),
          .url = parser.value("url"),
          .dataDir = parser.value("data-dir").toStdString(),
          .language = parser.value("lang"),
          .theme = parser.value("theme"),
          .page = parser.value("page")};
}

// Of everything that is visible below `item`, a line each, in the order of the tree.
void collectTexts(const QQuickItem& item, QString& lines) {
  if (!item.isVisible()) return;
  if (const QString text = item.property("text").toString(); !text.isEmpty()) lines += text + QLatin1Char('\n');
  for (const QQuickItem* child : item.childItems()) collectTexts(*child, lines);
}

bool saveTranscript(const QQuickWindow& window, const QString& file) {
  QString lines;
  collectTexts(*window.contentItem(), lines);
  QFile out(file);
  return out.open(QIODevice::WriteOnly) && out.write(lines.toUtf8()) >= 0;
}

// What --screenshot and --transcript ask for, when the window has settled; then the program ends.
void saveLater(QQuickWindow* window, const QString& screenshot, const QString& transcript) {
  QTimer::singleShot(kSettledDelayMs, window, [=] {
    bool ok = screenshot.isEmpty() || window->grabWindow().save(screenshot);
    ok = (transcript.isEmpty() || saveTranscript(*window, transcript)) && ok;
    if (!ok) spdlog::error("cannot write {}", (screenshot.isEmpty() ? transcript : screenshot).toStdString());
    QCoreApplication::exit(ok ? 0 : 1);
  });
}
}  // namespace

int main(int argc, char** argv) {
  hearth::init_logging("hearth-desktop");
  answerWithoutWindow(argc, argv);
  if (QString wrong = wrongValueIn(argc, argv); !wrong.isEmpty()) {
    std::fprintf(stderr, "hearth-desktop: %s\n", qPrintable(wrong));
    return kWrongUsage;
  }
  prepareLook();
  QGuiApplication app(argc, argv);
  applyLook(app);

  QCommandLineParser parser;
  declareOptions(parser);
  parser.process(app);

  std::unique_ptr<Client> client;
  if (parser.isSet("offline")) client = std::make_unique<FakeClient>(kOfflineTickMs);
  Desktop desktop(optionsFrom(parser), std::move(client));
  QQuickWindow* window = desktop.show();
  if (!window) return 1;
  if (parser.isSet("screenshot") || parser.isSet("transcript"))
    saveLater(window, parser.value("screenshot"), parser.value("transcript"));
  return QGuiApplication::exec();
}
