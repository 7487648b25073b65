// ProseFormatter: one QTextBlock a paragraph; margins make lists, quotes and the room between paragraphs.
#include "gui/chat/prose_formatter.h"

#include <QFontMetricsF>
#include <QTextBlock>
#include <QTextBlockFormat>
#include <QTextCharFormat>
#include <QTextCursor>
#include <QTextDocument>

#include <algorithm>

#include "gui/chat/markdown_inline.h"

namespace hearth::gui {

namespace {
constexpr double kHeadingScale[] = {1, 1.45, 1.28, 1.14, 1.06, 1, 1};
constexpr double kIndent = 22, kQuoteIndent = 16, kGap = 0.62;  // the gap in sizes of the text

QTextCharFormat formatOf(const Span& span, QTextCharFormat format, const QColor& link, const QColor& code,
                         const QStringList& mono) {
  if (span.isBold) format.setFontWeight(QFont::Bold);
  if (span.isItalic) format.setFontItalic(true);
  if (span.isStruck) format.setFontStrikeOut(true);
  if (span.isCode || span.isMath) format.setFontFamilies(mono);
  if (span.isCode) format.setBackground(code);
  if (span.href.isEmpty()) return format;
  format.setAnchor(true);
  format.setAnchorHref(span.href);
  format.setForeground(link);
  format.setFontUnderline(true);
  return format;
}
}  // namespace

ProseFormatter::ProseFormatter(QObject* parent) : QObject(parent) {
  connect(this, &ProseFormatter::looksChanged, this, &ProseFormatter::writeAll);
}

void ProseFormatter::setBlock(const QVariant& block) {
  block_ = block.value<BlockPointer>();
  if (isComplete_ && document_) {
    const auto& now = block_ ? block_->paragraphs : std::vector<Paragraph>();
    auto [at, _] = std::mismatch(now.begin(), now.end(), written_.begin(), written_.end());
    writeFrom(static_cast<size_t>(at - now.begin()));
  }
  emit blockChanged();
}

QString ProseFormatter::plainText() const {
  QStringList lines;
  if (block_)
    for (const Paragraph& p : block_->paragraphs) lines.append(hearth::gui::plainText(inlineSpans(p.text)));
  return lines.join(u'\n');
}

void ProseFormatter::writeAll() {
  if (isComplete_ && document_) writeFrom(0);
}

void ProseFormatter::writeFrom(size_t first) {
  const auto& now = block_ ? block_->paragraphs : std::vector<Paragraph>();
  if (first == now.size() && written_.size() == now.size() && first > 0) return;
  QTextDocument* document = document_->textDocument();
  document->setUndoRedoEnabled(false);
  document->setDocumentMargin(0);
  QTextCursor cursor(document);
  cursor.beginEditBlock();
  // What is left ends where the paragraph before ends, so that its own format stays.
  cursor.setPosition(first == 0 ? 0
                                : document->findBlockByNumber(static_cast<int>(first) - 1).position() +
                                      document->findBlockByNumber(static_cast<int>(first) - 1).length() - 1);
  cursor.movePosition(QTextCursor::End, QTextCursor::KeepAnchor);
  cursor.removeSelectedText();
  for (size_t i = first; i < now.size(); ++i) write(cursor, now[i], i == 0);
  cursor.endEditBlock();
  written_ = now;
}

QTextCharFormat ProseFormatter::baseFormat(const Paragraph& paragraph) const {
  QTextCharFormat format;
  format.setForeground(paragraph.quotes > 0 ? mutedColor_ : textColor_);
  format.setProperty(QTextFormat::FontPixelSize, static_cast<int>(pixelSize_ * kHeadingScale[paragraph.level]));
  if (paragraph.kind == Paragraph::Kind::heading) format.setFontWeight(QFont::Bold);
  return format;
}

void ProseFormatter::write(QTextCursor& cursor, const Paragraph& paragraph, bool isFirst) {
  ++nWritten_;
  const QTextCharFormat base = baseFormat(paragraph);
  const bool isItem = paragraph.kind == Paragraph::Kind::item, isHeading = paragraph.kind == Paragraph::Kind::heading;
  const bool isTight = paragraph.joins || (isFirst && !block_->continues);
  QTextBlockFormat block;
  block.setTopMargin(isTight ? 0 : pixelSize_ * (isItem ? kGap / 2.5 : isHeading ? kGap * 1.6 : kGap));
  const bool isRightToLeft = paragraph.text.isRightToLeft();
  block.setLayoutDirection(isRightToLeft ? Qt::RightToLeft : Qt::LeftToRight);
  double indent = kIndent * paragraph.depth + kQuoteIndent * paragraph.quotes;
  if (isItem && !paragraph.marker.isEmpty()) {
    QFont font = document_->textDocument()->defaultFont();
    font.setPixelSize(pixelSize_);
    const double width = QFontMetricsF(font).horizontalAdvance(paragraph.marker + QStringLiteral("  "));
    indent = std::max(indent, width);
    block.setTextIndent(-width);
  }
  isRightToLeft ? block.setRightMargin(indent) : block.setLeftMargin(indent);
  block.setLineHeight(118, QTextBlockFormat::ProportionalHeight);
  if (isFirst) {
    cursor.setBlockFormat(block);
    cursor.setBlockCharFormat(base);
  } else {
    cursor.insertBlock(block, base);
  }
  if (isItem && !paragraph.marker.isEmpty()) {
    QTextCharFormat marker = base;
    marker.setForeground(mutedColor_);
    cursor.insertText(paragraph.marker + QStringLiteral("  "), marker);
  }
  auto insert = [&](Span span) {
    span.text.replace(u'\n', QChar::LineSeparator);
    cursor.insertText(span.text, formatOf(span, base, linkColor_, codeColor_, monoFamilies_));
  };
  if (paragraph.kind == Paragraph::Kind::math) return insert({.text = paragraph.text, .isMath = true});
  for (const Span& span : inlineSpans(paragraph.text)) insert(span);
}

}  // namespace hearth::gui
