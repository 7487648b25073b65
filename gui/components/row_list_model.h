// RowListModel<Row>: a list model over plain structs. A feature's model is a table of roles and a function that fills
// rows; setRows() turns old rows into new ones with the fewest changes, so that delegates, focus and scroll positions
// survive.
//
//   class JobListModel : public RowListModel<JobRow> { ... JobListModel() : RowListModel({{"title", &titleOf}, ...}) };
//
// Row needs operator== and a member `QString key` that is unique in the list.
#pragma once

#include <QAbstractListModel>
#include <QSet>

#include <algorithm>
#include <utility>
#include <vector>

namespace hearth::gui {

class CountedListModel : public QAbstractListModel {
  Q_OBJECT
  Q_PROPERTY(int count READ count NOTIFY countChanged FINAL)
 public:
  explicit CountedListModel(QObject* parent = nullptr) : QAbstractListModel(parent) {}
  int count() const { return rowCount(); }

 signals:
  void countChanged();
};

template <class Row>
struct RowRole {
  const char* name;
  QVariant (*value)(const Row&);
};

template <class Row>
class RowListModel : public CountedListModel {
 public:
  RowListModel(std::vector<RowRole<Row>> roles, QObject* parent) : CountedListModel(parent), roles_(std::move(roles)) {}

  const std::vector<Row>& rows() const { return rows_; }
  const Row* find(const QString& key) const {
    int i = indexOf(key);
    return i < 0 ? nullptr : &rows_[static_cast<size_t>(i)];
  }
  int indexOf(const QString& key) const {
    auto it = std::find_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.key == key; });
    return it == rows_.end() ? -1 : static_cast<int>(it - rows_.begin());
  }

  int rowCount(const QModelIndex& parent = {}) const override {
    return parent.isValid() ? 0 : static_cast<int>(rows_.size());
  }
  QVariant data(const QModelIndex& index, int role) const override {
    size_t column = static_cast<size_t>(role - Qt::UserRole);
    if (!checkIndex(index, CheckIndexOption::IndexIsValid) || column >= roles_.size()) return {};
    return roles_[column].value(rows_[static_cast<size_t>(index.row())]);
  }
  QHash<int, QByteArray> roleNames() const override {
    QHash<int, QByteArray> names;
    for (size_t i = 0; i < roles_.size(); ++i) names[Qt::UserRole + static_cast<int>(i)] = roles_[i].name;
    return names;
  }

  void setRows(std::vector<Row> wanted) {
    size_t countBefore = rows_.size();
    removeUnwanted(wanted);
    insertMissing(wanted);
    for (int i = 0; i < static_cast<int>(wanted.size()); ++i) place(std::move(wanted[static_cast<size_t>(i)]), i);
    if (rows_.size() != countBefore) emit countChanged();
  }
  // Texts that depend on the language or the clock may read differently now.
  void refresh() {
    if (!rows_.empty()) emit dataChanged(index(0), index(static_cast<int>(rows_.size()) - 1));
  }

 private:
  using Keys = QSet<QString>;
  static Keys keysOf(const std::vector<Row>& rows) {
    Keys keys;
    keys.reserve(static_cast<qsizetype>(rows.size()));
    for (const Row& row : rows) keys.insert(row.key);
    return keys;
  }

  // Rows beside each other go, and come, together: thousands are one change.
  void removeUnwanted(const std::vector<Row>& wanted) {
    const Keys keys = keysOf(wanted);
    auto isWanted = [&](int i) { return keys.contains(rows_[static_cast<size_t>(i)].key); };
    for (int last = static_cast<int>(rows_.size()) - 1; last >= 0; --last) {
      if (isWanted(last)) continue;
      int first = last;
      while (first > 0 && !isWanted(first - 1)) --first;
      beginRemoveRows({}, first, last);
      rows_.erase(rows_.begin() + first, rows_.begin() + last + 1);
      endRemoveRows();
      last = first;
    }
  }
  void insertMissing(std::vector<Row>& wanted) {
    Keys known = keysOf(rows_);
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (known.contains(wanted[i].key)) continue;
      size_t end = i;
      while (end < wanted.size() && !known.contains(wanted[end].key)) known.insert(wanted[end++].key);
      const size_t at = std::min(i, rows_.size());
      beginInsertRows({}, static_cast<int>(at), static_cast<int>(at + (end - i)) - 1);
      rows_.insert(rows_.begin() + static_cast<std::ptrdiff_t>(at), wanted.begin() + static_cast<std::ptrdiff_t>(i),
                   wanted.begin() + static_cast<std::ptrdiff_t>(end));
      endInsertRows();
      i = end - 1;
    }
  }
  void place(Row row, int i) {
    int from = i;
    while (from < rowCount() && rows_[static_cast<size_t>(from)].key != row.key) ++from;
    if (from >= rowCount()) return;  // its key was there twice
    if (from != i) {
      beginMoveRows({}, from, from, {}, i);
      std::rotate(rows_.begin() + i, rows_.begin() + from, rows_.begin() + from + 1);
      endMoveRows();
    }
    Row& old = rows_[static_cast<size_t>(i)];
    if (old == row) return;
    old = std::move(row);
    emit dataChanged(index(i), index(i));
  }

  std::vector<RowRole<Row>> roles_;
  std::vector<Row> rows_;
};

}  // namespace hearth::gui
