// FineTune: the wizard (model, data, preset) and the training it starts or comes back to.
#pragma once

#include <QtQml/qqmlregistration.h>
#include <QObject>
#include <QPointer>
#include <QTimer>

#include "gui/finetune/fine_tune_lists.h"
#include "gui/finetune/loss_curve.h"
#include "gui/home/job_list_model.h"
#include "gui/models/model_list_model.h"

namespace hearth::gui {

class FineTune : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by Desktop")
  Q_PROPERTY(Step step READ step WRITE setStep NOTIFY changed FINAL)
  Q_PROPERTY(bool canGoOn READ canGoOn NOTIFY changed FINAL)            // this step is filled in
  Q_PROPERTY(QString problem READ problem NOTIFY changed FINAL)         // what went wrong last; "" when nothing did
  Q_PROPERTY(hearth::gui::JobListModel* jobs READ jobs CONSTANT FINAL)  // all trainings
  // --- what to train ---
  Q_PROPERTY(hearth::gui::ModelListModel* models READ models CONSTANT FINAL)
  Q_PROPERTY(QString model READ model WRITE setModel NOTIFY changed FINAL)
  Q_PROPERTY(hearth::gui::DatasetListModel* datasets READ datasets CONSTANT FINAL)
  Q_PROPERTY(QString dataset READ dataset WRITE setDataset NOTIFY changed FINAL)
  Q_PROPERTY(bool isUploading READ isUploading NOTIFY changed FINAL)
  Q_PROPERTY(double uploadProgress READ uploadProgress NOTIFY uploadProgressChanged FINAL)  // 0..1
  Q_PROPERTY(QString datasetName READ datasetName NOTIFY changed FINAL)
  Q_PROPERTY(bool datasetIsValid READ datasetIsValid NOTIFY changed FINAL)
  Q_PROPERTY(
      QString datasetNotes READ datasetNotes NOTIFY changed FINAL)  // equal examples, keys that are not used, lengths
  Q_PROPERTY(hearth::gui::ProblemListModel* problems READ problems CONSTANT FINAL)
  Q_PROPERTY(hearth::gui::TurnListModel* preview READ preview CONSTANT FINAL)
  Q_PROPERTY(hearth::gui::PresetListModel* presets READ presets CONSTANT FINAL)
  Q_PROPERTY(QString preset READ preset WRITE setPreset NOTIFY changed FINAL)
  Q_PROPERTY(QString resultName READ resultName WRITE setResultName NOTIFY changed FINAL)
  // Examples longer than a row: what is done with them (drop | truncate | refuse), whether there is anything to choose,
  // how many they are, and why training is refused for them.
  Q_PROPERTY(QString overlong READ overlong WRITE setOverlong NOTIFY changed FINAL)
  Q_PROPERTY(bool mayChooseOverlong READ mayChooseOverlong NOTIFY changed FINAL)
  Q_PROPERTY(QString overlongCount READ overlongCount NOTIFY changed FINAL)
  Q_PROPERTY(QString overlongRefusal READ overlongRefusal NOTIFY changed FINAL)
  // --- what is predicted ---
  Q_PROPERTY(bool hasEstimate READ hasEstimate NOTIFY changed FINAL)
  Q_PROPERTY(bool estimateFits READ estimateFits NOTIFY changed FINAL)
  Q_PROPERTY(QString estimateMissing READ estimateMissing NOTIFY changed FINAL)
  Q_PROPERTY(QString estimateTime READ estimateTime NOTIFY changed FINAL)
  Q_PROPERTY(QString estimateMemory READ estimateMemory NOTIFY changed FINAL)
  Q_PROPERTY(QString estimateSteps READ estimateSteps NOTIFY changed FINAL)
  Q_PROPERTY(QString estimateSplit READ estimateSplit NOTIFY changed FINAL)      // what is trained on and held out
  Q_PROPERTY(QString estimateLengths READ estimateLengths NOTIFY changed FINAL)  // of examples against a row
  Q_PROPERTY(bool estimateLeavesOut READ estimateLeavesOut NOTIFY changed FINAL)
  Q_PROPERTY(QString estimateNote READ estimateNote NOTIFY changed FINAL)
  // --- the training that is shown ---
  Q_PROPERTY(QString jobId READ jobId NOTIFY changed FINAL)
  Q_PROPERTY(QString jobTitle READ jobTitle NOTIFY changed FINAL)
  Q_PROPERTY(QString jobState READ jobState NOTIFY changed FINAL)  // queued | running | done | failed | cancelled
  Q_PROPERTY(QString jobStateText READ jobStateText NOTIFY changed FINAL)
  Q_PROPERTY(QString jobDetail READ jobDetail NOTIFY changed FINAL)  // the step, or why it failed
  Q_PROPERTY(double jobProgress READ jobProgress NOTIFY changed FINAL)
  Q_PROPERTY(QString jobTimeLeft READ jobTimeLeft NOTIFY changed FINAL)
  Q_PROPERTY(QString lossText READ lossText NOTIFY changed FINAL)
  Q_PROPERTY(QString jobDevice READ jobDevice NOTIFY changed FINAL)  // what trains, where that is worth a word
  Q_PROPERTY(QString evalText READ evalText NOTIFY changed FINAL)    // held-out loss before and after
  Q_PROPERTY(hearth::gui::LossCurve* curve READ curve CONSTANT FINAL)
  Q_PROPERTY(hearth::gui::SampleListModel* samples READ samples CONSTANT FINAL)
  Q_PROPERTY(QString resultModel READ resultModel NOTIFY changed FINAL)   // "" until done
  Q_PROPERTY(bool resultIsReady READ resultIsReady NOTIFY changed FINAL)  // deployed and answering
  Q_PROPERTY(bool resultIsStarting READ resultIsStarting NOTIFY changed FINAL)

