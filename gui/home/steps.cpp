// Steps and sources: tables of the service's words.
#include "gui/home/steps.h"

#include <QCoreApplication>
#include <QLocale>
#include <QRegularExpression>

#include <iterator>

#include "gui/components/format.h"

namespace hearth::gui {

namespace {
struct Steps {
  Q_DECLARE_TR_FUNCTIONS(Steps)
};

constexpr const char* kSteps[] = {
    QT_TRANSLATE_NOOP("Steps", "waiting"),
    QT_TRANSLATE_NOOP("Steps", "waiting to start"),
    QT_TRANSLATE_NOOP("Steps", "starting"),
    QT_TRANSLATE_NOOP("Steps", "stopping"),
    QT_TRANSLATE_NOOP("Steps", "stopping the engine"),
    QT_TRANSLATE_NOOP("Steps", "stopped"),
    QT_TRANSLATE_NOOP("Steps", "answering"),
    QT_TRANSLATE_NOOP("Steps", "done"),
    QT_TRANSLATE_NOOP("Steps", "failed"),
    QT_TRANSLATE_NOOP("Steps", "cancelled"),
    QT_TRANSLATE_NOOP("Steps", "cancelled before it began"),
    QT_TRANSLATE_NOOP("Steps", "taken up again after a restart of the service"),
    QT_TRANSLATE_NOOP("Steps", "checking the pack"),
    QT_TRANSLATE_NOOP("Steps", "copying and checking"),
    QT_TRANSLATE_NOOP("Steps", "importing"),
    QT_TRANSLATE_NOOP("Steps", "writing"),
    QT_TRANSLATE_NOOP("Steps", "loading the model"),
    QT_TRANSLATE_NOOP("Steps", "reading the data"),
    QT_TRANSLATE_NOOP("Steps", "preparing weights"),
    QT_TRANSLATE_NOOP("Steps", "preparing weights and optimizer"),
    QT_TRANSLATE_NOOP("Steps", "measuring the model before training"),
    QT_TRANSLATE_NOOP("Steps", "measuring the trained model"),
    QT_TRANSLATE_NOOP("Steps", "writing the result"),
    QT_TRANSLATE_NOOP("Steps", "comparing the trainer's answers with the server's"),
    QT_TRANSLATE_NOOP("Steps", "answering the held-out questions"),
    QT_TRANSLATE_NOOP("Steps", "adding the model to the store"),
};

QString wordsOf(const QString& step) {
  for (const char* known : kSteps)
    if (step == QLatin1String(known)) return Steps::tr(known);
  return step;
}

QString numberOf(const QString& digits) {
  return QLocale().toString(digits.toLongLong());
}
}  // namespace

QString stepTextOf(const std::string& text) {
  static const QRegularExpression training(QStringLiteral("^training: step (\\d+) of (\\d+)$"));
  static const QRegularExpression amount(QStringLiteral("^(.+) \\((\\d+) of (\\d+) (MB|MiB)\\)$"));
  QString step = textOf(text);
  if (auto match = training.match(step); match.hasMatch())
    return Steps::tr("training: step %1 of %2").arg(numberOf(match.captured(1)), numberOf(match.captured(2)));
  if (auto match = amount.match(step); match.hasMatch())
    return Steps::tr("%1 (%2 of %3 %4)")
        .arg(wordsOf(match.captured(1)), numberOf(match.captured(2)), numberOf(match.captured(3)), match.captured(4));
  return wordsOf(step);
}

QString sourceTextOf(const std::string& text) {
  QString source = textOf(text);
  auto after = [&](const char* start) { return source.mid(static_cast<qsizetype>(qstrlen(start))); };
  if (source.startsWith(QLatin1String("pack from "))) return Steps::tr("from the pack %1").arg(after("pack from "));
  if (source.startsWith(QLatin1String("import of "))) return Steps::tr("imported from %1").arg(after("import of "));
  if (source.startsWith(QLatin1String("training job ")))
    return Steps::tr("trained here, job %1").arg(after("training job "));
  if (source == QLatin1String("bundled")) return Steps::tr("came with the box");
  return source;
}

}  // namespace hearth::gui
