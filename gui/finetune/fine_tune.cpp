// FineTune: each choice asks the service for what depends on it; the running job is followed by events.
#include "gui/finetune/fine_tune.h"

#include <QFile>

#include <cmath>

#include "gui/components/format.h"
#include "gui/home/phrases.h"
#include "gui/models/model_library.h"

namespace hearth::gui {

namespace {
constexpr int kMetricsMs = 700;  // the curve is redrawn at most this often
}

FineTune::FineTune(BoxState& box, QObject* parent)
    : QObject(parent), box_(box), jobs_(box, {QStringLiteral("train")}, JobListModel::Show::all), models_(box) {
  metricsTimer_.setSingleShot(true);
  metricsTimer_.setInterval(kMetricsMs);
  connect(&metricsTimer_, &QTimer::timeout, this, &FineTune::loadMetrics);
  connect(&box, &BoxState::connectionChanged, this, [this] {
    if (box_.connection() == BoxState::Connection::connected) loadLists();
  });
  connect(&box, &BoxState::jobsChanged, this, &FineTune::followJob);
  connect(&box, &BoxState::jobFinished, this, [this](const api::Job& job) {
    if (textOf(job.id) != jobId_) return;
    loadMetrics();
    loadSamples();
  });
  connect(&box, &BoxState::deploymentsChanged, this, &FineTune::followDeployment);
}

void FineTune::setProblem(const QString& problem) {
  problem_ = problem;
  emit changed();
}

// --- the wizard ---

void FineTune::setStep(Step step) {
  if (step_ == step) return;
  step_ = step;
  if (step_ == ChoosePreset) askEstimate();
  setProblem({});
}

void FineTune::begin() {
  loadLists();
  dataset_.clear();
  estimate_.reset();
  figures_.reset();
  overlong_ = QStringLiteral("drop");
  resultName_.clear();
  preview_.set({});
  problems_.set({});
  if (!models_.find(model_)) model_.clear();
  setStep(ChooseModel);
  emit changed();
}

bool FineTune::canGoOn() const {
  switch (step_) {
    case ChooseModel:
      return !model_.isEmpty();
    case ChooseData:
      return !dataset_.isEmpty() && datasetIsValid();
    case ChoosePreset:
      return !preset_.isEmpty() && ((estimateFits() && !isRefused()) || mayStartWithoutEstimate());
    case Overview:
    case Watch:
      return false;
  }
  return false;
}

void FineTune::next() {
  if (!canGoOn()) return;
  if (step_ == ChoosePreset) return train();
  setStep(static_cast<Step>(step_ + 1));
}

void FineTune::back() {
  if (step_ == Watch) return setStep(Overview);
  if (step_ != Overview) setStep(static_cast<Step>(step_ - 1));
}

void FineTune::loadLists() {
  box_.client().datasets([this](Result<std::vector<api::Dataset>> datasets) {
    if (datasets) datasets_.set(*datasets);
    emit changed();
  });
  box_.client().presets([this](Result<std::vector<api::TrainPreset>> presets) {
    if (presets) presets_.set(*presets);
    emit changed();
  });
}

void FineTune::setModel(const QString& model) {
  if (model_ == model) return;
  model_ = model;
  figures_.reset();
  resultName_.clear();
  emit changed();
}

void FineTune::setPreset(const QString& id) {
  if (preset_ == id) return;
  preset_ = id;
  askEstimate();
}

void FineTune::setResultName(const QString& name) {
  if (resultName_ == name) return;
  resultName_ = name;
  emit changed();
}

// --- data ---

void FineTune::addData(const QString& text) {
  const QString path = textOf(pathOf(text));
  if (path.isEmpty()) return setProblem(tr("Choose a file first."));
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) return setProblem(tr("Cannot open %1: %2").arg(path, file.errorString()));
  uploadProgress_ = 0;
  upload_ = box_.client().addDataset(path);
  setProblem({});
  connect(upload_, &Upload::progressed, this, [this](qint64 sent, qint64 total) {
    uploadProgress_ = total > 0 ? static_cast<double>(sent) / static_cast<double>(total) : 0;
    emit uploadProgressChanged();
  });
  connect(upload_, &Upload::finished, this, [this](const Result<api::Dataset>& dataset) {
    upload_.clear();
    if (!dataset) return setProblem(dataset.error().code == Code::cancelled ? QString() : textOf(dataset.error()));
    loadLists();
    dataset_.clear();
    setDataset(textOf(dataset->id));
  });
}