 public:
  enum Step { Overview, ChooseModel, ChooseData, ChoosePreset, Watch };
  Q_ENUM(Step)

  explicit FineTune(BoxState& box, QObject* parent = nullptr);

  Step step() const { return step_; }
  void setStep(Step step);
  bool canGoOn() const;
  QString problem() const { return problem_; }
  JobListModel* jobs() { return &jobs_; }

  ModelListModel* models() { return &models_; }
  QString model() const { return model_; }
  void setModel(const QString& model);
  DatasetListModel* datasets() { return &datasets_; }
  QString dataset() const { return dataset_; }
  void setDataset(const QString& id);
  bool isUploading() const { return !upload_.isNull(); }
  double uploadProgress() const { return uploadProgress_; }
  QString datasetName() const;
  bool datasetIsValid() const;
  QString datasetNotes() const;
  ProblemListModel* problems() { return &problems_; }
  TurnListModel* preview() { return &preview_; }
  PresetListModel* presets() { return &presets_; }
  QString preset() const { return preset_; }
  void setPreset(const QString& id);
  QString resultName() const { return resultName_; }
  void setResultName(const QString& name);
  QString overlong() const { return overlong_; }
  void setOverlong(const QString& overlong);
  bool mayChooseOverlong() const;
  QString overlongCount() const;
  QString overlongRefusal() const;

  bool hasEstimate() const { return estimate_.has_value(); }
  bool estimateFits() const { return estimate_ && estimate_->fits; }
  bool mayStartWithoutEstimate() const;
  QString estimateMissing() const;  // why there is none (yet)
  QString estimateTime() const;
  QString estimateMemory() const;
  QString estimateSteps() const;
  QString estimateSplit() const;
  QString estimateLengths() const;
  bool estimateLeavesOut() const;
  QString estimateNote() const;

  QString jobId() const { return jobId_; }
  QString jobTitle() const;
  QString jobState() const;
  QString jobStateText() const;
  QString jobDetail() const;
  double jobProgress() const;
  QString jobTimeLeft() const;
  QString jobDevice() const;
  QString lossText() const;
  QString evalText() const;
  LossCurve* curve() { return &curve_; }
  SampleListModel* samples() { return &samples_; }
  QString resultModel() const;
  bool resultIsReady() const;
  bool resultIsStarting() const;

  Q_INVOKABLE void begin();  // a new wizard at its first step
  Q_INVOKABLE void next();   // from the last step: starts the training
  Q_INVOKABLE void back();
  Q_INVOKABLE void addData(const QString& path);  // on this machine; a file:// URL is taken too
  Q_INVOKABLE void cancelUpload();
  Q_INVOKABLE void removeData(const QString& id);
  Q_INVOKABLE void openJob(const QString& id);
  Q_INVOKABLE void cancelJob();
  Q_INVOKABLE void deployResult();
  void retranslate();

 signals:
  void changed();
  void uploadProgressChanged();
  void resultReady(const QString& model);  // once after deployResult(), when it answers

 private:
  api::TrainRequest request(const QString& overlong) const;
  bool isRefused() const;  // for examples that are too long
  const api::Job* job() const { return box_.job(jobId_.toStdString()); }
  void setProblem(const QString& problem);
  void loadLists();
  void loadPreview();
  void askEstimate();
  void takeEstimate(const Result<api::TrainEstimate>& estimate);
  void askWhichIsTooLong();
  void train();
  void followJob();
  void loadMetrics();
  void loadSamples();
  void followDeployment();

  BoxState& box_;
  JobListModel jobs_;
  ModelListModel models_;
  DatasetListModel datasets_;
  ProblemListModel problems_;
  TurnListModel preview_;
  PresetListModel presets_;
  SampleListModel samples_;
  LossCurve curve_;
  Step step_ = Overview;
  QString problem_, model_, dataset_, preset_ = QStringLiteral("balanced"), resultName_, jobId_;
  QString overlong_ = QStringLiteral("drop");
  QString tooLong_;  // the first example that is, in the service's words
  bool isAwaitingResult_ = false;
  QPointer<Upload> upload_;
  double uploadProgress_ = 0;
  std::optional<api::TrainEstimate> estimate_;
  std::optional<DataFigures> figures_;  // of the last estimate: there while a new one is on its way
  std::optional<Code> estimateError_;
  int estimateNumber_ = 0;  // answers to older questions are dropped
  QTimer metricsTimer_;
};

}  // namespace hearth::gui
