// Fonts: Noto Sans CJK has good Latin letters too, so one family serves both languages; DejaVu stands in where it is missing.
#include "gui/app/look.h"

#include <QFont>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QQuickStyle>


namespace hearth::gui {

void prepareLook() { QQuickStyle::setStyle(QStringLiteral("Basic")); }

void applyLook(QGuiApplication& app) {
  app.setApplicationName(QStringLiteral("hearth-desktop"));
  app.setApplicationDisplayName(QStringLiteral("Hearth"));
  app.setApplicationVersion(QStringLiteral(HEARTH_VERSION));
  app.setDesktopFileName(QStringLiteral("hearth-desktop"));
  QStringList families;
  const QStringList installed = QFontDatabase::families();
  for (const char* family : {"Noto Sans CJK SC", "Noto Sans", "DejaVu Sans"})
    if (installed.contains(QLatin1String(family))) families.append(QLatin1String(family));
  QFont font;
  if (!families.isEmpty()) font.setFamilies(families);
  font.setPixelSize(14);
  QGuiApplication::setFont(font);
}

}  // namespace hearth::gui
