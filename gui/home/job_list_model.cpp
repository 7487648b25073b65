// JobListModel: BoxState's jobs as rows.
#include "gui/home/job_list_model.h"

#include "gui/components/format.h"
#include "gui/home/phrases.h"

namespace hearth::gui {

namespace {
QString toneOfJob(const api::Job& job) {
  if (job.state == "done") return QStringLiteral("good");
  if (job.state == "failed") return QStringLiteral("bad");
  return job.state == "cancelled" ? QStringLiteral("quiet") : QStringLiteral("busy");
}

QString timeTextOf(const api::Job& job) {
  if (isOver(job)) return agoText(job.finished_at, nowSeconds());
  if (!job.seconds_left) return {};
  return JobListModel::tr("%1 left").arg(durationText(*job.seconds_left));
}

// What is over says so by its state; while it lasts, the step.
QString detailTextOf(const api::Job& job) {
  if (job.state == "failed") return failureTextOf(job.cause, job.reason);
  if (job.state == "done" && job.kind == "train" && !job.result_model.empty())
    return JobListModel::tr("made the model %1").arg(textOf(job.result_model));
  return isOver(job) ? QString() : stepTextOf(job);
}
}  // namespace

bool JobRow::operator==(const JobRow& other) const {
  const api::Job &a = job, &b = other.job;
  return key == other.key && a.state == b.state && a.step == b.step && a.progress == b.progress &&
         a.reason == b.reason && a.seconds_left == b.seconds_left && a.result_model == b.result_model;
}

// How a worker died is worded by its cause, where that is known.
QString stepTextOf(const api::Job& job) {
  Phrase phrase = job.phrase;
  if (auto death = phrase.values.find("death"); death != phrase.values.end() && !job.cause.code.empty())
    death->second = phraseTextOf(job.cause, death->second).toStdString();
  return phraseTextOf(phrase, job.step);
}

QString titleTextOf(const api::Job& job) {
  QString model = textOf(job.model);
  if (model.isEmpty() && job.kind == "install") return JobListModel::tr("Install a model pack");
  if (model.isEmpty() && job.kind == "import") return JobListModel::tr("Import a model");
  if (model.isEmpty()) return textOf(job.title);
  if (job.kind == "train") return JobListModel::tr("Fine-tune %1").arg(model);
  if (job.kind == "install") return JobListModel::tr("Install %1").arg(model);
  if (job.kind == "import") return JobListModel::tr("Import %1").arg(model);
  if (job.kind == "export") return JobListModel::tr("Export %1").arg(model);
  return textOf(job.title);
}

QString stateTextOf(const api::Job& job) {
  if (job.state == "queued") return JobListModel::tr("Waiting");
  if (job.state == "running") return JobListModel::tr("In progress");
  if (job.state == "done") return JobListModel::tr("Done");
  if (job.state == "failed") return JobListModel::tr("Failed");
  if (job.state == "cancelled") return JobListModel::tr("Cancelled");
  return textOf(job.state);
}

JobListModel::JobListModel(BoxState& box, QStringList kinds, Show show, QObject* parent)
    : RowListModel<JobRow>(
          {
              {"jobId", [](const JobRow& r) { return QVariant(r.key); }},
              {"kind", [](const JobRow& r) { return QVariant(textOf(r.job.kind)); }},
              {"title", [](const JobRow& r) { return QVariant(titleTextOf(r.job)); }},
              {"state", [](const JobRow& r) { return QVariant(textOf(r.job.state)); }},
              {"stateText", [](const JobRow& r) { return QVariant(stateTextOf(r.job)); }},
              {"detail", [](const JobRow& r) { return QVariant(detailTextOf(r.job)); }},
              {"progress", [](const JobRow& r) { return QVariant(r.job.progress); }},
              {"timeText", [](const JobRow& r) { return QVariant(timeTextOf(r.job)); }},
              {"isRunning", [](const JobRow& r) { return QVariant(!isOver(r.job)); }},
              {"tone", [](const JobRow& r) { return QVariant(toneOfJob(r.job)); }},
              {"resultModel", [](const JobRow& r) { return QVariant(textOf(r.job.result_model)); }},
          },
          parent),
      box_(box),
      kinds_(std::move(kinds)),
      show_(show) {
  connect(&box, &BoxState::jobsChanged, this, &JobListModel::fill);
  fill();
}

void JobListModel::cancel(const QString& jobId) {
  box_.client().cancelJob(jobId.toStdString(), [this](Result<api::Job> job) {
    if (job) box_.learn(*job);
  });
}

void JobListModel::fill() {
  std::vector<JobRow> rows;
  for (const api::Job& job : box_.jobs()) {
    if (!kinds_.isEmpty() && !kinds_.contains(textOf(job.kind))) continue;
    if (show_ == Show::running && isOver(job)) continue;
    rows.push_back({textOf(job.id), job});
  }
  setRows(std::move(rows));
}

}  // namespace hearth::gui
