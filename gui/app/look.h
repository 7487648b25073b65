// The look that is not QML's to decide: the style that the controls are built on, and the fonts.
#pragma once

#include <QStringList>

class QGuiApplication;

namespace hearth::gui {

void prepareLook();                    // before the QGuiApplication is made
void applyLook(QGuiApplication& app);  // right after

// The families to take letters from, best first, of those that are installed. `standard` is the system's own, for a
// machine without any that is known to hold text.
QStringList fontFamilies(const QStringList& installed, const QString& standard);

}  // namespace hearth::gui
