// Links: an allowlist, and one spelling for people.
#include "gui/chat/links.h"

#include <QUrlQuery>

#include <algorithm>

namespace hearth::gui {

namespace {
constexpr qsizetype kMaxUrlChars = 2048;

bool isWeb(const QUrl& url) {
  return url.scheme() == QLatin1String("http") || url.scheme() == QLatin1String("https");
}

// Some mail programs attach a file that the link names.
bool isHarmlessMail(const QUrl& url) {
  if (url.scheme() != QLatin1String("mailto") || !url.path().contains(u'@')) return false;
  for (const auto& [key, value] : QUrlQuery(url).queryItems())
    if (QString name = key.toLower(); name != QLatin1String("subject") && name != QLatin1String("body")) return false;
  return true;
}

bool hasControls(const QString& text) {
  return std::any_of(text.begin(), text.end(), [](QChar c) { return c.unicode() <= 0x20 || c.unicode() == 0x7f; });
}
}  // namespace

std::optional<QUrl> openableUrl(const QString& text) {
  if (text.isEmpty() || text.size() > kMaxUrlChars || hasControls(text)) return std::nullopt;
  QUrl url(text, QUrl::StrictMode);
  if (!url.isValid()) url = QUrl(text, QUrl::TolerantMode);
  if (!url.isValid() || url.isRelative()) return std::nullopt;
  if (isWeb(url) ? url.host().isEmpty() : !isHarmlessMail(url)) return std::nullopt;
  return url;
}

QString shownUrl(const QUrl& url) {
  return QString::fromLatin1(url.toEncoded(QUrl::FullyEncoded));
}

QString destinationOf(const QUrl& url) {
  return isWeb(url) ? url.host(QUrl::FullyEncoded) : url.path(QUrl::FullyEncoded);
}

}  // namespace hearth::gui
