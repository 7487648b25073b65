// BlockListModel: one answer's Markdown blocks, as they come. Only the last rows change while an answer streams, and a
// long answer that is opened shows itself a few blocks at a time, so that no round of the event loop is long.
//
// Roles: kind (prose | code | table | rule), block (BlockPointer), language, continues, shape (of a table, the same for
// all its pieces; else null)
#pragma once

#include <QtQml/qqmlregistration.h>
#include <QTimer>

#include <map>

#include "gui/chat/markdown_blocks.h"
#include "gui/chat/table_shape.h"
#include "gui/components/row_list_model.h"

namespace hearth::gui {

class BlockListModel : public CountedListModel {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by MessageListModel")
 public:
  enum Role { KindRole = Qt::UserRole, BlockRole, LanguageRole, ContinuesRole, ShapeRole };
  static constexpr int kShownAtOnce = 12, kShownPerRound = 4;

  explicit BlockListModel(QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : nShown_; }
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;

  void append(const QString& markdown);
  const MarkdownReader& reader() const { return reader_; }

  // The code that begins at `row`, with the blocks that continue it.
  Q_INVOKABLE QString codeAt(int row) const;
  // The table that begins at `row`: a line a row, cells parted by tabs.
  Q_INVOKABLE QString tableAt(int row) const;

 private:
  void show(int n);
  int rowAfter(int row) const;  // the first that does not continue it
  int rowBegun(int row) const;  // where what it continues begins
  void shapeTables(int firstRow);

  MarkdownReader reader_;
  std::map<int, TableShape*> shapes_;  // by the row that the table begins with; children of this
  int nShown_ = 0;
  QTimer more_;
};

}  // namespace hearth::gui
