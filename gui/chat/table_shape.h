// TableShape: what the pieces of one table have in common: how wide its columns are, and how far it is scrolled
// sideways.
#pragma once

#include <QtQml/qqmlregistration.h>
#include <QObject>
#include <QTimer>

#include <map>
#include <vector>

namespace hearth::gui {

// Of a column, in pixels with its padding.
struct ColumnNeed {
  double word = 0;  // its widest word: narrower than this, the word would be broken
  double text = 0;  // its widest cell on one line
  bool operator==(const ColumnNeed&) const = default;
};
ColumnNeed wider(const ColumnNeed& a, const ColumnNeed& b);

// Every column gets its text on one line while there is room (up to kMaxTextColumn). Then wide columns give first, none
// below its widest word; what is wider even so scrolls. A word wider than the room is broken.
std::vector<double> columnWidths(std::vector<ColumnNeed> needs, double room);

inline constexpr double kMinColumn = 40, kMaxTextColumn = 420;
inline constexpr double kEasyColumn = 140;       // of prose in a table that scrolls anyway
inline constexpr double kMaxTableWidth = 8'000;  // it is one picture: at 200 % still below what graphics cards take

class TableShape : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by BlockListModel")
  Q_PROPERTY(double contentX MEMBER contentX_ NOTIFY contentXChanged FINAL)
  Q_PROPERTY(int lastRow READ lastRow NOTIFY lastRowChanged FINAL)  // the block that the table ends with
 public:
  static constexpr int kSettleMs = 1000;

  explicit TableShape(QObject* parent = nullptr);

  int lastRow() const { return lastRow_; }
  void setLastRow(int row);
  // What a piece of the table needs now; each piece may say so again. Columns grow at once and shrink when nothing has
  // changed for a while: half of a link is wider than all of it, and columns must not jump while words come.
  void setNeeds(const void* piece, std::vector<ColumnNeed> needs);
  void forget(const void* piece);
  std::vector<double> widths(double room) const { return columnWidths(needs_, room); }

 signals:
  void contentXChanged();
  void lastRowChanged();
  void needsChanged();

 private:
  std::vector<ColumnNeed> widest() const;
  void take(std::vector<ColumnNeed> needs);

  std::map<const void*, std::vector<ColumnNeed>> pieces_;
  std::vector<ColumnNeed> needs_;  // of all pieces, now or a while ago
  QTimer settle_;
  double contentX_ = 0;
  int lastRow_ = 0;
};

}  // namespace hearth::gui
