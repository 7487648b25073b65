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

bool isThinking(const ChatMessage& m) {
  return m.ending.isEmpty() && m.text.isEmpty() && !m.thought.isEmpty();
}

QString thoughtTitleOf(const ChatMessage& m) {
  if (m.thought.isEmpty()) return {};
  const QString time = durationText(m.thinkingSeconds);
  if (isThinking(m)) return MessageListModel::tr("Thinking… %1").arg(time);
  return m.thinkingSeconds < 1 ? MessageListModel::tr("Thought for a moment")
                               : MessageListModel::tr("Thought for %1").arg(time);
}
}  // namespace

MessageListModel::MessageListModel(QObject* parent) : CountedListModel(parent) {}

int MessageListModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(entries_.size());
}

QVariant MessageListModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  Entry& entry = entries_[static_cast<size_t>(index.row())];
  const ChatMessage& m = entry.message;
  const bool isUser = m.role == QLatin1String("user");
  switch (role) {
    case MessageIdRole:
      return m.id;
    case IsUserRole:
      return isUser;
    case UserTextRole:
      return isUser ? m.text : QString();
    case HasTextRole:
      return !m.text.isEmpty();
    case BlocksRole:
      return QVariant::fromValue(blocksAt(index.row()));
    case IsStreamingRole:
      return m.ending.isEmpty();
    case ThoughtsRole:
      return QVariant::fromValue(m.thought.isEmpty() ? nullptr : madeFrom(entry.thoughts, m.thought));
    case ThoughtTitleRole:
      return thoughtTitleOf(m);
    case IsThinkingRole:
      return isThinking(m);
    case FootRole:
      return footOf(m);
    case ProblemRole:
      return m.error;
    case IsLastRole:
      return index.row() + 1 == rowCount();
    default:
      return {};
  }
}

QHash<int, QByteArray> MessageListModel::roleNames() const {
  return {{MessageIdRole, "messageId"},   {IsUserRole, "isUser"},
          {UserTextRole, "userText"},     {HasTextRole, "hasText"},
          {BlocksRole, "blocks"},         {IsStreamingRole, "isStreaming"},
          {ThoughtsRole, "thoughts"},     {ThoughtTitleRole, "thoughtTitle"},
          {IsThinkingRole, "isThinking"}, {FootRole, "footText"},
          {ProblemRole, "problem"},       {IsLastRole, "isLast"}};
}

int MessageListModel::rowOf(int messageId) const {
  for (size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].message.id == messageId) return static_cast<int>(i);
  return -1;
}

BlockListModel* MessageListModel::madeFrom(std::unique_ptr<BlockListModel>& blocks, const QString& text) {
  if (!blocks) {
    blocks = std::make_unique<BlockListModel>();
    QQmlEngine::setObjectOwnership(blocks.get(), QQmlEngine::CppOwnership);
    blocks->append(text);
  }
  return blocks.get();
}

BlockListModel* MessageListModel::blocksAt(int row) const {
  Entry& entry = entries_[static_cast<size_t>(row)];
  return entry.message.role == QLatin1String("user") ? nullptr : madeFrom(entry.blocks, entry.message.text);
}

void MessageListModel::reset(const std::vector<ChatMessage>& messages) {
  // The old blocks live until the views have let go of them.
  std::vector<Entry> old;
  beginResetModel();
  old.swap(entries_);
  for (const ChatMessage& m : messages) entries_.push_back({m, nullptr, nullptr});
  endResetModel();
  emit countChanged();
}

void MessageListModel::append(const ChatMessage& message) {
  int row = rowCount();
  beginInsertRows({}, row, row);
  entries_.push_back({message, nullptr, nullptr});
  endInsertRows();
  if (row > 0) emit dataChanged(index(row - 1), index(row - 1), {IsLastRole});
  emit countChanged();
}

void MessageListModel::appendToLast(const QString& thought, const QString& text, double thinkingSeconds) {
  Entry& entry = entries_.back();
  const bool begins =
      (entry.message.text.isEmpty() && !text.isEmpty()) || (entry.message.thought.isEmpty() && !thought.isEmpty());
  entry.message.thought += thought;
  entry.message.text += text;
  entry.message.thinkingSeconds = thinkingSeconds;
  if (entry.thoughts && !thought.isEmpty()) entry.thoughts->append(thought);
  if (entry.blocks && !text.isEmpty()) entry.blocks->append(text);
  QList<int> roles;
  if (begins) roles << HasTextRole << ThoughtsRole << IsThinkingRole;
  if (begins || text.isEmpty()) roles << ThoughtTitleRole;
  if (!roles.isEmpty()) emit dataChanged(index(rowCount() - 1), index(rowCount() - 1), roles);
}

void MessageListModel::replaceLast(const ChatMessage& message) {
  entries_.back().message = message;
  emit dataChanged(index(rowCount() - 1), index(rowCount() - 1));
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
  if (!entries_.empty()) emit dataChanged(index(0), index(rowCount() - 1), {ThoughtTitleRole, FootRole, ProblemRole});
}

}  // namespace hearth::gui
