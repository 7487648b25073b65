// ConversationListModel: sorted and filtered.
#include "gui/chat/conversation_list_model.h"

#include <QElapsedTimer>

#include <algorithm>

#include "gui/chat/chat_log.h"
#include "gui/components/format.h"

namespace hearth::gui {

namespace {
constexpr int kSearchMs = 8;  // of one round of the event loop

bool isNewer(const ConversationRow& a, const ConversationRow& b) {
  return a.updatedAt != b.updatedAt ? a.updatedAt > b.updatedAt : a.key > b.key;
}
}  // namespace

ConversationListModel::ConversationListModel(std::filesystem::path folder, QObject* parent)
    : RowListModel<ConversationRow>(
          {
              {"conversationId", [](const ConversationRow& r) { return QVariant(r.key); }},
              {"title",
               [](const ConversationRow& r) {
                 QString title = r.list->titleOf(r);
                 return QVariant(title.isEmpty() ? tr("New chat") : title);
               }},
              {"timeText", [](const ConversationRow& r) { return QVariant(agoText(r.updatedAt, nowSeconds())); }},
          },
          parent),
      folder_(std::move(folder)) {
  search_.setInterval(0);
  connect(&search_, &QTimer::timeout, this, &ConversationListModel::searchOn);
  rescan();
}

void ConversationListModel::rescan() {
  all_.clear();
  for (const ChatLog::Listed& listed : ChatLog::list(folder_)) {
    auto known = titles_.constFind(listed.id);
    bool isKnown = known != titles_.cend() && known->updatedAt >= listed.updatedAt;
    if (!isKnown) titles_.remove(listed.id);
    all_.push_back({listed.id, listed.updatedAt, isKnown ? known->text : QString(), isKnown, this});
  }
  std::sort(all_.begin(), all_.end(), isNewer);
  fill();
}

void ConversationListModel::setFilter(const QString& filter) {
  if (filter_ == filter) return;
  filter_ = filter;
  emit filterChanged();
  fill();
}

void ConversationListModel::put(const Conversation& conversation) {
  ConversationRow row{conversation.id, conversation.updatedAt, titleTextOf(conversation), true, this};
  titles_.insert(row.key, {nowSeconds(), row.title});
  std::erase_if(all_, [&](const ConversationRow& r) { return r.key == row.key; });
  all_.insert(std::upper_bound(all_.begin(), all_.end(), row, isNewer), std::move(row));
  fill();
}

void ConversationListModel::remove(const QString& id) {
  std::erase_if(all_, [&](const ConversationRow& r) { return r.key == id; });
  titles_.remove(id);
  fill();
}

QString ConversationListModel::newest() const {
  return all_.empty() ? QString() : all_.front().key;
}

QString ConversationListModel::titleOf(const ConversationRow& row) const {
  if (row.isTitleKnown) return row.title;
  auto known = titles_.constFind(row.key);
  if (known == titles_.cend()) {
    ++nTitlesRead_;
    known = titles_.insert(row.key, {row.updatedAt, ChatLog::readTitle(folder_, row.key).value_or(QString())});
  }
  return known->text;
}

void ConversationListModel::fill() {
  searched_ = 0;
  found_.clear();
  if (filter_.trimmed().isEmpty()) {
    setSearching(false);
    return setRows(all_);
  }
  setSearching(true);
  searchOn();
}

bool ConversationListModel::matches(const ConversationRow& row, const QString& wanted) {
  if (titleOf(row).contains(wanted, Qt::CaseInsensitive)) return true;
  auto conversation = ChatLog::read(folder_, row.key);
  if (!conversation) return false;
  return std::any_of(conversation->messages.begin(), conversation->messages.end(),
                     [&](const ChatMessage& m) { return m.text.contains(wanted, Qt::CaseInsensitive); });
}

void ConversationListModel::searchOn() {
  const QString wanted = filter_.trimmed();
  QElapsedTimer spent;
  spent.start();
  while (searched_ < all_.size() && spent.elapsed() < kSearchMs) {
    const ConversationRow& row = all_[searched_++];
    if (matches(row, wanted)) found_.push_back(row);
  }
  setRows(found_);
  if (searched_ == all_.size()) setSearching(false);
}

void ConversationListModel::setSearching(bool isSearching) {
  if (search_.isActive() == isSearching) return;
  isSearching ? search_.start() : search_.stop();
  emit isSearchingChanged();
}

}  // namespace hearth::gui
