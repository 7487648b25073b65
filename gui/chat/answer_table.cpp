// AnswerTable: one QTextLayout a cell, measured as it will be drawn; then the columns' widths; then lines. Rows that
// did not change keep their layouts.
#include "gui/chat/answer_table.h"

#include <QCursor>
#include <QPainter>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gui/chat/markdown_inline.h"

namespace hearth::gui {

namespace {
constexpr double kPadX = 10, kPadY = 6;
constexpr double kSlack = 2;  // letters that lean out of their box
constexpr double kStep = 4;   // columns grow in steps while text comes: each lays the table out anew

double stepped(double width) {
  return std::ceil(width / kStep) * kStep;
}

Qt::Alignment alignmentOf(MarkdownTable::Align align) {
  return align == MarkdownTable::Align::centre ? Qt::AlignHCenter
         : align == MarkdownTable::Align::end  ? Qt::AlignRight
                                               : Qt::AlignLeft;
}

}  // namespace

AnswerTable::AnswerTable(QQuickItem* parent) : QQuickPaintedItem(parent) {
  setAcceptedMouseButtons(Qt::LeftButton);
  setAcceptHoverEvents(true);
  connect(this, &AnswerTable::looksChanged, this, [this] {
    looksAreNew_ = true;
    polish();
  });
}

void AnswerTable::setBlock(const QVariant& block) {
  block_ = block.value<BlockPointer>();
  polish();
  emit blockChanged();
}

QString AnswerTable::plainText() const {
  QStringList lines;
  if (block_)
    for (const auto& row : block_->table.rows) {
      QStringList cells;
      for (const QString& cell : row) cells.append(hearth::gui::plainText(inlineSpans(cell)));
      lines.append(cells.join(QStringLiteral(", ")));
    }
  return lines.join(u'\n');
}

void AnswerTable::setShape(TableShape* shape) {
  if (shape_ == shape) return;
  if (shape_) {
    shape_->disconnect(this);
    shape_->forget(this);
  }
  shape_ = shape;
  if (shape_) connect(shape_, &TableShape::needsChanged, this, &QQuickItem::polish);
  polish();
  emit shapeChanged();
}

AnswerTable::~AnswerTable() {
  if (shape_) shape_->forget(this);
}

void AnswerTable::updatePolish() {
  if (block_ && shape_ && room_ > 0) layOut();
}

void AnswerTable::layOut() {
  if (looksAreNew_) rows_.clear();
  looksAreNew_ = false;
  readRows();
  shape_->setNeeds(this, needs());
  const std::vector<double> widths = shape_->widths(room_);
  const bool areNew = widths != widths_;
  widths_ = widths;
  double top = 0;
  for (Row& row : rows_) {
    if (areNew || row.height == 0) breakLines(row);
    row.top = top;
    top += row.height;
  }
  setImplicitSize(std::accumulate(widths_.begin(), widths_.end(), 0.0), top + 1);
  update();
}

void AnswerTable::readRows() {
  const MarkdownTable& table = block_->table;
  rows_.resize(std::min(rows_.size(), table.rows.size()));
  for (size_t i = 0; i < table.rows.size(); ++i) {
    if (i == rows_.size()) rows_.emplace_back();
    if (!rows_[i].cells.empty() && rows_[i].texts == table.rows[i]) continue;
    rows_[i] = {.texts = table.rows[i], .isHead = !block_->begun && i == 0};
    for (size_t c = 0; c < table.columns.size(); ++c)
      rows_[i].cells.push_back(cellFor(table.rows[i][c], static_cast<int>(c), rows_[i].isHead));
  }
}

std::vector<ColumnNeed> AnswerTable::needs() const {
  std::vector<ColumnNeed> needs(block_->table.columns.size());
  for (const Row& row : rows_)
    for (size_t c = 0; c < row.cells.size(); ++c) needs[c] = wider(needs[c], row.cells[c].need);
  return needs;
}

void AnswerTable::breakLines(Row& row) {
  row.height = 0;
  for (size_t c = 0; c < row.cells.size(); ++c) {
    ++nLaidOut_;
    const double height = breakInto(*row.cells[c].layout, widths_[c] - 2 * kPadX);
    row.height = std::max(row.height, height);
  }
  row.height = std::ceil(row.height + 2 * kPadY);
}

// Returns the height of the lines.
double AnswerTable::breakInto(QTextLayout& layout, double width) {
  double height = 0;
  layout.beginLayout();
  for (QTextLine line = layout.createLine(); line.isValid(); line = layout.createLine()) {
    line.setLineWidth(width);
    line.setPosition({0, height});
    height += line.height();
  }
  layout.endLayout();
  return height;
}

// With the fonts that it is drawn with: bold words and code are wider than plain ones.
ColumnNeed AnswerTable::needOf(QTextLayout& layout) {
  QTextOption option = layout.textOption();
  const QTextOption drawn = option;
  option.setWrapMode(QTextOption::WordWrap);
  layout.setTextOption(option);
  double text = 0, word = 0;
  breakInto(layout, kMaxTableWidth);
  for (int i = 0; i < layout.lineCount(); ++i) text = std::max(text, layout.lineAt(i).naturalTextWidth());
  breakInto(layout, 1);
  for (int i = 0; i < layout.lineCount(); ++i) word = std::max(word, layout.lineAt(i).naturalTextWidth());
  layout.setTextOption(drawn);
  return {.word = stepped(word + kSlack) + 2 * kPadX, .text = stepped(text + kSlack) + 2 * kPadX};
}

AnswerTable::Cell AnswerTable::cellFor(const QString& text, int column, bool isHead) {
  Cell cell;
  QString shown;
  QList<QTextLayout::FormatRange> formats;
  for (const Span& span : inlineSpans(text)) {
    QTextCharFormat format;
    if (span.isBold) format.setFontWeight(QFont::Bold);
    if (span.isItalic) format.setFontItalic(true);
    if (span.isStruck) format.setFontStrikeOut(true);
    if (span.isCode || span.isMath) format.setFontFamilies(monoFamilies_);
    if (!span.href.isEmpty()) {
      format.setForeground(linkColor_);
      format.setFontUnderline(true);
      cell.links.push_back({static_cast<int>(shown.size()), static_cast<int>(span.text.size()), span.href});
    }
    formats.append({static_cast<int>(shown.size()), static_cast<int>(span.text.size()), format});
    shown += span.text;
  }
  shown.replace(u'\n', QChar::LineSeparator);
  QFont font = font_;
  font.setBold(isHead);
  cell.layout = std::make_unique<QTextLayout>(shown, font);
  QTextOption option(alignmentOf(block_->table.columns[static_cast<size_t>(column)]));
  option.setWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
  cell.layout->setTextOption(option);
  cell.layout->setFormats(formats);
  cell.layout->setCacheEnabled(true);
  cell.need = needOf(*cell.layout);
  return cell;
}

void AnswerTable::paint(QPainter* painter) {
  const double width = std::accumulate(widths_.begin(), widths_.end(), 0.0);
  for (const Row& row : rows_) {
    if (row.isHead) painter->fillRect(QRectF(0, row.top, width, row.height), headColor_);
    painter->setPen(textColor_);
    double left = 0;
    for (size_t c = 0; c < row.cells.size(); ++c) {
      row.cells[c].layout->draw(painter, {left + kPadX, row.top + kPadY});
      left += widths_[c];
    }
    painter->fillRect(QRectF(0, row.top + row.height - 1, width, 1), lineColor_);
  }
}

// --- links ---

QString AnswerTable::linkAt(const QPointF& point) const {
  auto row = std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) { return point.y() < r.top + r.height; });
  if (row == rows_.end() || point.y() < 0) return {};
  double left = 0;
  for (size_t c = 0; c < row->cells.size(); left += widths_[c], ++c) {
    if (point.x() >= left + widths_[c]) continue;
    const Cell& cell = row->cells[c];
    const QPointF at(point.x() - left - kPadX, point.y() - row->top - kPadY);
    for (int i = 0; i < cell.layout->lineCount(); ++i) {
      const QTextLine line = cell.layout->lineAt(i);
      if (!line.naturalTextRect().contains(at)) continue;
      const int position = line.xToCursor(at.x(), QTextLine::CursorOnCharacter);
      for (const Link& link : cell.links)
        if (position >= link.start && position < link.start + link.length) return link.href;
    }
    return {};
  }
  return {};
}

void AnswerTable::hoverMoveEvent(QHoverEvent* event) {
  setCursor(linkAt(event->position()).isEmpty() ? Qt::ArrowCursor : Qt::PointingHandCursor);
}

void AnswerTable::mousePressEvent(QMouseEvent* event) {
  pressed_ = linkAt(event->position());
  event->setAccepted(!pressed_.isEmpty());
}

void AnswerTable::mouseReleaseEvent(QMouseEvent* event) {
  if (!pressed_.isEmpty() && linkAt(event->position()) == pressed_) emit linkActivated(pressed_);
  pressed_.clear();
}

}  // namespace hearth::gui
