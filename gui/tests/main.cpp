// The main of the desktop's test programs: Qt without a screen, one language, and nothing of the user's own files.
#include <gtest/gtest.h>

#include <QGuiApplication>
#include <QLocale>

#include "gui/app/look.h"

int main(int argc, char** argv) {
  if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
  if (!qEnvironmentVariableIsSet("QT_QUICK_BACKEND")) qputenv("QT_QUICK_BACKEND", "software");
  qputenv("LC_ALL", "C.UTF-8");
  testing::InitGoogleTest(&argc, argv);
  hearth::gui::prepareLook();
  QGuiApplication app(argc, argv);
  hearth::gui::applyLook(app);
  QLocale::setDefault(QLocale(QStringLiteral("en")));
  return RUN_ALL_TESTS();
}
