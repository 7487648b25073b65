// The look that is not QML's to decide: the style that the controls are built on, and the fonts.
#pragma once

class QGuiApplication;

namespace hearth::gui {

void prepareLook();                    // before the QGuiApplication is made
void applyLook(QGuiApplication& app);  // right after

}  // namespace hearth::gui
