// Updates: scan, install, and the outcome in a sentence.
#include "gui/updates/updates.h"

#include <algorithm>

#include "gui/components/format.h"
#include "gui/home/phrases.h"
#include "gui/models/model_library.h"

namespace hearth::gui {

Updates::Updates(BoxState& box, QObject* parent) : QObject(parent), box_(box), packs_(box) {
  connect(&box, &BoxState::packSourcesChanged, this, &Updates::changed);
  connect(&box, &BoxState::jobsChanged, this, &Updates::changed);
  connect(&box, &BoxState::jobFinished, this, [this](const api::Job& job) {
    if (job.id != ownJob_) return;  // installs that others asked for are not this page's news
    if (job.state == "failed")
      return setProblem(tr("%1 failed: %2").arg(titleTextOf(job), failureTextOf(job.cause, job.reason)));
    if (job.state != "done") return;
    installedModel_ = textOf(job.result_model.empty() ? job.model : job.result_model);
    emit changed();
  });
}

int Updates::newCount() const {
  const auto& rows = packs_.rows();
  return static_cast<int>(std::count_if(rows.begin(), rows.end(), &PackListModel::isNew));
}

QString Updates::summary() const {
  if (box_.packSources().empty()) return tr("No stick or folder with packs was found.");
  int n = newCount();
  if (n == 0) return tr("Nothing new: what can be installed is installed.");
  return n == 1 ? tr("One new pack can be installed.") : tr("%1 new packs can be installed.").arg(n);
}

QString Updates::success() const {
  return installedModel_.isEmpty() ? QString() : tr("%1 is installed and verified.").arg(installedModel_);
}

void Updates::refresh() {
  setProblem({});
  box_.refreshPackSources();
}

void Updates::scan(const QString& text) {
  std::string path = pathOf(text);
  if (path.empty()) return setProblem(tr("Choose a folder first."));
  isScanning_ = true;
  setProblem({});
  box_.client().scanPacks(path, [this](Result<api::PackSource> source) {
    isScanning_ = false;
    if (!source) return setProblem(textOf(source.error()));
    if (source->packs.empty()) return setProblem(tr("There is no pack in this folder."));
    box_.learn(*source);
    emit changed();
  });
}

void Updates::install(const QString& packId) {
  const PackRow* row = packs_.find(packId);
  if (!row) return;
  installedModel_.clear();
  setProblem({});
  box_.client().installPack({.path = row->source.path, .digest = row->pack.digest},
                            [this, packId](Result<api::Job> job) {
                              if (!job) return setProblem(textOf(job.error()));
                              ownJob_ = job->id;
                              packs_.follow(packId, job->id);
                              box_.learn(*job);
                            });
}

void Updates::dismiss() {
  installedModel_.clear();
  setProblem({});
}

void Updates::retranslate() {
  packs_.refresh();
  emit changed();
}

void Updates::setProblem(const QString& problem) {
  problem_ = problem;
  emit changed();
}

}  // namespace hearth::gui
