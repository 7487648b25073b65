// ProseFormatter: puts a block of prose into a TextEdit's document, with formats instead of markup. The TextEdit stays
// a plain-text one: there is no HTML and no Markdown that Qt could read, so nothing that it could fetch.
//
//   TextEdit { id: edit; textFormat: TextEdit.PlainText; ProseFormatter { document: edit.textDocument; block: ... } }
//
// While an answer streams only paragraphs that changed are written again.
#pragma once

#include <QtQml/qqmlregistration.h>
#include <QColor>
#include <QObject>
#include <QPointer>
#include <QQuickTextDocument>
#include <QVariant>

#include "gui/chat/markdown_blocks.h"

class QTextCharFormat;
class QTextCursor;

namespace hearth::gui {

class ProseFormatter : public QObject {
  Q_OBJECT
  QML_ELEMENT
  Q_PROPERTY(QQuickTextDocument* document MEMBER document_ NOTIFY looksChanged FINAL)
  Q_PROPERTY(QVariant block READ block WRITE setBlock NOTIFY blockChanged FINAL)  // BlockPointer
  Q_PROPERTY(QString plainText READ plainText NOTIFY blockChanged FINAL)
  Q_PROPERTY(QColor textColor MEMBER textColor_ NOTIFY looksChanged FINAL)
  Q_PROPERTY(QColor linkColor MEMBER linkColor_ NOTIFY looksChanged FINAL)
  Q_PROPERTY(QColor mutedColor MEMBER mutedColor_ NOTIFY looksChanged FINAL)
  Q_PROPERTY(QColor codeColor MEMBER codeColor_ NOTIFY looksChanged FINAL)  // behind code
  Q_PROPERTY(QStringList monoFamilies MEMBER monoFamilies_ NOTIFY looksChanged FINAL)
  Q_PROPERTY(int pixelSize MEMBER pixelSize_ NOTIFY looksChanged FINAL)
  Q_PROPERTY(bool isComplete MEMBER isComplete_ NOTIFY looksChanged FINAL)  // all of the above are set
 public:
  explicit ProseFormatter(QObject* parent = nullptr);

  QVariant block() const { return QVariant::fromValue(block_); }
  void setBlock(const QVariant& block);
  QString plainText() const;
  int nParagraphsWritten() const { return nWritten_; }

 signals:
  void blockChanged();
  void looksChanged();

 private:
  void writeAll();
  void writeFrom(size_t first);
  void write(QTextCursor& cursor, const Paragraph& paragraph, bool isFirst);
  QTextCharFormat baseFormat(const Paragraph& paragraph) const;

  QPointer<QQuickTextDocument> document_;
  BlockPointer block_;
  std::vector<Paragraph> written_;
  QColor textColor_, linkColor_, mutedColor_, codeColor_;
  QStringList monoFamilies_;
  int pixelSize_ = 15, nWritten_ = 0;
  bool isComplete_ = false;
};

}  // namespace hearth::gui
