// AnswerTable: widths first, then one QTextLayout a cell. Rows that did not change keep their layouts.
#include "gui/chat/answer_table.h"

#include <QCursor>
#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gui/chat/markdown_inline.h"

namespace hearth::gui {

namespace {
constexpr double kPadX = 10, kPadY = 6, kMinColumn = 56, kMaxColumn = 420;

Qt::Alignment alignmentOf(MarkdownTable::Align align) {
  return align == MarkdownTable::Align::centre ? Qt::AlignHCenter
         : align == MarkdownTable::Align::end  ? Qt::AlignRight
                                               : Qt::AlignLeft;
}

// Wide columns give first: the widest are cut down together until all fit, none below kMinColumn.
std::vector<double> fitted(std::vector<double> wanted, double room) {
  double low = kMinColumn, high = kMaxColumn;
  auto sum = [&](double most) {
    return std::accumulate(wanted.begin(), wanted.end(), 0.0,
                           [most](double s, double w) { return s + std::min(w, most); });
  };
  if (sum(high) > room) {
    for (int i = 0; i < 24; ++i) (sum((low + high) / 2) > room ? high : low) = (low + high) / 2;
    high = low;
  }
  for (double& width : wanted) width = std::floor(std::min(width, high));
  return wanted;
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

void AnswerTable::updatePolish() {
  if (block_ && room_ > 0) layOut();
}

void AnswerTable::layOut() {
  const MarkdownTable& table = block_->table;
  const bool hasHead = !block_->begun;
  const std::vector<double> before = widths_;
  measureColumns(block_->begun ? *block_->begun : table, true);
  if (looksAreNew_ || before != widths_) rows_.clear();
  looksAreNew_ = false;
  rows_.resize(std::min(rows_.size(), table.rows.size()));
  double top = 0;
  for (size_t i = 0; i < table.rows.size(); ++i) {
    if (i == rows_.size()) rows_.emplace_back();
    Row& row = rows_[i];
    if (row.cells.empty() || row.texts != table.rows[i]) {
      row.texts = table.rows[i];
      row.isHead = hasHead && i == 0;
      layOutRow(row);
    }
    row.top = top;
    top += row.height;
  }
  setImplicitSize(std::accumulate(widths_.begin(), widths_.end(), 0.0), top + 1);
  update();
}

double AnswerTable::naturalWidth(const QString& text, bool isHead) const {
  QFont font = font_;
  font.setBold(isHead);
  const QFontMetricsF metrics(font);
  double width = 0;
  for (const QString& line : hearth::gui::plainText(inlineSpans(text)).split(u'\n'))
    width = std::max(width, metrics.horizontalAdvance(line.left(200)));
  return std::ceil(width) + 2 * kPadX + 2;
}

void AnswerTable::measureColumns(const MarkdownTable& table, bool hasHead) {
  std::vector<double> wanted(table.columns.size(), kMinColumn);
  for (size_t r = 0; r < table.rows.size(); ++r)
    for (size_t c = 0; c < wanted.size(); ++c)
      if (wanted[c] < kMaxColumn) wanted[c] = std::max(wanted[c], naturalWidth(table.rows[r][c], hasHead && r == 0));
  widths_ = fitted(std::move(wanted), room_);
}

void AnswerTable::layOutRow(Row& row) {
  row.cells.clear();
  row.height = 0;
  for (size_t c = 0; c < widths_.size(); ++c) {
    row.cells.push_back(cellFor(row.texts[c], static_cast<int>(c), row.isHead));
    row.height = std::max(row.height, row.cells.back().height);
  }
  row.height = std::ceil(row.height + 2 * kPadY);
}

AnswerTable::Cell AnswerTable::cellFor(const QString& text, int column, bool isHead) {
  ++nLaidOut_;
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
  cell.layout->beginLayout();
  for (QTextLine line = cell.layout->createLine(); line.isValid(); line = cell.layout->createLine()) {
    line.setLineWidth(widths_[static_cast<size_t>(column)] - 2 * kPadX);
    line.setPosition({0, cell.height});
    cell.height += line.height();
  }
  cell.layout->endLayout();
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
