// MessageListModel: the open conversation's messages.
//
// Roles: messageId, isUser, messageText (as written), blocks (BlockListModel*), isStreaming, modelName, footText (speed, or why
// it ended early), problem (for people, when the answer failed), isLast
#pragma once

#include <QAbstractListModel>
#include <QtQml/qqmlregistration.h>

#include <memory>

#include "gui/chat/block_list_model.h"
#include "gui/chat/conversation.h"

namespace hearth::gui {

class MessageListModel : public CountedListModel {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by Chat")
 public:
  enum Role { MessageIdRole = Qt::UserRole, IsUserRole, TextRole, BlocksRole, IsStreamingRole, ModelRole, FootRole, ProblemRole, IsLastRole };

  explicit MessageListModel(QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;

  const ChatMessage& at(int row) const { return entries_[static_cast<size_t>(row)].message; }
  int rowOf(int messageId) const;  // -1 when there is none

  void reset(const std::vector<ChatMessage>& messages);
  void append(const ChatMessage& message);
  void replace(const ChatMessage& message);  // the one with its id
  void cutFrom(int row);
  void refresh();

 private:
  struct Entry {
    ChatMessage message;
    std::unique_ptr<BlockListModel> blocks;
  };
  static Entry entryOf(const ChatMessage& message);

  std::vector<Entry> entries_;
};

}  // namespace hearth::gui
