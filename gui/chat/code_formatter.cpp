// CodeFormatter: the common beginning stays, the rest is replaced.
#include "gui/chat/code_formatter.h"

#include <QTextCursor>
#include <QTextDocument>

#include <algorithm>

namespace hearth::gui {

void CodeFormatter::setDocument(QQuickTextDocument* document) {
  document_ = document;
  written_.clear();
  write();
  emit changed();
}

void CodeFormatter::setBlock(const QVariant& block) {
  block_ = block.value<BlockPointer>();
  write();
  emit changed();
}

void CodeFormatter::write() {
  if (!document_ || !block_) return;
  QString code = block_->code;
  if (code.endsWith(u'\n')) code.chop(1);  // the next block goes on below
  QTextDocument* document = document_->textDocument();
  document->setUndoRedoEnabled(false);
  const auto same = std::mismatch(code.begin(), code.end(), written_.begin(), written_.end()).first - code.begin();
  QTextCursor cursor(document);
  cursor.beginEditBlock();
  cursor.setPosition(static_cast<int>(same));
  cursor.movePosition(QTextCursor::End, QTextCursor::KeepAnchor);
  cursor.removeSelectedText();
  cursor.insertText(code.mid(same));
  cursor.endEditBlock();
  written_ = code;
}

}  // namespace hearth::gui
