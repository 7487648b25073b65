// Numbers in words: units, durations, times.
#include "gui/components/format.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>

#include <array>
#include <cmath>

namespace hearth::gui {

namespace {
struct Words {
  Q_DECLARE_TR_FUNCTIONS(Format)
};

// Three significant digits at most: 9.87, 98.7, 987.
QString shortNumber(double value) {
  int decimals = value >= 100 ? 0 : 1;
  return QLocale().toString(value, 'f', decimals);
}
}  // namespace

QString bytesText(uint64_t bytes) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return Words::tr("%1 bytes").arg(countText(static_cast<qint64>(bytes)));
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return shortNumber(value) + QChar(0xa0) + QLatin1String(kUnits[unit]);
}

QString durationText(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return Words::tr("unknown");
  auto s = static_cast<qint64>(std::llround(seconds));
  if (s < 60) return Words::tr("%1 s").arg(s);
  qint64 minutes = (s + 30) / 60;
  if (minutes < 60) return Words::tr("%1 min").arg(minutes);
  qint64 hours = minutes / 60;
  if (hours < 48)
    return minutes % 60 == 0 ? Words::tr("%1 h").arg(hours) : Words::tr("%1 h %2 min").arg(hours).arg(minutes % 60);
  return Words::tr("%1 days").arg((hours + 12) / 24);
}

QString parametersText(uint64_t n) {
  double value = static_cast<double>(n);
  if (n >= 1'000'000'000) return Words::tr("%1 B parameters").arg(shortNumber(value / 1e9));
  if (n >= 1'000'000) return Words::tr("%1 M parameters").arg(shortNumber(value / 1e6));
  return Words::tr("%1 parameters").arg(countText(static_cast<qint64>(n)));
}

QString countText(qint64 n) {
  return QLocale().toString(n);
}

QString speedText(double tokensPerSecond) {
  return Words::tr("%1 tokens/s").arg(shortNumber(tokensPerSecond));
}

QString lossText(double loss) {
  return QLocale().toString(loss, 'f', 3);
}

QString agoText(double at, double now) {
  double seconds = now - at;
  if (seconds < 60) return Words::tr("just now");
  if (seconds < 3600) return Words::tr("%1 min ago").arg(static_cast<int>(seconds / 60));
  QDateTime then = QDateTime::fromMSecsSinceEpoch(static_cast<qint64>(at * 1000));
  QDateTime today = QDateTime::fromMSecsSinceEpoch(static_cast<qint64>(now * 1000));
  if (then.date() == today.date()) return QLocale().toString(then.time(), QLocale::ShortFormat);
  if (then.date().daysTo(today.date()) == 1) return Words::tr("yesterday");
  return QLocale().toString(then.date(), QLocale::ShortFormat);
}

double nowSeconds() {
  return static_cast<double>(QDateTime::currentMSecsSinceEpoch()) / 1000;
}

QString textOf(const std::string& text) {
  return QString::fromStdString(text);
}

QString textOf(const Error& error) {
  QString text = QString::fromStdString(error.message);
  if (!text.isEmpty()) text[0] = text[0].toUpper();
  return text;
}

}  // namespace hearth::gui
