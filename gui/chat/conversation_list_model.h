// ConversationListModel: the kept conversations, last touched first, filtered by what was typed into the search field.
//
// Roles: conversationId, title, timeText
#pragma once

#include <QtQml/qqmlregistration.h>

#include "gui/chat/conversation.h"
#include "gui/components/row_list_model.h"

namespace hearth::gui {

struct ConversationRow {
  QString key;  // the conversation's id
  QString title;
  double updatedAt = 0;
  QString searchText;  // all that was said, lower case
  bool operator==(const ConversationRow&) const = default;
};

class ConversationListModel : public RowListModel<ConversationRow> {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by Chat")
  Q_PROPERTY(QString filter READ filter WRITE setFilter NOTIFY filterChanged FINAL)
 public:
  explicit ConversationListModel(QObject* parent = nullptr);

  QString filter() const { return filter_; }
  void setFilter(const QString& filter);

  void put(const Conversation& conversation);  // adds or updates it
  void remove(const QString& id);
  QString newest() const;  // "" when there is none

 signals:
  void filterChanged();

 private:
  void fill();

  std::vector<ConversationRow> all_;
  QString filter_;
};

QString titleTextOf(const Conversation& conversation);

}  // namespace hearth::gui
