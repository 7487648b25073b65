// CodeFormatter: puts a block of code into a TextEdit's document. While it streams only what is new is written.
#pragma once

#include <QtQml/qqmlregistration.h>
#include <QObject>
#include <QPointer>
#include <QQuickTextDocument>
#include <QVariant>

#include "gui/chat/markdown_blocks.h"

namespace hearth::gui {

class CodeFormatter : public QObject {
  Q_OBJECT
  QML_ELEMENT
  Q_PROPERTY(QQuickTextDocument* document READ document WRITE setDocument NOTIFY changed FINAL)
  Q_PROPERTY(QVariant block READ block WRITE setBlock NOTIFY changed FINAL)  // BlockPointer
 public:
  using QObject::QObject;

  QQuickTextDocument* document() const { return document_; }
  void setDocument(QQuickTextDocument* document);
  QVariant block() const { return QVariant::fromValue(block_); }
  void setBlock(const QVariant& block);

 signals:
  void changed();

 private:
  void write();

  QPointer<QQuickTextDocument> document_;
  BlockPointer block_;
  QString written_;
};

}  // namespace hearth::gui