void FineTune::cancelUpload() {
  if (upload_) upload_->cancel();
}

void FineTune::removeData(const QString& id) {
  box_.client().removeDataset(id.toStdString(), [this, id](Result<void> done) {
    if (!done) return setProblem(textOf(done.error()));
    if (dataset_ == id) setDataset({});
    loadLists();
  });
}

void FineTune::setDataset(const QString& id) {
  if (dataset_ == id) return;
  dataset_ = id;
  figures_.reset();
  preview_.set({});
  problems_.set({});
  if (!id.isEmpty()) loadPreview();
  emit changed();
}

void FineTune::loadPreview() {
  box_.client().previewDataset(dataset_.toStdString(), [this, id = dataset_](Result<api::DatasetPreview> preview) {
    if (dataset_ != id) return;
    if (!preview) return setProblem(textOf(preview.error()));
    problems_.set(preview->dataset.problems);
    preview_.set(preview->examples);
    emit changed();
  });
}

QString FineTune::datasetName() const {
  const DatasetRow* row = datasets_.find(dataset_);
  return row ? textOf(row->dataset.name) : QString();
}

bool FineTune::datasetIsValid() const {
  const DatasetRow* row = datasets_.find(dataset_);
  return row && row->dataset.valid;
}

QString FineTune::datasetNotes() const {
  const DatasetRow* row = datasets_.find(dataset_);
  if (!row || row->dataset.n_examples == 0) return {};
  const api::Dataset& d = row->dataset;
  QStringList notes;
  if (d.n_distinct < d.n_examples)
    notes << tr("%1 examples, %2 different ones.").arg(countText(d.n_examples), countText(d.n_distinct));
  if (d.characters.longest > 0)
    notes << tr("Half of the examples have at most %1 characters, the longest has %2.")
                 .arg(countText(d.characters.median), countText(d.characters.longest));
  QStringList keys;
  for (const UnusedKey& key : d.unused_keys) keys << tr("%1 (%2 times)").arg(textOf(key.name), countText(key.n_rows));
  if (!keys.isEmpty()) notes << tr("Not used: %1.").arg(keys.join(QStringLiteral(", ")));
  return notes.join(QLatin1Char('\n'));
}

// --- prediction ---

api::TrainRequest FineTune::request(const QString& overlong) const {
  return {.model = model_.toStdString(),
          .dataset = dataset_.toStdString(),
          .preset = preset_.toStdString(),
          .name = resultName_.trimmed().toStdString(),
          .overrides = {{"data.overlong", overlong.toStdString()}}};
}

// Where examples that are too long are refused, the figures are those of leaving them out: with none, there is no
// difference; with some, they say how many.
void FineTune::askEstimate() {
  estimate_.reset();
  estimateError_.reset();
  tooLong_.clear();
  emit changed();
  if (model_.isEmpty() || dataset_.isEmpty()) return;
  const QString asked = overlong_ == QLatin1String("refuse") ? QStringLiteral("drop") : overlong_;
  box_.client().estimate(request(asked),
                         [this, number = ++estimateNumber_](const Result<api::TrainEstimate>& estimate) {
                           if (number == estimateNumber_) takeEstimate(estimate);
                         });
}

void FineTune::takeEstimate(const Result<api::TrainEstimate>& estimate) {
  if (!estimate) {
    estimateError_ = estimate.error().code;
    figures_.reset();
    setProblem(textOf(estimate.error()));
    return;
  }
  estimate_ = *estimate;
  figures_ = estimate->data;
  setProblem({});
  if (isRefused()) askWhichIsTooLong();
}

// --- examples longer than a row ---

void FineTune::setOverlong(const QString& overlong) {
  if (overlong_ == overlong) return;
  overlong_ = overlong;
  askEstimate();
}

bool FineTune::mayChooseOverlong() const {
  return figures_ ? figures_->n_overlong > 0 || overlong_ != QLatin1String("drop") : estimateError_.has_value();
}

QString FineTune::overlongCount() const {
  if (!figures_) return {};
  if (figures_->n_overlong == 0)
    return tr("No example is longer than a row of %1 tokens.").arg(countText(figures_->max_seq_len));
  return tr("%1 of %2 examples are longer than a row of %3 tokens.")
      .arg(countText(figures_->n_overlong), countText(figures_->n_examples), countText(figures_->max_seq_len));
}

bool FineTune::isRefused() const {
  return overlong_ == QLatin1String("refuse") && figures_ && figures_->n_overlong > 0;
}

