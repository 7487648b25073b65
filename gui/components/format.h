// Numbers in words, in the language of the desktop. All domain formatting of the views happens here, never in QML.
#pragma once

#include <QString>

#include <cstdint>

#include "base/result.h"
#include "base/word.h"

namespace hearth::gui {

QString bytesText(uint64_t bytes);          // "1.2 GiB"
QString durationText(double seconds);       // "about 3 min", "45 s", "2 h 10 min"
QString countText(qint64 n);                // "41,300": with the language's separators
QString parametersText(uint64_t n);         // "1.2 B parameters"
QString speedText(double tokensPerSecond);  // "31 tokens/s"
QString lossText(double loss);              // "1.234"
QString agoText(double at, double now);     // "just now", "5 min ago", a date; both in seconds since 1970
double nowSeconds();
QString textOf(const std::string& text);  // UTF-8 to QString
template <const auto& kWords>
QString textOf(Word<kWords> word) {
  return QString::fromLatin1(word.text());
}
QString textOf(const Error& error);  // what a person should read of an Error

}  // namespace hearth::gui
