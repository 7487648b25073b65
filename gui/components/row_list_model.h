// RowListModel<Row>: a list model over plain structs. A feature's model is a table of roles and a function that fills rows;
// setRows() turns old rows into new ones with the fewest changes, so that delegates, focus and scroll positions survive.
//
//   class JobListModel : public RowListModel<JobRow> { ... JobListModel() : RowListModel({{"title", &titleOf}, ...}) };
//
// Row needs operator== and a member `QString key` that is unique in the list.
#pragma once

#include <QAbstractListModel>

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
    for (int i = 0; i < static_cast<int>(wanted.size()); ++i) place(std::move(wanted[static_cast<size_t>(i)]), i);
    if (rows_.size() != countBefore) emit countChanged();
  }
  // Texts that depend on the language or the clock may read differently now.
  void refresh() {
    if (!rows_.empty()) emit dataChanged(index(0), index(static_cast<int>(rows_.size()) - 1));
  }

 private:
  void removeUnwanted(const std::vector<Row>& wanted) {
    for (int i = static_cast<int>(rows_.size()) - 1; i >= 0; --i) {
      const QString& key = rows_[static_cast<size_t>(i)].key;
      if (std::any_of(wanted.begin(), wanted.end(), [&](const Row& row) { return row.key == key; })) continue;
      beginRemoveRows({}, i, i);
      rows_.erase(rows_.begin() + i);
      endRemoveRows();
    }
  }
  void place(Row row, int i) {
    int from = indexOf(row.key);
    if (from < 0) {
      beginInsertRows({}, i, i);
      rows_.insert(rows_.begin() + i, std::move(row));
      endInsertRows();
      return;
    }
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