// The trainer names the first one when it refuses it.
void FineTune::askWhichIsTooLong() {
  box_.client().estimate(request(overlong_),
                         [this, number = estimateNumber_](const Result<api::TrainEstimate>& refused) {
                           if (number != estimateNumber_ || refused) return;
                           tooLong_ = textOf(refused.error());
                           emit changed();
                         });
}

QString FineTune::overlongRefusal() const {
  if (!isRefused()) return {};
  const QString text =
      tr("Training cannot be started while examples are too long: shorten them and add the file again, or "
         "choose otherwise.");
  return tooLong_.isEmpty() ? text : text + QLatin1Char('\n') + tooLong_;
}

// --- what was predicted ---

// There was no time for one; anything else that is wrong would stop the training as well.
bool FineTune::mayStartWithoutEstimate() const {
  return estimateError_ == Code::deadline_exceeded || estimateError_ == Code::unavailable;
}
QString FineTune::estimateMissing() const {
  if (!estimateError_) return tr("Working it out…");
  return mayStartWithoutEstimate() ? tr("There is no estimate. Training can be started without one.")
                                   : tr("There is no estimate, and training could not be started.");
}
QString FineTune::estimateTime() const {
  return estimate_ ? tr("About %1").arg(durationText(estimate_->seconds)) : QString();
}
QString FineTune::estimateMemory() const {
  if (!estimate_) return {};
  return tr("%1; %2 are free").arg(bytesText(estimate_->peak_memory_bytes), bytesText(estimate_->available_bytes));
}
QString FineTune::estimateSteps() const {
  return estimate_ ? tr("%1 steps, %2 tokens a pass").arg(countText(estimate_->n_steps), countText(estimate_->n_tokens))
                   : QString();
}
QString FineTune::estimateSplit() const {
  if (!estimate_) return {};
  const DataFigures& d = estimate_->data;
  QString trained = tr("%1 of %2 examples, %3 answer tokens")
                        .arg(countText(d.n_train), countText(d.n_examples), countText(d.n_train_answer_tokens));
  QString held = d.n_held_out == 0 ? tr("none held out: nothing will be measured")
                                   : tr("%1 held out to measure").arg(countText(d.n_held_out));
  return tr("%1; %2").arg(trained, held);
}
QString FineTune::estimateLengths() const {
  if (!estimate_) return {};
  const DataFigures& d = estimate_->data;
  QString out = tr("Half have at most %1 tokens, the longest %2; a row holds %3.")
                    .arg(countText(d.tokens.median), countText(d.tokens.longest), countText(d.max_seq_len));
  if (isRefused()) return out + QLatin1Char(' ') + tr("%1 are longer.").arg(countText(d.n_overlong));
  if (d.n_left_out > 0) out += QLatin1Char(' ') + tr("%1 are longer and left out.").arg(countText(d.n_left_out));
  if (d.n_cut > 0) out += QLatin1Char(' ') + tr("%1 are longer and lose their beginning.").arg(countText(d.n_cut));
  if (d.n_continued > 0) out += QLatin1Char(' ') + tr("%1 go on in another row.").arg(countText(d.n_continued));
  return out;
}
bool FineTune::estimateLeavesOut() const {
  return estimate_ && (estimate_->data.n_left_out > 0 || estimate_->data.n_cut > 0 || estimate_->data.n_held_out == 0);
}
QString FineTune::estimateNote() const {
  if (!estimate_) return {};
  if (!estimate_->fits)
    return tr("This needs more memory than is free. Stop a running model, or choose a smaller one.");
  return tr("Predicted from the measured speed of this box. You can go on working while it trains.");
}

// --- training ---

void FineTune::train() {
  box_.client().train(request(overlong_), [this](Result<api::Job> job) {
    if (!job) return setProblem(textOf(job.error()));
    box_.learn(*job);
    openJob(textOf(job->id));
  });
}

void FineTune::openJob(const QString& id) {
  jobId_ = id;
  isAwaitingResult_ = false;
  curve_.clear();
  samples_.set({});
  setStep(Watch);
  loadMetrics();
  loadSamples();
  emit changed();
}

void FineTune::cancelJob() {
  jobs_.cancel(jobId_);
}

void FineTune::followJob() {
  if (step_ == Watch && job() && !isOver(*job()) && !metricsTimer_.isActive()) metricsTimer_.start();
  emit changed();
}

