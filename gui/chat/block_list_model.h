// BlockListModel: one message's Markdown blocks. While an answer streams only its last block changes, so the delegates of
// the others are left alone.
//
// Roles: isCode, blockText, language
#pragma once

#include <QtQml/qqmlregistration.h>

#include "gui/chat/markdown_blocks.h"
#include "gui/components/row_list_model.h"

namespace hearth::gui {

struct BlockRow {
  QString key;  // its position
  MarkdownBlock block;
  bool operator==(const BlockRow&) const = default;
};

class BlockListModel : public RowListModel<BlockRow> {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by MessageListModel")
 public:
  explicit BlockListModel(QObject* parent = nullptr);
  void setMarkdown(const QString& markdown);
};

}  // namespace hearth::gui
