// Settings: read once, written on change.
#include "gui/settings/settings.h"

#include <QLocale>

namespace hearth::gui {

namespace {
QString oneOf(const QString& value, const QStringList& allowed, const QString& otherwise) {
  return allowed.contains(value) ? value : otherwise;
}
QString validTheme(const QString& theme) {
  return oneOf(theme, {QStringLiteral("light"), QStringLiteral("dark")}, QStringLiteral("system"));
}
}  // namespace

Settings::Settings(const QString& file, QObject* parent)
    : QObject(parent),
      file_(file, QSettings::IniFormat),
      language_(oneOf(file_.value("language").toString(), languages(), {})),
      theme_(validTheme(file_.value("theme").toString())),
      url_(file_.value("url").toString()) {}

void Settings::setLanguage(const QString& language) {
  file_.setValue("language", oneOf(language, languages(), {}));
  overrideLanguage(language);
}

void Settings::setTheme(const QString& theme) {
  file_.setValue("theme", validTheme(theme));
  overrideTheme(theme);
}

void Settings::setUrl(const QString& url) {
  file_.setValue("url", url);
  if (url_ == url) return;
  url_ = url;
  emit urlChanged();
}

void Settings::overrideLanguage(const QString& language) {
  QString valid = oneOf(language, languages(), {});
  if (language_ == valid) return;
  language_ = valid;
  emit languageChanged();
}

void Settings::overrideTheme(const QString& theme) {
  QString valid = validTheme(theme);
  if (theme_ == valid) return;
  theme_ = valid;
  emit themeChanged();
}

QString Settings::effectiveLanguage() const {
  if (!language_.isEmpty()) return language_;
  return QLocale::system().language() == QLocale::Chinese ? QStringLiteral("zh_CN") : QStringLiteral("en");
}

}  // namespace hearth::gui
