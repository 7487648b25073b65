// ModelLibrary: what a person does with models: deploy, stop, remove, import.
#pragma once

#include <QtQml/qqmlregistration.h>
#include <QObject>
#include <QStringList>

#include <map>

#include "gui/home/job_list_model.h"
#include "gui/models/model_list_model.h"

namespace hearth::gui {

class ModelLibrary : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by Desktop")
  Q_PROPERTY(hearth::gui::ModelListModel* models READ models CONSTANT FINAL)
  Q_PROPERTY(hearth::gui::JobListModel* jobs READ jobs CONSTANT FINAL)  // running installs, imports and exports
  // What an adapter may belong to: first the model that it names itself, then those that are here.
  Q_PROPERTY(QStringList baseChoices READ baseChoices NOTIFY diskChanged FINAL)
  Q_PROPERTY(bool isKnown READ isKnown NOTIFY diskChanged FINAL)  // what is here has been told
  Q_PROPERTY(QString diskText READ diskText NOTIFY diskChanged FINAL)
  Q_PROPERTY(double diskUsed READ diskUsed NOTIFY diskChanged FINAL)  // 0..1
  // What went wrong last, for people; "" when nothing did.
  Q_PROPERTY(QString problem READ problem NOTIFY problemChanged FINAL)
  // An adapter that was not taken in because its base was not found: where it is; "" when there is none.
  Q_PROPERTY(QString baselessPath READ baselessPath NOTIFY problemChanged FINAL)
  // What was exported last, in a sentence; "" when nothing was.
  Q_PROPERTY(QString success READ success NOTIFY problemChanged FINAL)

 public:
  explicit ModelLibrary(BoxState& box, QObject* parent = nullptr);

  ModelListModel* models() { return &models_; }
  JobListModel* jobs() { return &jobs_; }
  QStringList baseNames() const;
  QStringList baseChoices() const { return QStringList{tr("the model that it names")} + baseNames(); }
  QString baselessPath() const { return baselessPath_; }
  bool isKnown() const { return box_.knowsModels() && box_.box().disk_bytes > 0; }
  QString diskText() const;
  double diskUsed() const;
  QString problem() const { return problem_; }
  QString success() const { return success_; }

  Q_INVOKABLE void deploy(const QString& model);
  Q_INVOKABLE void undeploy(const QString& model);
  Q_INVOKABLE void remove(const QString& model);
  // `path` is on the box: a Hugging Face folder, a .gguf or .safetensors file, or a folder with a pack. A file:// URL
  // is taken too. An empty name is derived from the path. `base`: of an adapter, the model that it belongs to; empty:
  // the one that it names.
  Q_INVOKABLE void add(const QString& path, const QString& name, const QString& base);
  // Writes the model as a pack into a folder of the box.
  Q_INVOKABLE void exportTo(const QString& model, const QString& path);
  // What removing frees and whether others were made from it, for the confirmation.
  Q_INVOKABLE QString removalText(const QString& model) const;
  Q_INVOKABLE void clearProblem() { setProblem({}); }
  Q_INVOKABLE void clearSuccess() { setSuccess({}); }
  void retranslate();

 signals:
  void diskChanged();
  void problemChanged();

 private:
  void setProblem(const QString& problem);
  void setSuccess(const QString& success);
  void importFrom(const api::ImportRequest& request);
  void takeFailure(const api::Job& job);
  QString refusalText(const Error& error, const QString& model) const;

  BoxState& box_;
  ModelListModel models_;
  JobListModel jobs_;
  QString problem_, success_, baselessPath_;
  std::map<std::string, QString> exports_;  // by job: where to
};

// A path that a person typed or a dialog chose: trims, takes file:// URLs and "~".
std::string pathOf(const QString& text);

}  // namespace hearth::gui
