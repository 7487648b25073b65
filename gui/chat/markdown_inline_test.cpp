// Spans: emphasis, code, formulas, links, and everything else as the characters that it is.
#include "gui/chat/markdown_inline.h"

#include <gtest/gtest.h>

#include <QFile>

namespace hearth::gui {
namespace {

// **bold**, *italic*, ~struck~, `code`, $math$, [text](href), written back in one way.
std::string told(const char* markdown) {
  QString out;
  for (const Span& span : inlineSpans(QString::fromUtf8(markdown))) {
    QString looks;
    if (span.isBold) looks += u'b';
    if (span.isItalic) looks += u'i';
    if (span.isStruck) looks += u's';
    if (span.isCode) looks += u'c';
    if (span.isMath) looks += u'm';
    if (!span.href.isEmpty()) looks += u'@' + span.href;
    out += looks.isEmpty() ? span.text : QStringLiteral("{%1|%2}").arg(looks, span.text);
  }
  return out.toStdString();
}

TEST(MarkdownInline, Emphasis) {
  EXPECT_EQ(told("a **b** *c* _d_ __e__ ~~f~~"), "a {b|b} {i|c} {i|d} {b|e} {s|f}");
  EXPECT_EQ(told("***both*** **a *b* c**"), "{bi|both} {b|a }{bi|b}{b| c}");
  EXPECT_EQ(told("snake_case_name 2 * 3 * 4 **open"), "snake_case_name 2 * 3 * 4 **open");
  EXPECT_EQ(told("**你好**，世界"), "{b|你好}，世界");
}

// Cases of emphasis.py: what markdown-it makes of them.
TEST(MarkdownInline, EmphasisIsWhatCommonMarkSays) {
  QFile file(QStringLiteral(GUI_SOURCES "/tests/emphasis.txt"));
  ASSERT_TRUE(file.open(QIODevice::ReadOnly));
  int nCases = 0;
  for (const QByteArray& line : file.readAll().split('\n')) {
    const qsizetype tab = line.indexOf('\t');
    if (tab < 0) continue;
    ++nCases;
    EXPECT_EQ(told(line.left(tab).constData()), line.mid(tab + 1).toStdString()) << line.constData();
  }
  EXPECT_EQ(nCases, 250);
}

TEST(MarkdownInline, CodeIsAsWritten) {
  EXPECT_EQ(told("`a < b && c > d`"), "{c|a < b && c > d}");
  EXPECT_EQ(told("`&lt;` `**x**` `` a`b `` `\\d`"), "{c|&lt;} {c|**x**} {c|a`b} {c|\\d}");
  EXPECT_EQ(told("`open"), "`open");
}

TEST(MarkdownInline, FormulasKeepEveryCharacter) {
  EXPECT_EQ(told("\\(a_1 * b_2 * c\\)"), "{m|\\(a_1 * b_2 * c\\)}");
  EXPECT_EQ(told("\\[\\frac{a}{b} \\\\ c\\]"), "{m|\\[\\frac{a}{b} \\\\ c\\]}");
  EXPECT_EQ(told("$\\alpha_1 + \\beta_2$, $$x_1*y_1*z$$"), "{m|$\\alpha_1 + \\beta_2$}, {m|$$x_1*y_1*z$$}");
  EXPECT_EQ(told("\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}"),
            "{m|\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}}");
  EXPECT_EQ(told("\\(half"), "\\(half");
  EXPECT_EQ(told("\\alpha \\{1\\} 5\\%"), "\\alpha \\{1\\} 5\\%");
  EXPECT_EQ(told("costs $5 and $10 or US$3"), "costs $5 and $10 or US$3");
}

TEST(MarkdownInline, EscapesAndEntities) {
  EXPECT_EQ(told("\\*no\\* \\`x\\` a\\b"), "*no* `x` a\\b");
  EXPECT_EQ(told("&lt;b&gt; &amp;amp; &#65; &#x1F642; &nosuch; AT&T"), "<b> &amp; A 🙂 &nosuch; AT&T");
}

TEST(MarkdownInline, HtmlIsText) {
  for (const char* html :
       {"<b>x</b>", "<img src=\"http://h/x.png\">", "<a href=\"http://h\">x</a>", "<script>alert(1)</script>",
        "<link rel=stylesheet href=//h/x.css>", "<style>@import url(//h)</style>", "<iframe src=file:///etc/passwd>",
        "<!-- <img src=x> -->", "<svg onload=x>"})
    EXPECT_EQ(plainText(inlineSpans(QString::fromUtf8(html))).toStdString(), html);
}

TEST(MarkdownInline, ImagesAreText) {
  for (const char* image : {"![x](http://host/leak?secret=42)", "![](file:///etc/passwd)", "![a](<http://h/x y> \"t\")",
                            "![r][ref]", "![x](data:image/png;base64,AAAA)", "![x](//host/leak)"}) {
    EXPECT_EQ(plainText(inlineSpans(QString::fromUtf8(image))).toStdString(), image);
    for (const Span& span : inlineSpans(QString::fromUtf8(image))) EXPECT_EQ(span.href, QString()) << image;
  }
}

TEST(MarkdownInline, LinksLeadWhereTheyMay) {
  EXPECT_EQ(told("[a **b**](https://h/x \"title\")"), "{@https://h/x|a }{b@https://h/x|b}");
  EXPECT_EQ(told("[a](https://e.com/x_(y))"), "{@https://e.com/x_(y)|a}");
  EXPECT_EQ(told("<https://h/x> see https://h/y."), "{@https://h/x|https://h/x} see {@https://h/y|https://h/y}.");
  EXPECT_EQ(told("<a@b.c>"), "{@mailto:a@b.c|a@b.c}");
  EXPECT_EQ(told("(https://h/y)"), "({@https://h/y|https://h/y})");
  for (const char* text :
       {"[x](file:///etc/passwd)", "[x](javascript:alert(1))", "[x](<javascript:alert(1)>)", "[x](JaVaScRiPt:x)",
        "[x](data:text/html,hi)", "[x](smb://h/s)", "[x](qrc:/x)", "[x](/etc/passwd)", "[x](#y)", "[x][ref]",
        "[ref]: file:///etc/passwd", "<file:///etc/passwd>", "<javascript:x>", "file:///etc/passwd"})
    EXPECT_EQ(told(text), text);
}

TEST(MarkdownInline, LineBreaksStay) {
  EXPECT_EQ(told("a  \nb\\\nc\nd"), "a\nb\nc\nd");
}

// However many marks there are, the time stays in proportion: these would take minutes if it did not.
TEST(MarkdownInline, HostileMarksDoNotHang) {
  for (const char* unit : {"*a ", "**a ", "_a*", "[", "![", "`a``b", "<", "\\(", "$a", "[a](", "&", "~~a "})
    EXPECT_FALSE(inlineSpans(QString::fromUtf8(unit).repeated(2000)).empty());
}

}  // namespace
}  // namespace hearth::gui
