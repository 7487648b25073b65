// Home: what this box is and what it is doing, in a few lines of text.
#pragma once

#include <QtQml/qqmlregistration.h>
#include <QObject>

#include "gui/home/deployment_list_model.h"
#include "gui/home/job_list_model.h"

namespace hearth::gui {

class Home : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by Desktop")
  Q_PROPERTY(bool isKnown READ isKnown NOTIFY changed FINAL)          // the box has told about itself
  Q_PROPERTY(bool knowsModels READ knowsModels NOTIFY changed FINAL)  // and what it has and runs
  Q_PROPERTY(QString hostname READ hostname NOTIFY changed FINAL)
  Q_PROPERTY(QString headline READ headline NOTIFY changed FINAL)  // what is running, in one sentence
  Q_PROPERTY(QString cpuText READ cpuText NOTIFY changed FINAL)
  Q_PROPERTY(QString gpuText READ gpuText NOTIFY changed FINAL)
  Q_PROPERTY(QString memoryText READ memoryText NOTIFY changed FINAL)
  Q_PROPERTY(double memoryUsed READ memoryUsed NOTIFY changed FINAL)  // 0..1
  Q_PROPERTY(QString diskText READ diskText NOTIFY changed FINAL)
  Q_PROPERTY(double diskUsed READ diskUsed NOTIFY changed FINAL)  // 0..1
  Q_PROPERTY(QString versionText READ versionText NOTIFY changed FINAL)
  Q_PROPERTY(bool canChat READ canChat NOTIFY changed FINAL)                   // a chat model is ready
  Q_PROPERTY(QString suggestedModel READ suggestedModel NOTIFY changed FINAL)  // to deploy when none is; may be ""
  Q_PROPERTY(QString suggestedCalledName READ suggestedCalledName NOTIFY changed FINAL)
  Q_PROPERTY(hearth::gui::DeploymentListModel* deployments READ deployments CONSTANT FINAL)
  Q_PROPERTY(hearth::gui::JobListModel* jobs READ jobs CONSTANT FINAL)  // the running ones

 public:
  explicit Home(BoxState& box, QObject* parent = nullptr);

  bool isKnown() const { return !box_.box().hostname.empty(); }
  bool knowsModels() const { return box_.knowsModels(); }
  QString hostname() const;
  QString headline() const;
  QString cpuText() const;
  QString gpuText() const;
  QString memoryText() const;
  double memoryUsed() const;
  QString diskText() const;
  double diskUsed() const;
  QString versionText() const;
  bool canChat() const;
  QString suggestedModel() const;
  QString suggestedCalledName() const { return box_.calledName(suggestedModel().toStdString()); }
  DeploymentListModel* deployments() { return &deployments_; }
  JobListModel* jobs() { return &jobs_; }

  void retranslate();

 signals:
  void changed();

 private:
  BoxState& box_;
  DeploymentListModel deployments_;
  JobListModel jobs_;
};

}  // namespace hearth::gui