void FineTune::loadMetrics() {
  if (jobId_.isEmpty()) return;
  box_.client().metrics(jobId_.toStdString(), [this, id = jobId_](Result<std::vector<api::MetricPoint>> points) {
    if (!points || id != jobId_) return;
    curve_.setPoints(*points, job() ? job()->eval_loss_before : std::nullopt);
  });
}

void FineTune::loadSamples() {
  if (!job() || job()->state != "done") return;
  box_.client().samples(jobId_.toStdString(), [this, id = jobId_](Result<std::vector<api::BeforeAfter>> samples) {
    if (samples && id == jobId_) samples_.set(*samples);
  });
}

QString FineTune::jobTitle() const {
  return job() ? titleTextOf(*job()) : QString();
}
QString FineTune::jobState() const {
  return job() ? textOf(job()->state) : QString();
}
QString FineTune::jobStateText() const {
  return job() ? stateTextOf(*job()) : QString();
}
QString FineTune::jobDetail() const {
  if (!job()) return {};
  return job()->state == "failed" ? failureTextOf(job()->cause, job()->reason)
         : isOver(*job())         ? QString()
                                  : stepTextOf(*job());
}
double FineTune::jobProgress() const {
  return job() ? job()->progress : 0;
}
QString FineTune::jobTimeLeft() const {
  if (!job() || isOver(*job()) || !job()->seconds_left) return {};
  return tr("%1 left").arg(durationText(*job()->seconds_left));
}
QString FineTune::jobDevice() const {
  if (!job()) return {};
  if (!job()->device_reason.empty())
    return tr("Computed on the CPU; no GPU is used: %1").arg(textOf(job()->device_reason));
  return job()->device.empty() || job()->device == "cpu" ? QString() : tr("Computed on %1").arg(textOf(job()->device));
}
QString FineTune::lossText() const {
  return job() && job()->loss ? hearth::gui::lossText(*job()->loss) : QString();
}
QString FineTune::evalText() const {
  if (!job() || !job()->eval_loss_before) return {};
  double before = *job()->eval_loss_before;
  if (!job()->eval_loss_after) return tr("Before training: %1").arg(hearth::gui::lossText(before));
  double after = *job()->eval_loss_after;
  int percent = before > 0 ? static_cast<int>(std::lround((before - after) / before * 100)) : 0;
  QString change = percent >= 0 ? tr("%1 % better").arg(percent) : tr("%1 % worse").arg(-percent);
  QString text = tr("%1 before, %2 after: %3").arg(hearth::gui::lossText(before), hearth::gui::lossText(after), change);
  if (!job()->eval_loss_last || *job()->eval_loss_last <= after) return text;
  return tr("%1. The best step (%2) is kept; the last one had %3")
      .arg(text, countText(job()->kept_step), hearth::gui::lossText(*job()->eval_loss_last));
}

// --- the result ---

QString FineTune::resultModel() const {
  return job() ? textOf(job()->result_model) : QString();
}

bool FineTune::resultIsReady() const {
  const api::Deployment* d = box_.deployment(resultModel().toStdString());
  return d && d->state == "ready";
}

bool FineTune::resultIsStarting() const {
  const api::Deployment* d = box_.deployment(resultModel().toStdString());
  return isAwaitingResult_ || (d && (d->state == "starting" || d->state == "restarting"));
}

void FineTune::deployResult() {
  if (resultModel().isEmpty()) return;
  if (resultIsReady()) {
    emit resultReady(resultModel());
    return;
  }
  isAwaitingResult_ = true;
  setProblem({});
  box_.client().deploy({.model = resultModel().toStdString()}, [this](Result<api::Deployment> deployment) {
    if (!deployment) {
      isAwaitingResult_ = false;
      return setProblem(failureTextOf(deployment.error(), resultModel()));
    }
    box_.learn(*deployment);
  });
}

void FineTune::followDeployment() {
  emit changed();
  if (!isAwaitingResult_) return;
  const api::Deployment* d = box_.deployment(resultModel().toStdString());
  if (!d || (d->state != "ready" && d->state != "failed")) return;
  isAwaitingResult_ = false;
  if (d->state == "failed") return setProblem(failureTextOf(d->cause, d->reason));
  emit changed();
  emit resultReady(resultModel());
}

void FineTune::retranslate() {
  jobs_.refresh();
  models_.refresh();
  datasets_.refresh();
  problems_.refresh();
  preview_.refresh();
  presets_.refresh();
  emit curve_.changed();
  emit changed();
}

}  // namespace hearth::gui
