// FolderModel: one folder of this machine, folders first, for choosing a file or a folder in it.
//
// Roles: name, path, isFolder, detail (a file's size)
#pragma once

#include <QtQml/qqmlregistration.h>
#include <QStringList>
#include <QVariantList>

#include "gui/components/row_list_model.h"

namespace hearth::gui {

struct FolderRow {
  QString key;  // its path
  QString name, detail;
  bool isFolder = false;
  bool operator==(const FolderRow&) const = default;
};

class FolderModel : public RowListModel<FolderRow> {
  Q_OBJECT
  QML_ELEMENT
  Q_PROPERTY(QString folder READ folder WRITE setFolder NOTIFY changed FINAL)
  Q_PROPERTY(QString problem READ problem NOTIFY changed FINAL)  // why it cannot be looked into; "" when it can
  Q_PROPERTY(bool wantsFiles MEMBER wantsFiles_ NOTIFY filterChanged FINAL)     // else folders alone
  Q_PROPERTY(QStringList patterns MEMBER patterns_ NOTIFY filterChanged FINAL)  // "*.jsonl"; none: every file
  Q_PROPERTY(QString patternText READ patternText NOTIFY filterChanged FINAL)   // for people
  Q_PROPERTY(QVariantList places READ places NOTIFY changed FINAL)  // of {label, path}: where one often wants to go
 public:
  static constexpr int kMaxRows = 5000;

  explicit FolderModel(QObject* parent = nullptr);

  QString folder() const { return folder_; }
  void setFolder(const QString& folder);  // a file's path takes its folder; what is not there takes the nearest that is
  QString problem() const { return problem_; }
  QString patternText() const { return patterns_.join(QStringLiteral("  ")); }
  QVariantList places() const;
  Q_INVOKABLE void up();

 signals:
  void changed();
  void filterChanged();

 private:
  void read();

  QString folder_, problem_;
  QStringList patterns_;
  bool wantsFiles_ = true;
};

}  // namespace hearth::gui
