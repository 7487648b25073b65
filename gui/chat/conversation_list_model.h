// ConversationListModel: the kept conversations, last touched first, filtered by what was typed into the search field.
//
// There may be thousands: the list is names and times, a title is read when it is first shown, and a search reads the
// conversations in the background, newest first, a few milliseconds at a time.
//
// Roles: conversationId, title, timeText
#pragma once

#include <QtQml/qqmlregistration.h>
#include <QHash>
#include <QTimer>

#include <filesystem>

#include "gui/chat/conversation.h"
#include "gui/components/row_list_model.h"

namespace hearth::gui {

class ConversationListModel;

struct ConversationRow {
  QString key;  // the conversation's id
  double updatedAt = 0;
  QString title;  // as far as it is known; "" when it has to be read first
  bool isTitleKnown = false;
  const ConversationListModel* list = nullptr;
  bool operator==(const ConversationRow&) const = default;
};

class ConversationListModel : public RowListModel<ConversationRow> {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by Chat")
  Q_PROPERTY(QString filter READ filter WRITE setFilter NOTIFY filterChanged FINAL)
  Q_PROPERTY(bool isSearching READ isSearching NOTIFY isSearchingChanged FINAL)
 public:
  // Reads the names of what is in `folder`.
  explicit ConversationListModel(std::filesystem::path folder, QObject* parent = nullptr);

  QString filter() const { return filter_; }
  void setFilter(const QString& filter);
  bool isSearching() const { return search_.isActive(); }

  void rescan();                               // others may have added or removed some
  void put(const Conversation& conversation);  // adds or updates it
  void remove(const QString& id);
  QString newest() const;  // "" when there is none
  QString titleOf(const ConversationRow& row) const;
  int nTitlesRead() const { return nTitlesRead_; }

 signals:
  void filterChanged();
  void isSearchingChanged();

 private:
  struct Title {
    double updatedAt;
    QString text;
  };
  void fill();
  void searchOn();
  bool matches(const ConversationRow& row, const QString& wanted);
  void setSearching(bool isSearching);

  std::filesystem::path folder_;
  std::vector<ConversationRow> all_;  // newest first
  QString filter_;
  mutable QHash<QString, Title> titles_;
  mutable int nTitlesRead_ = 0;
  QTimer search_;
  size_t searched_ = 0;
  std::vector<ConversationRow> found_;
};

}  // namespace hearth::gui
