// LinkRecorder: while it lives, what the program asks the system to open is written down instead, whatever the scheme.
#pragma once

#include <QDesktopServices>
#include <QNetworkReply>
#include <QSignalSpy>
#include <QUrl>

namespace hearth::gui {

class LinkRecorder {
 public:
  LinkRecorder() {
    for (const char* scheme : kSchemes) QDesktopServices::setUrlHandler(QLatin1String(scheme), &target_, "redirected");
  }
  ~LinkRecorder() {
    for (const char* scheme : kSchemes) QDesktopServices::unsetUrlHandler(QLatin1String(scheme));
  }
  QStringList urls() const {
    QStringList out;
    for (const auto& call : opened_) out.append(call[0].toUrl().toString());
    return out;
  }
  void forget() { opened_.clear(); }

 private:
  static constexpr const char* kSchemes[] = {"http", "https", "mailto", "file", "javascript",
                                             "data", "qrc",   "smb",    "ftp",  "x-scheme"};
  // A QObject with a signal that takes a URL: all that Qt asks of a handler.
  struct Target : QNetworkReply {
    void abort() override {}
    qint64 readData(char*, qint64) override { return -1; }
  };
  Target target_;
  QSignalSpy opened_{&target_, &QNetworkReply::redirected};
};

}  // namespace hearth::gui
