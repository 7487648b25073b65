// Links in what a model writes: which may be opened at all, and what a person is shown before one is.
// http, https and mailto only. file:, javascript:, data: and every scheme that some program has registered are text.
#pragma once

#include <QString>
#include <QUrl>

#include <optional>

namespace hearth::gui {

// Where `text` leads, when it may be opened; nothing for everything else.
std::optional<QUrl> openableUrl(const QString& text);

// The whole address in ASCII: letters of other scripts that look like Latin ones show as punycode or percent signs.
QString shownUrl(const QUrl& url);
// The machine it leads to (in punycode), or the mailbox.
QString destinationOf(const QUrl& url);

}  // namespace hearth::gui
