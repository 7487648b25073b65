// AnswerTable: draws a table of an answer, or a piece of it: columns as wide as the table's shape says, cells wrapped.
// Laid out here, because Qt's rich-text tables measure themselves anew for every word that comes.
#pragma once

#include <QColor>
#include <QPointer>
#include <QQuickPaintedItem>
#include <QTextLayout>
#include <QVariant>

#include <memory>
#include <vector>

#include "gui/chat/markdown_blocks.h"
#include "gui/chat/table_shape.h"

namespace hearth::gui {

class AnswerTable : public QQuickPaintedItem {
  Q_OBJECT
  QML_ELEMENT
  Q_PROPERTY(QVariant block READ block WRITE setBlock NOTIFY blockChanged FINAL)  // BlockPointer
  Q_PROPERTY(QString plainText READ plainText NOTIFY blockChanged FINAL)
  Q_PROPERTY(hearth::gui::TableShape* shape READ shape WRITE setShape NOTIFY shapeChanged FINAL)  // of the whole table
  Q_PROPERTY(double room MEMBER room_ NOTIFY looksChanged FINAL)  // the width it should keep to, if it can
  Q_PROPERTY(QFont font MEMBER font_ NOTIFY looksChanged FINAL)
  Q_PROPERTY(QStringList monoFamilies MEMBER monoFamilies_ NOTIFY looksChanged FINAL)
  Q_PROPERTY(QColor textColor MEMBER textColor_ NOTIFY looksChanged FINAL)
  Q_PROPERTY(QColor linkColor MEMBER linkColor_ NOTIFY looksChanged FINAL)
  Q_PROPERTY(QColor lineColor MEMBER lineColor_ NOTIFY looksChanged FINAL)
  Q_PROPERTY(QColor headColor MEMBER headColor_ NOTIFY looksChanged FINAL)  // behind the head
 public:
  explicit AnswerTable(QQuickItem* parent = nullptr);
  ~AnswerTable() override;

  QVariant block() const { return QVariant::fromValue(block_); }
  void setBlock(const QVariant& block);
  TableShape* shape() const { return shape_; }
  void setShape(TableShape* shape);
  QString plainText() const;
  void paint(QPainter* painter) override;

  const std::vector<double>& columnWidths() const { return widths_; }
  int nRows() const { return static_cast<int>(rows_.size()); }
  const QTextLayout& layoutOf(int row, int column) const {
    return *rows_[static_cast<size_t>(row)].cells[static_cast<size_t>(column)].layout;
  }
  int nCellsLaidOut() const { return nLaidOut_; }
  // Where the link at this point leads; "" when there is none.
  QString linkAt(const QPointF& point) const;

 signals:
  void blockChanged();
  void shapeChanged();
  void looksChanged();
  void linkActivated(const QString& link);

 protected:
  void updatePolish() override;
  void hoverMoveEvent(QHoverEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;

 private:
  struct Link {
    int start, length;
    QString href;
  };
  struct Cell {
    std::unique_ptr<QTextLayout> layout;
    std::vector<Link> links;
    ColumnNeed need;
  };
  struct Row {
    std::vector<QString> texts;
    bool isHead = false;
    std::vector<Cell> cells = {};
    double top = 0, height = 0;  // 0: its lines are not broken yet
  };

  void layOut();
  void readRows();
  std::vector<ColumnNeed> needs() const;
  void breakLines(Row& row);
  Cell cellFor(const QString& text, int column, bool isHead);
  static double breakInto(QTextLayout& layout, double width);
  static ColumnNeed needOf(QTextLayout& layout);

  BlockPointer block_;
  QPointer<TableShape> shape_;
  double room_ = 0;
  QFont font_;
  QStringList monoFamilies_;
  QColor textColor_, linkColor_, lineColor_, headColor_;
  std::vector<double> widths_;
  std::vector<Row> rows_;
  QString pressed_;
  int nLaidOut_ = 0;
  bool looksAreNew_ = true;
};

}  // namespace hearth::gui
