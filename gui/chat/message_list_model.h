// MessageListModel: the open conversation's messages.
//
// Roles: messageId, isUser, userText (as written; "" for answers), hasText, blocks (BlockListModel*, of answers),
// isStreaming, thoughts (BlockListModel*), thoughtTitle ("Thought for 12 s"; "" when it did not think), isThinking,
// footText (speed, or why it ended early), problem (for people, when the answer failed), isLast
#pragma once

#include <QtQml/qqmlregistration.h>
#include <QAbstractListModel>

#include <memory>

#include "gui/chat/block_list_model.h"
#include "gui/chat/conversation.h"

namespace hearth::gui {

class MessageListModel : public CountedListModel {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by Chat")
 public:
  enum Role {
    MessageIdRole = Qt::UserRole,
    IsUserRole,
    UserTextRole,
    HasTextRole,
    BlocksRole,
    IsStreamingRole,
    ThoughtsRole,
    ThoughtTitleRole,
    IsThinkingRole,
    FootRole,
    ProblemRole,
    IsLastRole
  };

  explicit MessageListModel(QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;

  const ChatMessage& at(int row) const { return entries_[static_cast<size_t>(row)].message; }
  int rowOf(int messageId) const;  // -1 when there is none
  // Of an answer, read from its Markdown when first asked for. For tests too.
  BlockListModel* blocksAt(int row) const;

  void reset(const std::vector<ChatMessage>& messages);
  void append(const ChatMessage& message);
  // What came of the last message. The work is in proportion to it.
  void appendToLast(const QString& thought, const QString& text, double thinkingSeconds);
  void replaceLast(const ChatMessage& message);  // its text is as it was
  void cutFrom(int row);
  void refresh();

 private:
  struct Entry {
    ChatMessage message;
    std::unique_ptr<BlockListModel> blocks, thoughts;  // made when first asked for
  };
  static BlockListModel* madeFrom(std::unique_ptr<BlockListModel>& blocks, const QString& text);

  mutable std::vector<Entry> entries_;
};

}  // namespace hearth::gui
