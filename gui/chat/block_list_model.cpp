// BlockListModel: blocks keyed by kind and position.
#include "gui/chat/block_list_model.h"

namespace hearth::gui {

BlockListModel::BlockListModel(QObject* parent)
    : RowListModel<BlockRow>(
          {
              {"isCode", [](const BlockRow& r) { return QVariant(r.block.isCode); }},
              {"blockText", [](const BlockRow& r) { return QVariant(r.block.text); }},
              {"language", [](const BlockRow& r) { return QVariant(r.block.language); }},
          },
          parent) {}

void BlockListModel::setMarkdown(const QString& markdown) {
  std::vector<BlockRow> rows;
  for (MarkdownBlock& block : markdownBlocks(markdown)) {
    QString key = QStringLiteral("%1%2").arg(block.isCode ? u'c' : u'p').arg(rows.size());
    rows.push_back({key, std::move(block)});
  }
  setRows(std::move(rows));
}

}  // namespace hearth::gui
