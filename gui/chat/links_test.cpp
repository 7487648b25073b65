// Links: what may be opened, and how it is shown.
#include "gui/chat/links.h"

#include <gtest/gtest.h>

namespace hearth::gui {
namespace {

TEST(Links, OnlyTheWebAndMailMayBeOpened) {
  for (const char* good : {"http://host/path?x=1#y", "https://host", "HTTPS://HOST/", "http://[::1]:8080/",
                           "mailto:a@b.c", "mailto:a@b.c?subject=hi&body=there"})
    EXPECT_TRUE(openableUrl(good)) << good;
  for (const char* bad : {"",
                          "file:///etc/passwd",
                          "FILE:///etc/passwd",
                          "javascript:alert(1)",
                          "data:text/html,x",
                          "qrc:/x",
                          "smb://host/share",
                          "ftp://host/x",
                          "ssh://host",
                          "vbscript:x",
                          "about:blank",
                          "blob:http://x/y",
                          "steam://run/1",
                          "ms-settings:x",
                          "x-scheme:y",
                          "tel:123",
                          "//host/x",
                          "/etc/passwd",
                          "../x",
                          "host.com",
                          "http:",
                          "http://",
                          "http:///x",
                          " http://host",
                          "ht tp://host",
                          "http://host/\n",
                          "java\tscript:x",
                          "mailto:",
                          "mailto:nobody",
                          "mailto:a@b.c?attach=/etc/passwd",
                          "mailto:a@b.c?Attachment=/etc/passwd",
                          "mailto:a@b.c?cc=x@y.z"})
    EXPECT_FALSE(openableUrl(bad)) << bad;
  EXPECT_FALSE(openableUrl("http://host/" + QString(5000, u'x')));
}

TEST(Links, AreShownSoThatTheyCannotPretend) {
  auto shown = [](const char* text) { return shownUrl(*openableUrl(QString::fromUtf8(text))); };
  auto leads = [](const char* text) { return destinationOf(*openableUrl(QString::fromUtf8(text))); };
  EXPECT_EQ(shown("http://аpple.com/ü"), "http://xn--pple-43d.com/%C3%BC");  // the first letter is Cyrillic
  EXPECT_EQ(leads("http://аpple.com/ü"), "xn--pple-43d.com");
  EXPECT_EQ(leads("https://google.com@evil.example/"), "evil.example");
  EXPECT_EQ(leads("https://evil.example/https://google.com"), "evil.example");
  EXPECT_FALSE(shown("http://h/a\u202Eb").contains(QChar(0x202e)));  // a mark that turns the reading direction
  EXPECT_EQ(leads("mailto:a@b.c?subject=x"), "a@b.c");
}

}  // namespace
}  // namespace hearth::gui
