// Updates: looks for packs on sticks and in folders, and installs the trusted ones.
#pragma once

#include <QObject>
#include <QtQml/qqmlregistration.h>

#include "gui/home/job_list_model.h"
#include "gui/updates/pack_list_model.h"

namespace hearth::gui {

class Updates : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by Desktop")
  Q_PROPERTY(hearth::gui::PackListModel* packs READ packs CONSTANT FINAL)
  Q_PROPERTY(int newCount READ newCount NOTIFY changed FINAL)      // trusted and not installed
  Q_PROPERTY(QString summary READ summary NOTIFY changed FINAL)    // what was found, in one sentence
  Q_PROPERTY(bool isScanning READ isScanning NOTIFY changed FINAL)
  Q_PROPERTY(QString problem READ problem NOTIFY changed FINAL)    // what went wrong last; "" when nothing did
  Q_PROPERTY(QString success READ success NOTIFY changed FINAL)    // what was installed last; "" when nothing was
  Q_PROPERTY(QString installedModel READ installedModel NOTIFY changed FINAL)

 public:
  explicit Updates(BoxState& box, QObject* parent = nullptr);

  PackListModel* packs() { return &packs_; }
  int newCount() const;
  QString summary() const;
  bool isScanning() const { return isScanning_; }
  QString problem() const { return problem_; }
  QString success() const;
  QString installedModel() const { return installedModel_; }

  Q_INVOKABLE void refresh();  // sticks that are plugged in now
  Q_INVOKABLE void scan(const QString& path);
  Q_INVOKABLE void install(const QString& packId);
  Q_INVOKABLE void dismiss();
  void retranslate();

 signals:
  void changed();

 private:
  void setProblem(const QString& problem);

  BoxState& box_;
  PackListModel packs_;
  bool isScanning_ = false;
  QString problem_, installedModel_;
  std::string ownJob_;  // the install that was asked for here last
};

}  // namespace hearth::gui
