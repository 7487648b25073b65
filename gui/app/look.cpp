// Fonts: Noto Sans CJK has good Latin letters too, so one family serves both languages; DejaVu stands in where it is
// missing. What a model writes may be in any script: the families after it are asked for the letters that these do not
// have, in this order. Emoji come before fonts that have some of them in black and white: a picture that is put
// together (a skin colour, a family, a flag) needs all its parts from one font. They are never the first: they have
// digits, # and * too. The package depends on them (packaging/debian/control).
#include "gui/app/look.h"

#include <QFont>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QQuickStyle>

#include <algorithm>
#include <iterator>

namespace hearth::gui {

QStringList fontFamilies(const QStringList& installed, const QString& standard) {
  const QStringList forText = {"Noto Sans CJK SC", "Noto Sans"};
  const QStringList forTheRest = {"Noto Color Emoji",  "DejaVu Sans",        "Noto Sans Devanagari", "Noto Sans Thai",
                                  "Noto Sans Arabic",  "Noto Sans Hebrew",   "Noto Sans Bengali",    "Noto Sans Tamil",
                                  "Noto Sans Symbols", "Noto Sans Symbols2", "Noto Sans Math"};
  const auto isThere = [&](const QString& family) { return installed.contains(family); };
  QStringList families;
  std::copy_if(forText.begin(), forText.end(), std::back_inserter(families), isThere);
  if (families.isEmpty()) families.append(isThere("DejaVu Sans") ? QStringLiteral("DejaVu Sans") : standard);
  std::copy_if(forTheRest.begin(), forTheRest.end(), std::back_inserter(families), isThere);
  families.removeDuplicates();
  return families;
}

void prepareLook() {
  QQuickStyle::setStyle(QStringLiteral("Basic"));
  // What Qt keeps of compiled views between runs it does not always take for stale after an update: a view that itself
  // did not change kept places in another that did, and the first start crashed.
  qputenv("QML_DISABLE_DISK_CACHE", "1");
}

void applyLook(QGuiApplication& app) {
  app.setApplicationName(QStringLiteral("hearth-desktop"));
  app.setApplicationDisplayName(QStringLiteral("Hearth"));
  app.setApplicationVersion(QStringLiteral(HEARTH_VERSION));
  app.setDesktopFileName(QStringLiteral("hearth-desktop"));
  QFont font;
  font.setFamilies(fontFamilies(QFontDatabase::families(), font.family()));
  font.setPixelSize(14);
  QGuiApplication::setFont(font);
}

}  // namespace hearth::gui
