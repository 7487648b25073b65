// Settings: what the user chose for this desktop (language, theme, which box), kept in an INI file.
#pragma once

#include <QObject>
#include <QSettings>
#include <QtQml/qqmlregistration.h>

namespace hearth::gui {

class Settings : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by Desktop")
  // "" (the system's), "en" or "zh_CN"
  Q_PROPERTY(QString language READ language WRITE setLanguage NOTIFY languageChanged FINAL)
  // "system", "light" or "dark"
  Q_PROPERTY(QString theme READ theme WRITE setTheme NOTIFY themeChanged FINAL)
  // "" for the box this desktop runs on, else http://host:port
  Q_PROPERTY(QString url READ url NOTIFY urlChanged FINAL)

 public:
  // `file` is created on the first change.
  explicit Settings(const QString& file, QObject* parent = nullptr);

  QString language() const { return language_; }
  void setLanguage(const QString& language);
  QString theme() const { return theme_; }
  void setTheme(const QString& theme);
  QString url() const { return url_; }
  void setUrl(const QString& url);

  // For this run only: what the command line says wins and is not kept.
  void overrideLanguage(const QString& language);
  void overrideTheme(const QString& theme);

  // Languages that the desktop speaks, as codes, in the order to offer them.
  static QStringList languages() { return {QStringLiteral("en"), QStringLiteral("zh_CN")}; }
  // The code to use now: the choice, or the closest to the system's.
  QString effectiveLanguage() const;

 signals:
  void languageChanged();
  void themeChanged();
  void urlChanged();

 private:
  QSettings file_;
  QString language_, theme_, url_;
};

}  // namespace hearth::gui
