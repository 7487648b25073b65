// The table of base/phrase.h in the desktop's language.
#include "gui/home/phrases.h"

#include <QCoreApplication>
#include <QLocale>

#include "gui/components/format.h"

namespace hearth::gui {

namespace {
struct Steps {
  Q_DECLARE_TR_FUNCTIONS(Steps)
};

// The words of base/phrase.cpp again, for the tool that collects what is to be translated; a test compares them.
[[maybe_unused]] constexpr const char* kToTranslate[] = {
    QT_TRANSLATE_NOOP("Steps", "waiting"),
    QT_TRANSLATE_NOOP("Steps", "waiting to start"),
    QT_TRANSLATE_NOOP("Steps", "starting"),
    QT_TRANSLATE_NOOP("Steps", "starting again in {seconds} s"),
    QT_TRANSLATE_NOOP("Steps", "stopping"),
    QT_TRANSLATE_NOOP("Steps", "stopping the engine"),
    QT_TRANSLATE_NOOP("Steps", "stopped"),
    QT_TRANSLATE_NOOP("Steps", "answering"),
    QT_TRANSLATE_NOOP("Steps", "done"),
    QT_TRANSLATE_NOOP("Steps", "failed"),
    QT_TRANSLATE_NOOP("Steps", "it cannot be served as it is; deploy it again when the cause is gone"),
    QT_TRANSLATE_NOOP("Steps", "gave up after {starts} starts; deploy it again when the cause is gone"),
    QT_TRANSLATE_NOOP("Steps", "cancelled"),
    QT_TRANSLATE_NOOP("Steps", "cancelled before it began"),
    QT_TRANSLATE_NOOP("Steps", "taken up again after a restart of the service"),
    QT_TRANSLATE_NOOP("Steps", "goes on when the service starts again"),
    QT_TRANSLATE_NOOP("Steps", "checking the pack"),
    QT_TRANSLATE_NOOP("Steps", "waiting for the stick to be mounted for writing"),
    QT_TRANSLATE_NOOP("Steps", "copying and checking ({done} of {total} MiB)"),
    QT_TRANSLATE_NOOP("Steps", "copying ({done} of {total} MiB)"),
    QT_TRANSLATE_NOOP("Steps", "writing ({done} of {total} MiB)"),
    QT_TRANSLATE_NOOP("Steps", "adding the model to the store"),
    QT_TRANSLATE_NOOP("Steps", "adding the model to the store ({done} of {total} MiB)"),
    QT_TRANSLATE_NOOP("Steps", "loading the model"),
    QT_TRANSLATE_NOOP("Steps", "reading the data"),
    QT_TRANSLATE_NOOP("Steps", "preparing weights and optimizer"),
    QT_TRANSLATE_NOOP("Steps", "measuring the model before training"),
    QT_TRANSLATE_NOOP("Steps", "training: step {step} of {of}"),
    QT_TRANSLATE_NOOP("Steps", "{death}; starting again from the last checkpoint"),
    QT_TRANSLATE_NOOP("Steps", "measuring the trained model"),
    QT_TRANSLATE_NOOP("Steps", "writing the result"),
    QT_TRANSLATE_NOOP("Steps", "comparing the trainer's answers with the server's"),
    QT_TRANSLATE_NOOP("Steps", "answering the held-out questions"),
    QT_TRANSLATE_NOOP("Steps", "from the pack {from}"),
    QT_TRANSLATE_NOOP("Steps", "imported from {from}"),
    QT_TRANSLATE_NOOP("Steps", "trained here, job {job}"),
    QT_TRANSLATE_NOOP("Steps", "came with the box"),
};

// Numbers get the language's separators; names stay.
QString valueOf(const std::string& value) {
  bool isNumber = false;
  const qlonglong number = textOf(value).toLongLong(&isNumber);
  return isNumber ? QLocale().toString(number) : textOf(value);
}
}  // namespace

QString phraseTextOf(const Phrase& phrase, const std::string& otherwise) {
  const char* english = english_of(phrase.code);
  if (!english) return textOf(otherwise);
  QString text = Steps::tr(english);
  for (const auto& [name, value] : phrase.values)
    text.replace(QStringLiteral("{%1}").arg(textOf(name)), valueOf(value));
  return text;
}

std::span<const char* const> wordsToTranslate() {
  return kToTranslate;
}

}  // namespace hearth::gui
