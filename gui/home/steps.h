// What the service says it is doing, in the desktop's language. Steps that the desktop does not know, such as those of
// a newer service, are shown as they came.
#pragma once

#include <QString>

#include <string>

namespace hearth::gui {

QString stepTextOf(const std::string& step);

// Where a model came from: "imported from /data/x", "trained here", "from the pack /media/x".
QString sourceTextOf(const std::string& source);

}  // namespace hearth::gui
