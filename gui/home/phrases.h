// What the service says it is doing, in the desktop's language.
#pragma once

#include <QString>

#include <span>
#include <string>

#include "base/phrase.h"
#include "base/result.h"

namespace hearth::gui {

// `otherwise`: the service's own words, shown for a phrase that this desktop does not know (a newer service's, an older
// one's that said none).
QString phraseTextOf(const Phrase& phrase, const std::string& otherwise);

// Why something failed: the cause in the desktop's language where it is known, else the service's own words.
QString failureTextOf(const Phrase& cause, const std::string& reason);

// Why the service refused something that was asked of `model`, where what it does not find is the model.
QString failureTextOf(const Error& error, const QString& model);

// All that phraseTextOf() translates, in English.
std::span<const char* const> wordsToTranslate();

}  // namespace hearth::gui
