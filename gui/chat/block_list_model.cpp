// BlockListModel: the reader's blocks, of which the first nShown_ are rows.
#include "gui/chat/block_list_model.h"

#include <algorithm>

#include "gui/chat/markdown_inline.h"

namespace hearth::gui {

namespace {
QString nameOf(MarkdownBlock::Kind kind) {
  switch (kind) {
    case MarkdownBlock::Kind::prose:
      return QStringLiteral("prose");
    case MarkdownBlock::Kind::code:
      return QStringLiteral("code");
    case MarkdownBlock::Kind::table:
      return QStringLiteral("table");
    case MarkdownBlock::Kind::rule:
      return QStringLiteral("rule");
  }
  return {};
}
}  // namespace

BlockListModel::BlockListModel(QObject* parent) : CountedListModel(parent) {
  more_.setInterval(0);
  connect(&more_, &QTimer::timeout, this, [this] { show(nShown_ + kShownPerRound); });
}

QVariant BlockListModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const MarkdownBlock& block = reader_.blocks()[static_cast<size_t>(index.row())];
  switch (role) {
    case KindRole:
      return nameOf(block.kind);
    case BlockRole:
      return QVariant::fromValue(std::make_shared<const MarkdownBlock>(block));
    case LanguageRole:
      return block.language;
    case ContinuesRole:
      return block.continues;
    case ShapeRole: {
      auto shape = shapes_.find(rowBegun(index.row()));
      return QVariant::fromValue(shape == shapes_.end() ? nullptr : shape->second);
    }
    default:
      return {};
  }
}

QHash<int, QByteArray> BlockListModel::roleNames() const {
  return {{KindRole, "kind"},
          {BlockRole, "block"},
          {LanguageRole, "language"},
          {ContinuesRole, "continues"},
          {ShapeRole, "shape"}};
}

void BlockListModel::append(const QString& markdown) {
  const int first = static_cast<int>(reader_.append(markdown));
  const int nBlocks = static_cast<int>(reader_.blocks().size());
  const bool wereAllShown = !more_.isActive();
  if (nBlocks < nShown_) {
    beginRemoveRows({}, nBlocks, nShown_ - 1);
    nShown_ = nBlocks;
    endRemoveRows();
  }
  shapeTables(first);
  if (first < nShown_) emit dataChanged(index(first), index(nShown_ - 1));
  show(wereAllShown ? nShown_ + kShownAtOnce : nShown_);
}

void BlockListModel::show(int n) {
  const int nBlocks = static_cast<int>(reader_.blocks().size());
  n = std::min(n, nBlocks);
  if (n > nShown_) {
    beginInsertRows({}, nShown_, n - 1);
    nShown_ = n;
    endInsertRows();
    emit countChanged();
  }
  nShown_ < nBlocks ? more_.start() : more_.stop();
}

int BlockListModel::rowAfter(int row) const {
  const auto& blocks = reader_.blocks();
  size_t i = static_cast<size_t>(row) + 1;
  while (i < blocks.size() && blocks[i].continues && blocks[i].kind == blocks[static_cast<size_t>(row)].kind) ++i;
  return static_cast<int>(i);
}

int BlockListModel::rowBegun(int row) const {
  while (row > 0 && reader_.blocks()[static_cast<size_t>(row)].continues) --row;
  return row;
}

// A shape for each table among the blocks from `firstRow` on; none for what turned out not to be one.
void BlockListModel::shapeTables(int firstRow) {
  const auto& blocks = reader_.blocks();
  const int nBlocks = static_cast<int>(blocks.size());
  auto isTable = [&](int row) {
    return row < nBlocks && blocks[static_cast<size_t>(row)].kind == MarkdownBlock::Kind::table;
  };
  for (auto it = shapes_.lower_bound(firstRow); it != shapes_.end();) {
    if (isTable(it->first)) {
      ++it;
      continue;
    }
    it->second->deleteLater();
    it = shapes_.erase(it);
  }
  for (int row = firstRow; row < nBlocks; ++row) {
    if (!isTable(row)) continue;
    TableShape*& shape = shapes_[rowBegun(row)];
    if (!shape) shape = new TableShape(this);
    shape->setLastRow(row);
  }
}

QString BlockListModel::codeAt(int row) const {
  QString code;
  if (row < 0 || row >= nShown_) return code;
  for (int i = row, end = rowAfter(row); i < end; ++i) code += reader_.blocks()[static_cast<size_t>(i)].code;
  return code;
}

QString BlockListModel::tableAt(int row) const {
  QStringList lines;
  if (row < 0 || row >= nShown_) return {};
  for (int i = row, end = rowAfter(row); i < end; ++i)
    for (const auto& cells : reader_.blocks()[static_cast<size_t>(i)].table.rows) {
      QStringList texts;
      for (const QString& cell : cells) texts.append(plainText(inlineSpans(cell)).replace(u'\n', u' '));
      lines.append(texts.join(u'\t'));
    }
  return lines.join(u'\n');
}

}  // namespace hearth::gui
