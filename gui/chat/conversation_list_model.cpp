// ConversationListModel: sorted and filtered.
#include "gui/chat/conversation_list_model.h"

#include <algorithm>

#include "gui/components/format.h"

namespace hearth::gui {

namespace {
constexpr qsizetype kMaxTitleChars = 48;
}

QString titleTextOf(const Conversation& conversation) {
  if (!conversation.title.isEmpty()) return conversation.title;
  for (const ChatMessage& m : conversation.messages)
    if (m.role == QLatin1String("user")) {
      QString line = m.text.simplified();
      return line.size() > kMaxTitleChars ? line.left(kMaxTitleChars) + QChar(0x2026) : line;
    }
  return {};
}

ConversationListModel::ConversationListModel(QObject* parent)
    : RowListModel<ConversationRow>(
          {
              {"conversationId", [](const ConversationRow& r) { return QVariant(r.key); }},
              {"title", [](const ConversationRow& r) { return QVariant(r.title.isEmpty() ? tr("New chat") : r.title); }},
              {"timeText", [](const ConversationRow& r) { return QVariant(agoText(r.updatedAt, nowSeconds())); }},
          },
          parent) {}

void ConversationListModel::setFilter(const QString& filter) {
  if (filter_ == filter) return;
  filter_ = filter;
  emit filterChanged();
  fill();
}

void ConversationListModel::put(const Conversation& conversation) {
  ConversationRow row{conversation.id, titleTextOf(conversation), conversation.updatedAt, {}};
  row.searchText = row.title.toLower();
  for (const ChatMessage& m : conversation.messages) row.searchText += u'\n' + m.text.toLower();
  std::erase_if(all_, [&](const ConversationRow& r) { return r.key == row.key; });
  all_.push_back(std::move(row));
  fill();
}

void ConversationListModel::remove(const QString& id) {
  std::erase_if(all_, [&](const ConversationRow& r) { return r.key == id; });
  fill();
}

QString ConversationListModel::newest() const {
  auto it = std::max_element(all_.begin(), all_.end(), [](const auto& a, const auto& b) { return a.updatedAt < b.updatedAt; });
  return it == all_.end() ? QString() : it->key;
}

void ConversationListModel::fill() {
  std::stable_sort(all_.begin(), all_.end(), [](const auto& a, const auto& b) { return a.updatedAt > b.updatedAt; });
  std::vector<ConversationRow> rows;
  QString wanted = filter_.trimmed().toLower();
  for (const ConversationRow& row : all_)
    if (wanted.isEmpty() || row.searchText.contains(wanted)) rows.push_back(row);
  setRows(std::move(rows));
}

}  // namespace hearth::gui
