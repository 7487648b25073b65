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
    QT_TRANSLATE_NOOP("Steps",
                      "the memory of the box was used up; use a smaller model, a shorter context or shorter rows"),
    QT_TRANSLATE_NOOP(
        "Steps",
        "{needed} MiB of memory are needed, {available} MiB are free; stop a running model, or use a smaller one"),
    QT_TRANSLATE_NOOP("Steps", "the disk is full; free some space and start it again"),
    QT_TRANSLATE_NOOP("Steps", "the disk that holds {path} is full; free some space there and start it again"),
    QT_TRANSLATE_NOOP(
        "Steps", "training diverged at step {step}: the loss became {loss}; start it again with a lower learning rate"),
    QT_TRANSLATE_NOOP("Steps", "the program that did the work crashed ({signal})"),
    QT_TRANSLATE_NOOP("Steps", "something outside of Hearth ended the program that did the work"),
    QT_TRANSLATE_NOOP("Steps", "the program that did the work gave up: {words}"),
    QT_TRANSLATE_NOOP("Steps", "the program that did the work did not answer any more, and was stopped"),
    QT_TRANSLATE_NOOP("Steps",
                      "the adapter's base model is not known here; choose the one it belongs to, or add it first"),
    QT_TRANSLATE_NOOP("Steps", "there is no model named {model} any more"),
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

QString failureTextOf(const Phrase& cause, const std::string& reason) {
  QString text = phraseTextOf(cause, reason);
  if (!text.isEmpty()) text[0] = text[0].toUpper();
  return text;
}

QString failureTextOf(const Error& error, const QString& model) {
  if (error.code != Code::not_found || model.isEmpty()) return textOf(error);
  return failureTextOf(Phrase{"no_such_model", {{"model", model.toStdString()}}}, {});
}

std::span<const char* const> wordsToTranslate() {
  return kToTranslate;
}

}  // namespace hearth::gui
