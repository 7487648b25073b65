// One paragraph of Markdown cut into spans: text with how it looks and where it leads. Nothing here is ever HTML: what
// a model writes is text, so tags, images and links that may not be opened stay the characters that they are.
//
//   inlineSpans("see **this** `a < b`")  →  {"see "}, {"this", bold}, {" "}, {"a < b", code}
//
// Follows CommonMark's rules for emphasis, code spans, escapes and links; besides, formulas between $ $, $$ $$, \( \)
// and
// \[ \] keep every character (backslashes, underscores), and a single line break stays one.
#pragma once

#include <QString>
#include <QStringView>

#include <vector>

namespace hearth::gui {

struct Span {
  QString text;
  bool isBold = false, isItalic = false, isStruck = false, isCode = false, isMath = false;
  QString href = {};  // of what may be opened (links.h); else empty
  bool operator==(const Span&) const = default;
};

std::vector<Span> inlineSpans(QStringView markdown);

// The spans' text alone: what a screen reader says, and what a copied cell holds.
QString plainText(const std::vector<Span>& spans);

// A formula that begins at `at`: its length with its marks, or 0.
qsizetype mathLength(QStringView text, qsizetype at);

}  // namespace hearth::gui
