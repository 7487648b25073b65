// MessageListModel: messages with their blocks.
#include "gui/chat/message_list_model.h"

#include <QQmlEngine>

#include "gui/components/format.h"

namespace hearth::gui {

namespace {
QString footOf(const ChatMessage& m) {
  if (m.ending == QLatin1String("stopped")) return MessageListModel::tr("You stopped this answer.");
  if (m.ending == QLatin1String("length")) return MessageListModel::tr("The answer reached its length limit.");
  if (m.ending == QLatin1String("interrupted")) return MessageListModel::tr("This answer was interrupted.");
  if (m.tokensPerSecond <= 0) return m.model;
  return QStringLiteral("%1 · %2").arg(m.model, speedText(m.tokensPerSecond));
}
}  // namespace

MessageListModel::MessageListModel(QObject* parent) : CountedListModel(parent) {}

int MessageListModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(entries_.size());
}

QVariant MessageListModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const Entry& entry = entries_[static_cast<size_t>(index.row())];
  const ChatMessage& m = entry.message;
  switch (role) {
    case MessageIdRole: return m.id;
    case IsUserRole: return m.role == QLatin1String("user");
    case TextRole: return m.text;
    case BlocksRole: return QVariant::fromValue(entry.blocks.get());
    case IsStreamingRole: return m.ending.isEmpty();
    case ModelRole: return m.model;
    case FootRole: return footOf(m);
    case ProblemRole: return m.error;
    case IsLastRole: return index.row() + 1 == rowCount();
    default: return {};
  }
}

QHash<int, QByteArray> MessageListModel::roleNames() const {
  return {{MessageIdRole, "messageId"}, {IsUserRole, "isUser"}, {TextRole, "messageText"}, {BlocksRole, "blocks"},
          {IsStreamingRole, "isStreaming"}, {ModelRole, "modelName"}, {FootRole, "footText"}, {ProblemRole, "problem"},
          {IsLastRole, "isLast"}};
}

int MessageListModel::rowOf(int messageId) const {
  for (size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].message.id == messageId) return static_cast<int>(i);
  return -1;
}

MessageListModel::Entry MessageListModel::entryOf(const ChatMessage& message) {
  Entry entry{message, std::make_unique<BlockListModel>()};
  QQmlEngine::setObjectOwnership(entry.blocks.get(), QQmlEngine::CppOwnership);
  entry.blocks->setMarkdown(message.text);
  return entry;
}

void MessageListModel::reset(const std::vector<ChatMessage>& messages) {
  // The old blocks live until the views have let go of them.
  std::vector<Entry> old;
  beginResetModel();
  old.swap(entries_);
  for (const ChatMessage& m : messages) entries_.push_back(entryOf(m));
  endResetModel();
  emit countChanged();
}

void MessageListModel::append(const ChatMessage& message) {
  int row = rowCount();
  beginInsertRows({}, row, row);
  entries_.push_back(entryOf(message));
  endInsertRows();
  if (row > 0) emit dataChanged(index(row - 1), index(row - 1), {IsLastRole});
  emit countChanged();
}

void MessageListModel::replace(const ChatMessage& message) {
  int row = rowOf(message.id);
  if (row < 0) return;
  Entry& entry = entries_[static_cast<size_t>(row)];
  if (entry.message.text != message.text) entry.blocks->setMarkdown(message.text);
  entry.message = message;
  emit dataChanged(index(row), index(row));
}

void MessageListModel::cutFrom(int row) {
  if (row >= rowCount()) return;
  std::vector<Entry> old;
  beginRemoveRows({}, row, rowCount() - 1);
  std::move(entries_.begin() + row, entries_.end(), std::back_inserter(old));
  entries_.erase(entries_.begin() + row, entries_.end());
  endRemoveRows();
  if (row > 0) emit dataChanged(index(row - 1), index(row - 1), {IsLastRole});
  emit countChanged();
}

void MessageListModel::refresh() {
  if (!entries_.empty()) emit dataChanged(index(0), index(rowCount() - 1));
}

}  // namespace hearth::gui
